/** The tables after a list or an event. An object that can no longer be read keeps the row it had. */
import { Map as PersistentMap } from 'immutable'
import { withRow } from '../cluster-state.ts'
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { rowKey } from '../resources.ts'
import { dropRow, findRow, putRow, type RowKey, type Rows, type Table, type Tables } from '../tables.ts'
import type { WatchEvent } from './cluster-api.ts'
import type { Listing } from './list-rows.ts'
import type { Source } from './source.ts'

/** Where the kind of the row is known by the source only. */
export type AnyTable = Table<Rows[keyof Rows]>

/** What was listed takes the place of all that stood there from the same source. */
export function withListing(tables: Tables, source: Source, { rows, unreadable }: Listing): Tables {
  const before = tableOf(tables, source)
  let listed = rows
  for (const { key } of unreadable) {
    const kept = findRow(before, key)
    if (kept !== undefined) listed = putRow(listed, key, kept)
  }
  return withTable(tables, source, within(before, source, listed))
}

/** As after a list of nothing. */
export function withoutSource(tables: Tables, source: Source): Tables {
  return withTable(tables, source, within(tableOf(tables, source), source, PersistentMap()))
}

/** A source of one namespace leaves the other namespaces' rows. */
function within(before: AnyTable, { namespace }: Source, listed: AnyTable): AnyTable {
  if (namespace === undefined) return listed
  const rows = listed.get(namespace)
  return rows === undefined ? before.remove(namespace) : before.set(namespace, rows)
}

export function withEvent(
  tables: Tables,
  source: Source,
  { type, object }: WatchEvent,
  unreadable: (key: RowKey, problem: Problem) => void,
): Tables {
  const key = rowKey(source.resource, object)
  const row = type === 'DELETED' ? undefined : source.resource.read(object)
  if (isProblem(row)) {
    unreadable(key, row)
    return tables
  }
  return row === undefined ? withoutRow(tables, source, key) : withRow(tables, source.resource, key, row)
}

function withoutRow(tables: Tables, source: Source, key: RowKey): Tables {
  return withTable(tables, source, dropRow(tableOf(tables, source), key))
}

export function tableOf(tables: Tables, { resource }: Source): AnyTable {
  return tables[resource.table] as AnyTable
}

function withTable(tables: Tables, source: Source, table: AnyTable): Tables {
  return table === tableOf(tables, source) ? tables : { ...tables, [source.resource.table]: table }
}
