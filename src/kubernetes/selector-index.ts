/** Members with equality selectors, found by an object's labels. A lookup costs the same among ten and ten thousand. */
import { hasAll } from './label-selector.ts'

export interface SelectorIndex<Member> {
  /** Returns the members whose selector has only labels of the object, in their original order. */
  selecting(labels: ReadonlyMap<string, string>): readonly Member[]
}

interface Entry<Member> {
  readonly rank: number
  readonly selector: ReadonlyMap<string, string>
  readonly member: Member
}

/** A member without a selector selects every object. Each other one is filed under its rarest label. */
export function indexBySelector<Member>(
  members: readonly Member[],
  selectorOf: (member: Member) => ReadonlyMap<string, string>,
): SelectorIndex<Member> {
  const entries = members.map((member, rank): Entry<Member> => ({ rank, selector: selectorOf(member), member }))
  const shares = new Map<string, number>()
  for (const { selector } of entries)
    for (const pair of pairsOf(selector)) shares.set(pair, (shares.get(pair) ?? 0) + 1)
  const groups = new Map<string, Entry<Member>[]>()
  for (const entry of entries) {
    const key = rarest(pairsOf(entry.selector), shares)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return {
    selecting: (labels) =>
      [EVERYTHING, ...pairsOf(labels)]
        .flatMap((pair) => groups.get(pair)?.filter(({ selector }) => hasAll(labels, selector)) ?? [])
        .toSorted((left, right) => left.rank - right.rank)
        .map(({ member }) => member),
  }
}

const EVERYTHING = ''

function pairsOf(labels: ReadonlyMap<string, string>): readonly string[] {
  return [...labels].map(([key, value]) => `${key}=${value}`)
}

function rarest(pairs: readonly string[], shares: ReadonlyMap<string, number>): string {
  const [first = EVERYTHING] = pairs
  return pairs.reduce((best, pair) => ((shares.get(pair) ?? 0) < (shares.get(best) ?? 0) ? pair : best), first)
}
