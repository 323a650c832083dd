/** ingress-nginx: aliases of a host, and the Host that backends receive (docs/facts/ingress-nginx.md#hosts). */
import type { Target } from '../../model/conversion-options.ts'
import { hostProblem } from '../../model/hosts.ts'
import { converted, notNeeded, readList, type AnnotationPlace, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_HOSTS: AnnotationTable = nginxTable({
  'server-alias': serverAlias,
  'upstream-vhost': upstreamVhost,
  'service-upstream': notNeeded('the gateway always balances over the endpoints of the Service'),
})

/** ingress-nginx skips a name for which an Ingress has rules (`createServers` in its controller.go). */
function serverAlias(value: string, { target, ruleHosts }: AnnotationPlace): Effect {
  const names = readList(value.toLowerCase())
  const taken = names.filter((name) => ruleHosts.has(name))
  const refusals = names.flatMap((name) => {
    const problem = aliasProblem(name, target)
    return problem === undefined ? [] : [`${name} ${problem}`]
  })
  const aliases = names.filter((name) => !taken.includes(name) && aliasProblem(name, target) === undefined)
  const served = `served under ${aliases.join(', ') || 'no other name'}`
  if (refusals.length > 0)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${refusals.join('; ')}; ${served}`,
      settings: { aliases },
    }
  if (taken.length > 0)
    return {
      outcome: 'not-needed',
      level: 'warn',
      message: `${taken.join(', ')} has rules in an Ingress, so ingress-nginx skips it here; ${served}`,
      settings: { aliases },
    }
  return converted({ aliases }, `the routes are also ${served}`)
}

function aliasProblem(name: string, target: Target): string | undefined {
  return name.startsWith('~')
    ? 'is a regular expression, which a host of a Gateway cannot be'
    : hostProblem(name, target)
}

/** `PreciseHostname` of the CRD. */
const API_HOSTNAME = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

/**
 * With service-upstream, the Service's own name is the idiom for running ingress-nginx inside a mesh. An Istio gateway
 * needs neither.
 */
function upstreamVhost(value: string, { ingress, sibling, target }: AnnotationPlace): Effect {
  const isOwnService = value.endsWith('.svc.cluster.local') || value.endsWith(`.${ingress.namespace}.svc`)
  if (isOwnService && sibling('service-upstream') === 'true')
    return { outcome: 'not-needed', level: 'info', message: 'only needed to run ingress-nginx inside a mesh' }
  if (value.includes('$'))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: nginx variables have no equivalent in rewrite.authority; the client's Host is passed on`,
    }
  if (target === 'gateway-api' && !API_HOSTNAME.test(value))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: urlRewrite.hostname of Gateway API takes a DNS name in lower case without a port; the client's Host is passed on`,
    }
  return converted({ authority: value }, `backends get ${value} as Host`)
}
