import type { PeerAuthentication } from '../../../src/istio/declared-policy.ts'
import { indexNamespace, type PolicyIndex } from '../../../src/istio/policy-index.ts'

/** The index that a cluster with these policies has. */
export function indexPolicies(policies: readonly PeerAuthentication[]): PolicyIndex {
  const namespaces = new Set(policies.map(({ namespace }) => namespace))
  return new Map(
    [...namespaces].map((name) => [name, indexNamespace(policies.filter((policy) => policy.namespace === name))]),
  )
}
