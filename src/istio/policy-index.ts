/** PeerAuthentications indexed so that finding a pod's policy costs the same among ten and ten thousand. */
import type { PeerAuthentication } from './declared-policy.ts'

/** Returns a namespace's policies; undefined if it has none. */
export interface PolicyIndex {
  get(namespace: string): NamespacePolicies | undefined
}

/** Oldest first. Policies with a selector are found by a label of the pod. */
export interface NamespacePolicies {
  readonly withoutSelector: readonly Ranked[]
  /** Keyed by `key=value`. Each policy is listed under the one of its labels that the fewest policies share. */
  readonly byLabel: ReadonlyMap<string, readonly Ranked[]>
}

/** A policy with its rank in Istio's order: creation time, then name (`pilot/pkg/model/config.go`). */
export interface Ranked {
  readonly rank: number
  readonly policy: PeerAuthentication
}

/** Indexes the policies of one namespace. Policies of different namespaces never compete by age. */
export function indexNamespace(policies: readonly PeerAuthentication[]): NamespacePolicies {
  const ranked = policies.toSorted(byAge).map((policy, rank) => ({ rank, policy }))
  const withSelector = ranked.filter(({ policy }) => policy.matchLabels.size > 0)
  const shares = new Map<string, number>()
  for (const { policy } of withSelector)
    for (const pair of labelPairs(policy.matchLabels)) shares.set(pair, (shares.get(pair) ?? 0) + 1)
  const byLabel = new Map<string, Ranked[]>()
  for (const entry of withSelector) append(byLabel, rarest(labelPairs(entry.policy.matchLabels), shares), entry)
  return { withoutSelector: ranked.filter(({ policy }) => policy.matchLabels.size === 0), byLabel }
}

function byAge(left: PeerAuthentication, right: PeerAuthentication): number {
  return (
    (left.createdAt === right.createdAt ? 0 : left.createdAt - right.createdAt) ||
    (left.name === right.name ? 0 : left.name < right.name ? -1 : 1)
  )
}

function append(groups: Map<string, Ranked[]>, key: string, entry: Ranked): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [entry])
  else group.push(entry)
}

/** Returns labels as keys of `byLabel`. */
export function labelPairs(labels: ReadonlyMap<string, string>): readonly string[] {
  return [...labels].map(([key, value]) => `${key}=${value}`)
}

function rarest(candidates: readonly string[], shares: ReadonlyMap<string, number>): string {
  return candidates.reduce((best, pair) => ((shares.get(pair) ?? 0) < (shares.get(best) ?? 0) ? pair : best))
}
