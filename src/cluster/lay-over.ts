/** The cluster with proposed changes: objects applied and objects removed. The original state does not change. */
import type { Namespace } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { basisOf, stateOf, type ClusterState, type ObjectProblem } from './cluster-state.ts'
import { resourceOf, rowKey, type Resource } from './resources.ts'
import {
  dropRow,
  findRow,
  tableOf,
  withRow,
  withTable,
  type RowKey,
  type Rows,
  type TableName,
  type Tables,
} from './tables.ts'

export interface RemovedObject {
  readonly resource: Resource
  readonly key: RowKey
}

/** Replaces objects of the same name, as `kubectl apply` would. */
export function layOver(
  state: ClusterState,
  changed: readonly JsonObject[],
  removed: readonly RemovedObject[] = [],
): { readonly state: ClusterState; readonly problems: readonly ObjectProblem[] } {
  const basis = basisOf(state)
  if (basis === undefined) return { state, problems: [] }
  const problems: ObjectProblem[] = []
  let { tables } = basis
  for (const { resource, key } of removed)
    tables = withTable(tables, resource.table, dropRow(tableOf(tables, resource.table), key))
  for (const object of changed) {
    const resource = resourceOf(object)
    if (resource === undefined) continue
    const row = resource.read(object)
    const key = rowKey(resource, object)
    if (isProblem(row)) problems.push({ object, field: row.field, problem: row.problem })
    else if (row !== undefined) tables = withRow(tables, resource.table, key, asApplied(row, resource, key, tables))
  }
  return { state: stateOf(tables, basis.options), problems }
}

/** Keeps what `kubectl apply` keeps of an existing object: its age, and the labels and annotations of a namespace. */
function asApplied(row: Rows[TableName], { table }: Resource, key: RowKey, tables: Tables): Rows[TableName] {
  if (table === 'peerauthentications') {
    const known = findRow(tables.peerauthentications, key)
    const policy = row as PeerAuthentication
    return known === undefined || Number.isFinite(policy.createdAt) ? policy : { ...policy, createdAt: known.createdAt }
  }
  if (table !== 'namespaces') return row
  const known = findRow(tables.namespaces, key)
  const space = row as Namespace
  if (known === undefined) return space
  return {
    ...space,
    labels: new Map([...known.labels, ...space.labels]),
    annotations: new Map([...known.annotations, ...space.annotations]),
  }
}
