/** Updates tables after a list or an event. An object that can no longer be read keeps its row. */
import { Map as PersistentMap } from 'immutable'
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { rowKey } from '../resources.ts'
import {
  dropRow,
  findRow,
  putRow,
  tableOf,
  withRow,
  withTable,
  type AnyTable,
  type RowKey,
  type Tables,
} from '../tables.ts'
import type { WatchEvent } from './cluster-api.ts'
import type { Listing } from './list-target.ts'
import type { WatchTarget } from './watch-target.ts'

/** Replaces all rows of the same target. */
export function withListing(tables: Tables, target: WatchTarget, { rows, unreadable }: Listing): Tables {
  const before = tableOf(tables, target.resource.table)
  let listed = rows
  for (const { key } of unreadable) {
    const kept = findRow(before, key)
    if (kept !== undefined) listed = putRow(listed, key, kept)
  }
  return withTable(tables, target.resource.table, within(before, target, listed))
}

/** Equivalent to an empty list. */
export function withoutTarget(tables: Tables, target: WatchTarget): Tables {
  const { table } = target.resource
  return withTable(tables, table, within(tableOf(tables, table), target, PersistentMap()))
}

/** A target of one namespace does not change the rows of other namespaces. */
function within(before: AnyTable, { namespace }: WatchTarget, listed: AnyTable): AnyTable {
  if (namespace === undefined) return listed
  const rows = listed.get(namespace)
  return rows === undefined ? before.remove(namespace) : before.set(namespace, rows)
}

export function withEvent(
  tables: Tables,
  { resource }: WatchTarget,
  { type, object }: WatchEvent,
  unreadable: (key: RowKey, problem: Problem) => void,
): Tables {
  const key = rowKey(resource, object)
  const row = type === 'DELETED' ? undefined : resource.read(object)
  if (isProblem(row)) {
    unreadable(key, row)
    return tables
  }
  if (row !== undefined) return withRow(tables, resource.table, key, row)
  return withTable(tables, resource.table, dropRow(tableOf(tables, resource.table), key))
}
