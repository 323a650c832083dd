/** Groups members that share a key, directly or through other members. The first member of a group comes first. */
import { groupBy } from '../../kubernetes/group-by.ts'

export function connectedGroups<Member>(
  members: readonly Member[],
  keysOf: (member: Member) => readonly string[],
): readonly (readonly Member[])[] {
  // Union-find: each member points to an earlier one of its group, the first one to itself.
  const parents = members.map((_, index) => index)
  const root = (index: number): number => {
    const parent = parents[index] ?? index
    return parent === index ? index : root(parent)
  }
  const owners = new Map<string, number>()
  for (const [index, member] of members.entries())
    for (const key of keysOf(member)) {
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, index)
      else parents[Math.max(root(owner), root(index))] = Math.min(root(owner), root(index))
    }
  const groups = groupBy([...members.entries()], ([index]) => root(index))
  return [...groups.values()].map((group) => group.map(([, member]) => member))
}
