/** ingress-nginx: from where, how often and how fast a client may call (docs/facts/ingress-nginx.md#limits). */
import { readAddress, readPrefix } from '../../../kubernetes/ip-address.ts'
import {
  approximate,
  partOf,
  readList,
  readWhole,
  refused,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_LIMITS: AnnotationTable = nginxTable({
  'whitelist-source-range': allowedSources('allowlist-source-range'),
  'allowlist-source-range': allowedSources('whitelist-source-range'),
  'denylist-source-range': deniedSources,
  'limit-rps': rateLimit(1),
  'limit-rpm': rateLimit(60),
  'limit-burst-multiplier': (value, place) =>
    readWhole(value, 1) === undefined
      ? refused(value, 'a whole number from 1')
      : partOf(place.sibling('limit-rps') === undefined ? 'limit-rpm' : 'limit-rps')(value, place),
  'limit-connections': unsupported(
    'warn',
    'Istio cannot limit connections per client; connectionPool limits them per backend',
  ),
  'limit-rate': unsupported(
    'warn',
    "responses are not throttled; an EnvoyFilter can add Envoy's bandwidth limit filter",
  ),
  'limit-rate-after': partOf('limit-rate'),
  'limit-whitelist': limitExemption,
  'limit-allowlist': limitExemption,
  'global-rate-limit': unsupported('error', 'a limit over all gateways needs a rate limit service (Envoy ratelimit)'),
  'global-rate-limit-window': partOf('global-rate-limit'),
  'global-rate-limit-key': partOf('global-rate-limit'),
  'global-rate-limit-ignored-cidrs': partOf('global-rate-limit'),
})

/** Two valid lists are joined. If one of them is invalid, only the valid one decides who may call. */
function allowedSources(alias: string): Entry {
  return (value, place) => {
    const read = readRanges(value)
    if (!('problem' in read)) return approximate('warn', { allowedSources: read.ranges }, sourceMessage(place))
    const beside = readRanges(place.sibling(alias) ?? '')
    if ('problem' in beside) return notPrinted(read.problem)
    const message = `${read.problem}; this list is left out, and only the addresses of ${alias} may call`
    return { outcome: 'unsupported', level: 'error', message }
  }
}

function deniedSources(value: string, place: AnnotationPlace): Effect {
  const read = readRanges(value)
  return 'problem' in read
    ? notPrinted(read.problem)
    : approximate('warn', { deniedSources: read.ranges }, sourceMessage(place))
}

function sourceMessage({ gateway: { namespace, trustedProxies } }: AnnotationPlace): string {
  const whose =
    trustedProxies > 0
      ? `the address that ${trustedProxies} trusted proxies name`
      : "the connection's address: the gateway's Service needs externalTrafficPolicy: Local, or PROXY protocol"
  return `an AuthorizationPolicy that denies, to apply in ${namespace}; the client is ${whose}`
}

function notPrinted(problem: string): Effect {
  const message = `SECURITY: ${problem}; no policy is generated, so every address may call`
  return { outcome: 'unsupported', level: 'error', message }
}

type Ranges = { readonly ranges: readonly string[] } | { readonly problem: string }

/** One invalid entry invalidates the whole list: the rest of it could admit or exclude the wrong clients. */
function readRanges(value: string): Ranges {
  const ranges = readList(value)
  const bad = ranges.filter((range) => !isAddressRange(range))
  if (bad.length === 0 && ranges.length > 0) return { ranges }
  return { problem: `${bad.join(', ') || 'an empty list'} is not an address or CIDR range` }
}

/** What Istio takes in `ipBlocks` (`ValidateIPSubnet`); a zone means nothing at a gateway, and ingress-nginx refuses it. */
function isAddressRange(range: string): boolean {
  return readAddress(range)?.zone === '' || readPrefix(range) !== undefined
}

/** One bucket for each gateway pod, for all clients: the nearest that Envoy has without a service of its own. */
function rateLimit(perSeconds: 1 | 60): Entry {
  return (value, { sibling, gateway }) => {
    const requests = readWhole(value, 1)
    if (requests === undefined) return refused(value, 'a whole number from 1')
    const burst = requests * (readWhole(sibling('limit-burst-multiplier'), 1) ?? 5)
    const message = `an EnvoyFilter, to apply in ${gateway.namespace}: one bucket for each gateway pod and all clients, answered 429; nginx counted per client address and answered 503`
    if (perSeconds === 60 && sibling('limit-rps') !== undefined)
      return {
        outcome: 'unsupported',
        level: 'warn',
        message: 'limit-rps is set as well, and only one limit is generated',
      }
    return approximate('warn', { rateLimit: { requests, perSeconds, burst } }, message)
  }
}

function limitExemption(value: string, place: AnnotationPlace): Effect {
  if (place.sibling('limit-rps') === undefined && place.sibling('limit-rpm') === undefined)
    return partOf('limit-rps')(value, place)
  return { outcome: 'unsupported', level: 'warn', message: 'the limit applies to these addresses as well' }
}
