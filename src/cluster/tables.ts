/**
 * The data read from the cluster: one table per kind, with rows by namespace and name. Tables are persistent maps. A
 * change makes a new table that shares all other rows with the old one, so a snapshot of a large cluster costs only the
 * change.
 */
import { isDeepStrictEqual } from 'node:util'
import { Map as PersistentMap } from 'immutable'
import type { InjectionWebhook } from '../istio/injection-webhook.ts'
import type { Namespace } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { IngressClass } from '../readiness/inventory.ts'
import type { Callback, OwnWebhook } from '../readiness/callback.ts'
import type { Endpoints } from '../readiness/endpoints.ts'
import type { ExposedService } from '../readiness/service.ts'
import type { WorkloadRow } from '../readiness/workload-row.ts'
import type { NodeRow } from './read-node.ts'
import type { ControlPlanePart } from './read-control-plane.ts'

export const WORKLOAD_TABLES = [
  'deployments',
  'statefulsets',
  'daemonsets',
  'replicasets',
  'jobs',
  'cronjobs',
  'replicationcontrollers',
  'pods',
] as const

export const NETWORKING_TABLES = [
  'sidecars',
  'serviceentries',
  'gateways',
  'virtualservices',
  'destinationrules',
] as const

/** Kinds that only `check` and the STRICT-switch guard need. */
export const READINESS_TABLES = [
  'authorizationpolicies',
  'ingresses',
  'networkpolicies',
  'servicemonitors',
  'podmonitors',
  'gatewayclasses',
  'kubernetesgateways',
  'listenersets',
  'xlistenersets',
  'httproutes',
  'grpcroutes',
  'tlsroutes',
  'tcproutes',
  'telemetries',
] as const

/** A MutatingWebhookConfiguration: Istio's injection webhooks in it, our own, and the Services that it calls. */
export interface MutatingConfiguration {
  readonly injection: readonly InjectionWebhook[]
  readonly own: readonly OwnWebhook[]
  readonly callbacks: readonly Callback[]
}

/** The row type of each table. A table has the name of its kind in the API's paths, except `kubernetesgateways`. */
export interface Rows
  extends
    Record<(typeof WORKLOAD_TABLES)[number], WorkloadRow>,
    /** Trimmed (trim-object.ts). */
    Record<(typeof NETWORKING_TABLES)[number] | (typeof READINESS_TABLES)[number], JsonObject> {
  readonly namespaces: Namespace
  readonly services: ExposedService
  /** Those of Services without a selector. */
  readonly endpointslices: Endpoints
  readonly nodes: NodeRow
  readonly configmaps: ControlPlanePart
  readonly mutatingwebhookconfigurations: MutatingConfiguration
  readonly validatingwebhookconfigurations: readonly Callback[]
  readonly customresourcedefinitions: readonly Callback[]
  readonly apiservices: readonly Callback[]
  readonly peerauthentications: PeerAuthentication
  readonly ingressclasses: IngressClass
  /** Objects of authentication.istio.io, as messages name them. */
  readonly policies: string
  readonly meshpolicies: string
}

export type TableName = keyof Rows

/** Rows by namespace (empty for cluster-scoped kinds), then by name. */
export type Table<Row> = PersistentMap<string, PersistentMap<string, Row>>

/** A table of any kind. */
export type AnyTable = Table<Rows[TableName]>

export type Tables = { readonly [Name in TableName]: Table<Rows[Name]> }

export const EMPTY_TABLES: Tables = {
  namespaces: PersistentMap(),
  services: PersistentMap(),
  endpointslices: PersistentMap(),
  nodes: PersistentMap(),
  configmaps: PersistentMap(),
  mutatingwebhookconfigurations: PersistentMap(),
  validatingwebhookconfigurations: PersistentMap(),
  customresourcedefinitions: PersistentMap(),
  apiservices: PersistentMap(),
  peerauthentications: PersistentMap(),
  ingressclasses: PersistentMap(),
  policies: PersistentMap(),
  meshpolicies: PersistentMap(),
  ...emptyTables(WORKLOAD_TABLES),
  ...emptyTables(NETWORKING_TABLES),
  ...emptyTables(READINESS_TABLES),
}

function emptyTables<Name extends TableName>(names: readonly Name[]): { [Each in Name]: Table<Rows[Each]> } {
  return Object.fromEntries(names.map((name) => [name, PersistentMap()])) as never
}

/** The key of a row in its table. */
export interface RowKey {
  readonly namespace: string
  readonly name: string
}

export interface TableBuilder<Row> {
  put(key: RowKey, row: Row): void
  table(): Table<Row>
}

/** Builds a table from many rows; intermediate persistent maps would all be garbage. */
export function buildTable<Row>(): TableBuilder<Row> {
  const groups = new Map<string, Map<string, Row>>()
  return {
    put({ namespace, name }, row) {
      const group = groups.get(namespace)
      if (group === undefined) groups.set(namespace, new Map([[name, row]]))
      else group.set(name, row)
    },
    table: () => PersistentMap([...groups].map(([namespace, rows]) => [namespace, PersistentMap(rows)] as const)),
  }
}

/**
 * Returns the same table if it has an equal row: heartbeats of nodes and most changes of a status alter nothing that the
 * rules read, and what is derived from the table stays valid.
 */
export function putRow<Row>(table: Table<Row>, { namespace, name }: RowKey, row: Row): Table<Row> {
  if (isDeepStrictEqual(table.get(namespace)?.get(name), row)) return table
  return table.set(namespace, (table.get(namespace) ?? PersistentMap<string, Row>()).set(name, row))
}

/** Returns the same table if it has no such row. */
export function dropRow<Row>(table: Table<Row>, { namespace, name }: RowKey): Table<Row> {
  const rows = table.get(namespace)
  if (rows?.has(name) !== true) return table
  const rest = rows.remove(name)
  return rest.isEmpty() ? table.remove(namespace) : table.set(namespace, rest)
}

export function findRow<Row>(table: Table<Row>, { namespace, name }: RowKey): Row | undefined {
  return table.get(namespace)?.get(name)
}

export function rowsOf<Row>(table: Table<Row>): readonly Row[] {
  return [...table.values()].flatMap((rows) => [...rows.values()])
}

export function countRows(table: Table<unknown>): number {
  let count = 0
  for (const rows of table.values()) count += rows.size
  return count
}

export function tableOf(tables: Tables, name: TableName): AnyTable {
  return tables[name] as AnyTable
}

/** Returns the same tables if the table has not changed. */
export function withTable(tables: Tables, name: TableName, table: AnyTable): Tables {
  return table === tableOf(tables, name) ? tables : { ...tables, [name]: table }
}

export function withRow(tables: Tables, name: TableName, key: RowKey, row: Rows[TableName]): Tables {
  return withTable(tables, name, putRow(tableOf(tables, name), key, row))
}
