/** Which clients may call some hosts of a gateway, and which service authorizes their requests. */
import { groupBy } from '../../../kubernetes/group-by.ts'
import { defined } from '../../../kubernetes/json.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import { authProviderName, scopedName } from '../../model/object-names.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import type { GatewayWorkload, PolicyTarget } from './gateway-workload.ts'
import type { PolicyScope } from './policy-scope.ts'

/** https://istio.io/latest/docs/reference/config/security/authorization-policy/ */
export type AuthorizationPolicy = {
  readonly apiVersion: 'security.istio.io/v1'
  readonly kind: 'AuthorizationPolicy'
  readonly metadata: ObjectMetadata
  readonly spec: PolicyTarget & PolicyRules
}

type PolicyRules =
  | { readonly action: 'DENY'; readonly rules: readonly Rule[] }
  | { readonly action: 'CUSTOM'; readonly provider: { readonly name: string }; readonly rules: readonly Rule[] }

export type Rule = {
  readonly from?: readonly { readonly source: Source }[]
  readonly to: readonly { readonly operation: Operation }[]
}

export type Source = { readonly remoteIpBlocks: readonly string[] } | { readonly notRemoteIpBlocks: readonly string[] }

export type Operation = {
  readonly hosts?: readonly string[]
  readonly paths?: readonly string[]
  readonly notPaths?: readonly string[]
}

/**
 * Returns undefined if the Ingress has no address list. An ALLOW policy would block all other hosts, so the lists
 * become a DENY policy.
 */
export function sourcePolicy(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): AuthorizationPolicy | undefined {
  const { allowedSources, deniedSources } = settings
  const sources: readonly Source[] = [
    ...(allowedSources === undefined ? [] : [{ notRemoteIpBlocks: allowedSources }]),
    ...(deniedSources === undefined ? [] : [{ remoteIpBlocks: deniedSources }]),
  ]
  if (sources.length === 0) return undefined
  const rules = sources.map((source): Rule => ({ from: [{ source }], to: operationsOf(scope) }))
  const name = scopedName(ingress.namespace, ingress.name, 'sources')
  return authorizationPolicy(name, workload, { action: 'DENY', rules })
}

/** Returns undefined if no service authorizes the requests of the Ingress. */
export function externalAuthPolicy(
  { ingress, settings }: ReadIngress,
  scope: PolicyScope,
  workload: GatewayWorkload,
): AuthorizationPolicy | undefined {
  const { externalAuth } = settings
  if (externalAuth === undefined) return undefined
  const provider = { name: authProviderName(externalAuth.host, externalAuth.port, externalAuth.path) }
  const name = scopedName(ingress.namespace, ingress.name, 'auth')
  return authorizationPolicy(name, workload, { action: 'CUSTOM', provider, rules: [{ to: operationsOf(scope) }] })
}

function authorizationPolicy(name: string, workload: GatewayWorkload, rules: PolicyRules): AuthorizationPolicy {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: workload.namespace },
    spec: { ...workload.policyTarget, ...rules },
  }
}

/** Returns one operation for each set of paths, because paths apply to all hosts of their operation. */
function operationsOf(scope: PolicyScope): Rule['to'] {
  const byPaths = groupBy(scope, ({ paths, notPaths }) => JSON.stringify([paths ?? null, notPaths]))
  return [...byPaths.values()].map((group) => {
    const hosts = group.map(({ host }) => host)
    const { paths, notPaths = [] } = group[0] ?? {}
    const excluded = notPaths.length === 0 ? undefined : notPaths
    return { operation: defined<Operation>({ hosts: hostPatterns(hosts), paths, notPaths: excluded }) }
  })
}

function hostPatterns(hosts: readonly string[]): readonly string[] | undefined {
  if (hosts.includes('*')) return undefined
  return hosts.flatMap((host) => (host.startsWith('*') ? [host] : [host, `${host}:*`]))
}
