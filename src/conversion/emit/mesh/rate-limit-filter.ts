/** A rate limit for an Ingress' hosts: Envoy's local rate limit, which Istio offers only through EnvoyFilter. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { RateLimit } from '../../model/ingress-settings.ts'
import { scopedName } from '../../model/object-names.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import type { FilterTarget, GatewayWorkload } from './gateway-workload.ts'
import type { PolicyScope } from './policy-scope.ts'

/** https://istio.io/latest/docs/reference/config/networking/envoy-filter/ */
export type EnvoyFilter = {
  readonly apiVersion: 'networking.istio.io/v1alpha3'
  readonly kind: 'EnvoyFilter'
  readonly metadata: ObjectMetadata
  readonly spec: FilterTarget & { readonly configPatches: readonly ConfigPatch[] }
}

/** `value` is Envoy's own configuration, which Istio passes on. */
export type ConfigPatch =
  | {
      readonly applyTo: 'HTTP_FILTER'
      readonly match: {
        readonly context: 'GATEWAY'
        readonly listener: { readonly filterChain: { readonly filter: { readonly name: string } } }
      }
      readonly patch: { readonly operation: 'INSERT_BEFORE'; readonly value: JsonObject }
    }
  | {
      readonly applyTo: 'VIRTUAL_HOST'
      readonly match: {
        readonly context: 'GATEWAY'
        readonly routeConfiguration: { readonly vhost: { readonly name: string } }
      }
      readonly patch: { readonly operation: 'MERGE'; readonly value: JsonObject }
    }

const LIMITER = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'
const CAUTION = 'EnvoyFilter depends on the version of Envoy; Istio has no other API for local rate limits'

/** The filter is named after its Ingress: two filters with one name would both count every request. */
export function rateLimitFilter(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): EnvoyFilter | undefined {
  if (settings.rateLimit === undefined) return undefined
  const name = scopedName(ingress.namespace, ingress.name, 'rate-limit')
  const filter = `envoy.filters.http.local_ratelimit/${name}`
  const limited = { [filter]: typedStruct(limiterConfiguration(name, settings.rateLimit)) }
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name, namespace: workload.namespace, annotations: { 'istio-onramp.io/caution': CAUTION } },
    spec: {
      ...workload.filterTarget,
      configPatches: [
        inertFilter(filter, name),
        ...scope.flatMap(({ host }) => [80, 443].map((port) => hostLimit(`${host}:${port}`, limited))),
      ],
    },
  }
}

/** The filter has no effect until a virtual host configures it. */
function inertFilter(filter: string, name: string): ConfigPatch {
  return {
    applyTo: 'HTTP_FILTER',
    match: {
      context: 'GATEWAY',
      listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } },
    },
    patch: {
      operation: 'INSERT_BEFORE',
      value: { name: filter, typed_config: typedStruct({ stat_prefix: name }) },
    },
  }
}

function hostLimit(virtualHost: string, limited: JsonObject): ConfigPatch {
  return {
    applyTo: 'VIRTUAL_HOST',
    match: { context: 'GATEWAY', routeConfiguration: { vhost: { name: virtualHost } } },
    patch: { operation: 'MERGE', value: { typed_per_filter_config: limited } },
  }
}

function typedStruct(value: JsonObject): JsonObject {
  return { '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct', type_url: LIMITER, value }
}

function limiterConfiguration(name: string, { requests, perSeconds, burst }: RateLimit): JsonObject {
  const always = { default_value: { numerator: 100, denominator: 'HUNDRED' } }
  return {
    stat_prefix: name,
    token_bucket: { max_tokens: burst, tokens_per_fill: requests, fill_interval: `${perSeconds}s` },
    filter_enabled: always,
    filter_enforced: always,
  }
}
