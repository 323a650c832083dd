/** ingress-nginx: client addresses, request rates and bandwidth (docs/facts/ingress-nginx.md#limits). */
import { readAddress, readPrefix } from '../../../kubernetes/ip-address.ts'
import type { IngressSettings } from '../../model/ingress-settings.ts'
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
  'limit-rps': rateLimit('second'),
  'limit-rpm': rateLimit('minute'),
  'limit-burst-multiplier': (value, place) =>
    readWhole(value, 1) === undefined
      ? refused(value, 'a whole number from 1')
      : partOf(place.sibling('limit-rps') === undefined ? 'limit-rpm' : 'limit-rps')(value, place),
  'limit-connections': unsupported(
    'error',
    'no limit is generated: Istio cannot limit the connections of a client; connectionPool limits those to a backend',
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

/** Two valid lists are merged. If one is invalid, only the valid one applies. */
function allowedSources(alias: string): Entry {
  return (value, place) => {
    const read = readRanges(value)
    if (!('problem' in read)) return sourceEffect({ allowedSources: read.ranges }, place)
    const beside = readRanges(place.sibling(alias) ?? '')
    if ('problem' in beside) return notPrinted(read.problem)
    const message = `${read.problem}; this list is left out, and only the addresses of ${alias} may call`
    return { outcome: 'unsupported', level: 'error', message }
  }
}

function deniedSources(value: string, place: AnnotationPlace): Effect {
  const read = readRanges(value)
  return 'problem' in read ? notPrinted(read.problem) : sourceEffect({ deniedSources: read.ranges }, place)
}

/** The client's address is only correct if the cluster preserves it, or if trusted proxies send it. */
function sourceEffect(settings: IngressSettings, { gateway }: AnnotationPlace): Effect {
  const policy = `an AuthorizationPolicy that denies, to apply in ${gateway.namespace}`
  if (gateway.trustedProxies > 0)
    return approximate(
      'warn',
      settings,
      `${policy}; the client is the address that ${gateway.trustedProxies} trusted proxies name`,
    )
  const message = `SECURITY: ${policy}; the client is the address of the connection, which is that of a node or load balancer unless the gateway's Service has externalTrafficPolicy: Local or receives PROXY protocol; behind proxies set gateway.trustedProxies`
  return { outcome: 'approximate', level: 'error', message, settings }
}

function notPrinted(problem: string): Effect {
  const message = `SECURITY: ${problem}; no policy is generated, so every address may call`
  return { outcome: 'unsupported', level: 'error', message }
}

type Ranges = { readonly ranges: readonly string[] } | { readonly problem: string }

/** One invalid entry invalidates the whole list, because the rest could admit or exclude the wrong clients. */
function readRanges(value: string): Ranges {
  const ranges = readList(value)
  const bad = ranges.filter((range) => !isAddressRange(range))
  if (bad.length === 0 && ranges.length > 0) return { ranges }
  return { problem: `${bad.join(', ') || 'an empty list'} is not an address or CIDR range` }
}

/**
 * Accepts the `ipBlocks` of Istio (`ValidateIPSubnet`). A zone has no meaning at a gateway, and ingress-nginx refuses
 * it.
 */
function isAddressRange(range: string): boolean {
  return readAddress(range)?.zone === '' || readPrefix(range) !== undefined
}

/**
 * Envoy's own limit has one bucket for all clients of a gateway pod, so a limit per client would throttle all clients
 * together. A limit per address needs a rate limit service.
 */
function rateLimit(unit: 'second' | 'minute'): Entry {
  return (value) => {
    const requests = readWhole(value, 1)
    if (requests === undefined) return refused(value, 'a whole number from 1')
    const message = `no limit is generated: ingress-nginx accepts ${requests} requests a ${unit} from each address, and Istio limits all clients of a gateway together unless it has a rate limit service (https://istio.io/latest/docs/tasks/policy-enforcement/rate-limit/)`
    return { outcome: 'unsupported', level: 'error', message }
  }
}

function limitExemption(value: string, place: AnnotationPlace): Effect {
  if (place.sibling('limit-rps') === undefined && place.sibling('limit-rpm') === undefined)
    return partOf('limit-rps')(value, place)
  return { outcome: 'unsupported', level: 'info', message: 'part of the limit' }
}
