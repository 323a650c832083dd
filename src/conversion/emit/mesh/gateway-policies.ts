/**
 * Policies of the gateway's pods for some hosts: who may call (AuthorizationPolicy), which service authorizes the request
 * (CUSTOM AuthorizationPolicy), how often (EnvoyFilter). They live in the gateway's namespace, so a platform team applies
 * them. An ALLOW policy there would block all other hosts, so address lists become DENY policies.
 */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import { groupBy } from '../../../kubernetes/group-by.ts'
import { authProviderName, scopedName } from '../../model/object-names.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { Reported } from '../../model/report.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import type { GatewayWorkload } from './gateway-workload.ts'
import { policyScope, type PolicyScope } from './policy-scope.ts'
import { isGuarded, scopeLines } from './policy-warnings.ts'
import { rateLimitFilter } from './rate-limit-filter.ts'

/** `hosts` are those of the Ingresses, `served` all that the same pods serve. */
export function gatewayPolicies(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
  workload: GatewayWorkload,
  served: readonly VirtualHost[],
): Reported<readonly JsonObject[]> {
  const policies = readings.map((reading) => policiesOf(reading, hosts, workload, served))
  return { value: policies.flatMap(({ value }) => value), lines: policies.flatMap(({ lines }) => lines) }
}

function policiesOf(
  reading: ReadIngress,
  hosts: readonly VirtualHost[],
  workload: GatewayWorkload,
  served: readonly VirtualHost[],
): Reported<readonly JsonObject[]> {
  if (!isGuarded(reading) && reading.settings.rateLimit === undefined) return { value: [], lines: [] }
  const scope = policyScope(reading, hosts, served)
  if (scope.length === 0) return { value: [], lines: [] }
  const policies = [
    sourcePolicy(reading, scope, workload),
    externalAuthPolicy(reading, scope, workload),
    rateLimitFilter(reading, scope, workload),
  ]
  return { value: policies.filter((policy) => policy !== undefined), lines: scopeLines(reading, scope, served) }
}

/** Returns one operation for each set of paths, because paths apply to all hosts of their operation. */
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

/** Returns undefined if the Ingress has no address list. */
function sourcePolicy(
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

function externalAuthPolicy(
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
