/** PeerAuthentications laid out so that finding the one that holds for a pod costs the same among ten and ten thousand. */
import type { PeerAuthentication } from './peer-authentication.ts'

/** Policies by namespace, oldest first, with selector policies found by a label of the pod. */
export type PolicyIndex = ReadonlyMap<string, NamespacePolicies>

interface NamespacePolicies {
  readonly withoutSelector: readonly Ranked[]
  /** Each policy under one of its labels, `key=value`, the one that fewest policies share. */
  readonly byLabel: ReadonlyMap<string, readonly Ranked[]>
}

/** A policy with its place in Istio's order: creation time, then name, then namespace (`pilot/pkg/model/config.go`). */
export interface Ranked {
  readonly rank: number
  readonly policy: PeerAuthentication
}

export function indexPolicies(policies: readonly PeerAuthentication[]): PolicyIndex {
  const ranked = policies.toSorted(byAge).map((policy, rank) => ({ rank, policy }))
  return new Map([...groupByNamespace(ranked)].map(([namespace, list]) => [namespace, indexNamespace(list)]))
}

function byAge(left: PeerAuthentication, right: PeerAuthentication): number {
  return left.createdAt - right.createdAt || compare(left.name, right.name) || compare(left.namespace, right.namespace)
}

function compare(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1
}

function groupByNamespace(ranked: readonly Ranked[]): ReadonlyMap<string, Ranked[]> {
  const groups = new Map<string, Ranked[]>()
  for (const entry of ranked) append(groups, entry.policy.namespace, entry)
  return groups
}

function append(groups: Map<string, Ranked[]>, key: string, entry: Ranked): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [entry])
  else group.push(entry)
}

function indexNamespace(ranked: readonly Ranked[]): NamespacePolicies {
  const withSelector = ranked.filter(({ policy }) => policy.matchLabels.size > 0)
  const shares = new Map<string, number>()
  for (const { policy } of withSelector)
    for (const pair of labelPairs(policy.matchLabels)) shares.set(pair, (shares.get(pair) ?? 0) + 1)
  const byLabel = new Map<string, Ranked[]>()
  for (const entry of withSelector) append(byLabel, rarest(labelPairs(entry.policy.matchLabels), shares), entry)
  return { withoutSelector: ranked.filter(({ policy }) => policy.matchLabels.size === 0), byLabel }
}

/** Labels as the keys of `byLabel`. */
export function labelPairs(labels: ReadonlyMap<string, string>): readonly string[] {
  return [...labels].map(([key, value]) => `${key}=${value}`)
}

function rarest(candidates: readonly string[], shares: ReadonlyMap<string, number>): string {
  return candidates.reduce((best, pair) => ((shares.get(pair) ?? 0) < (shares.get(best) ?? 0) ? pair : best))
}
