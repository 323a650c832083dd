/** How often the hosts of an Ingress may be called: Envoy's local rate limit, which Istio offers by EnvoyFilter only. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { RateLimit } from '../../model/ingress-settings.ts'
import { scopedName } from '../../model/object-names.ts'
import type { GatewayWorkload } from './gateway-workload.ts'
import type { PolicyScope } from './policy-scope.ts'

const LIMITER = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'

/** The filter is named after its Ingress: two filters with one name would both count every request. */
export function rateLimitFilter(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): JsonObject | undefined {
  if (settings.rateLimit === undefined) return undefined
  const name = scopedName(ingress.namespace, ingress.name, 'rate-limit')
  const filter = `envoy.filters.http.local_ratelimit/${name}`
  const limited = { [filter]: typedStruct(limiterConfiguration(name, settings.rateLimit)) }
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: {
      name,
      namespace: workload.namespace,
      annotations: {
        'istio-onramp.io/caution':
          'EnvoyFilter depends on the version of Envoy; Istio has no other API for local rate limits',
      },
    },
    spec: {
      ...workload.filterTarget,
      configPatches: [
        {
          applyTo: 'HTTP_FILTER',
          match: {
            context: 'GATEWAY',
            listener: { filterChain: { filter: { name: 'envoy.filters.network.http_connection_manager' } } },
          },
          patch: {
            operation: 'INSERT_BEFORE',
            value: { name: filter, typed_config: typedStruct({ stat_prefix: name }) },
          },
        },
        ...scope.flatMap(({ host }) =>
          [80, 443].map((port) => ({
            applyTo: 'VIRTUAL_HOST',
            match: { context: 'GATEWAY', routeConfiguration: { vhost: { name: `${host}:${port}` } } },
            patch: { operation: 'MERGE', value: { typed_per_filter_config: limited } },
          })),
        ),
      ],
    },
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
