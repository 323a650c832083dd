/**
 * What the gateway's pods are told about some hosts: who may call (AuthorizationPolicy), who is asked first (CUSTOM
 * AuthorizationPolicy), how often (EnvoyFilter). They stand in the gateway's namespace, so that a platform team applies
 * them. An ALLOW policy there would shut out everybody else's hosts, so address lists are policies that deny.
 */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import { groupBy } from '../../model/group-by.ts'
import type { RateLimit } from '../../model/ingress-settings.ts'
import { authProviderName, scopedName } from '../../model/object-names.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { PathMatch, Route, Site } from '../../model/virtual-host.ts'

/** The pods of a gateway, as policies name them. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` of AuthorizationPolicy and, called `workloadSelector`, of EnvoyFilter; or `targetRefs`. */
  readonly policyTarget: JsonObject
  readonly filterTarget: JsonObject
}

/** Where a policy holds, by host. */
export type PolicyScope = readonly HostScope[]

interface HostScope {
  readonly host: string
  /** Undefined: all of them. Else those of the Ingress, as other Ingresses have routes of the host, too. */
  readonly paths: readonly string[] | undefined
  /** Others' routes of the host. */
  readonly siblings: readonly Route[]
}

/** `served`: all sites of the same pods, whoever's they are. */
export function policyScope({ id }: ReadIngress, sites: readonly Site[], served: readonly Site[]): PolicyScope {
  return sites.flatMap(({ host, routes }) => {
    const own = routes.filter(({ ingress }) => ingress === id)
    if (own.length === 0) return []
    const all = served.filter((site) => site.host === host).flatMap((site) => site.routes)
    const siblings = all.filter(({ ingress }) => ingress !== id)
    return [{ host, siblings, paths: siblings.length === 0 ? undefined : pathsOf(own) }]
  })
}

/** Without a pattern for one of the routes all of the host is meant, which shuts out rather than lets in. */
function pathsOf(routes: readonly Route[]): readonly string[] | undefined {
  const paths = new Set(routes.flatMap(pathPatterns))
  return paths.has('*') ? undefined : [...paths]
}

/** `*` where an AuthorizationPolicy has no pattern. */
function pathPatterns({ match }: Route): readonly string[] {
  const patterns: Readonly<Record<PathMatch['kind'], readonly string[]>> = {
    exact: [match.value],
    elements: match.value === '/' ? ['*'] : [match.value, `${match.value}/*`],
    prefix: [`${match.value}*`],
    regex: ['*'],
  }
  return patterns[match.kind]
}

/** One for each set of paths; a list of paths belongs to its own hosts only. */
function operationsOf(scope: PolicyScope): readonly JsonObject[] {
  const byPaths = groupBy(scope, ({ paths }) => JSON.stringify(paths ?? null))
  return [...byPaths.values()].map((group) => {
    const hosts = group.map(({ host }) => host)
    return { operation: defined({ hosts: hostPatterns(hosts), paths: group[0]?.paths }) }
  })
}

function hostPatterns(hosts: readonly string[]): readonly string[] | undefined {
  if (hosts.includes('*')) return undefined
  return hosts.flatMap((host) => (host.startsWith('*') ? [host] : [host, `${host}:*`]))
}

function authorizationPolicy(name: string, workload: GatewayWorkload, spec: JsonObject): JsonObject {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: workload.namespace },
    spec: { ...workload.policyTarget, ...spec },
  }
}

/** Undefined where the Ingress has no address list. */
export function sourcePolicy(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): JsonObject | undefined {
  const { allowedSources, deniedSources } = settings
  const sources = [
    ...(allowedSources === undefined ? [] : [{ notRemoteIpBlocks: allowedSources }]),
    ...(deniedSources === undefined ? [] : [{ remoteIpBlocks: deniedSources }]),
  ]
  if (sources.length === 0) return undefined
  const rules = sources.map((source) => ({ from: [{ source }], to: operationsOf(scope) }))
  return authorizationPolicy(scopedName(ingress.namespace, ingress.name, 'sources'), workload, {
    action: 'DENY',
    rules,
  })
}

export function externalAuthPolicy(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): JsonObject | undefined {
  if (settings.externalAuth === undefined) return undefined
  const provider = { name: authProviderName(ingress.namespace, ingress.name) }
  return authorizationPolicy(scopedName(ingress.namespace, ingress.name, 'auth'), workload, {
    action: 'CUSTOM',
    provider,
    rules: [{ to: operationsOf(scope) }],
  })
}

const LIMITER = 'type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit'

/** The filter has a name of the Ingress' own: two of one name would both count every request. */
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
        'istio-onramp.io/caution': 'EnvoyFilter: tied to the version of Envoy; nothing else in Istio does this',
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
