/**
 * What a browser meets that reuses a connection for every host of its certificate: a host is served by the listener that
 * names it best and no other, and Istio has no answer 421 that would send the browser away (GEP-3567; seen in Envoy,
 * test/conversion/support/wildcard-cases.ts). One listener for all hosts of a certificate would mend it, and take what is meant for
 * other Gateways where they share an Envoy.
 */
import { groupBy } from '../../model/group-by.ts'
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { ReportLine } from '../../model/report.ts'
import { ownerOf, type VirtualHost } from '../../model/virtual-host.ts'
import { isListened, narrowerHosts, type ParentGateway } from './parent-refs.ts'
import type { SecureListener } from './secure-listeners.ts'

export function reuseLines(
  plan: GatewayPlan,
  listeners: readonly SecureListener[],
  parent: ParentGateway,
): readonly ReportLine[] {
  const secrets = groupBy(
    listeners.filter(({ server, host }) => server !== undefined && host !== undefined),
    ({ server }) => server?.secret ?? '',
  )
  const groups = [...secrets.values()].map((group) => group.flatMap(({ host }) => host ?? []))
  return [
    ...groups.flatMap((names) => sameCertificateLine(names, plan) ?? []),
    ...plan.hosts.flatMap((host) => wildcardLine(host, groups, parent) ?? []),
  ]
}

function sameCertificateLine(names: readonly string[], plan: GatewayPlan): ReportLine | undefined {
  const first = plan.hosts.find(({ host }) => names.includes(host))
  if (names.length < 2 || first === undefined) return undefined
  const mend = names.some((name) => name.startsWith('*'))
    ? '--to istio has no such limit'
    : 'a secret for each mends it'
  const message = `a browser that is connected to one of ${names.join(', ')} may reuse that for another, as their certificate is the same, and does not get to its routes there: Istio does not turn it away (421); ${mend}`
  return { ingress: ownerOf(first), level: 'warn', about: 'spec.tls', outcome: 'approximate', message }
}

/** For hosts with another certificate, which the wildcard's certificate covers as well. */
function wildcardLine(
  host: VirtualHost,
  groups: readonly (readonly string[])[],
  parent: ParentGateway,
): ReportLine | undefined {
  if (host.passthrough !== undefined || !isListened(host, parent)) return undefined
  const same = groups.find((names) => names.includes(host.host)) ?? []
  const others = narrowerHosts(host, parent).filter((name) => !same.includes(name))
  if (others.length === 0) return undefined
  const message = `a browser that is connected to another host of ${host.host} may reuse that for ${others.join(', ')}, and is answered by the routes of ${host.host}: Istio does not turn it away (421); --to istio has no such limit`
  return { ingress: ownerOf(host), level: 'warn', about: 'spec.tls', outcome: 'approximate', message }
}
