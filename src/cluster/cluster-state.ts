/**
 * The cluster as the rules see it: a value built from the tables and replaced as a whole. Values derived from a table
 * are computed once for each version of the table, on first use.
 *
 * Objects without a manifest are absent, with three exceptions: without any MutatingWebhookConfiguration, Istio's
 * default installation is assumed; without an injector ConfigMap, probe rewriting is unknown; a namespace without a
 * manifest has no labels.
 */
import { unknownControlPlane, type ControlPlane } from '../istio/control-plane.ts'
import { DEFAULT_INSTALL, inCallingOrder, type InjectionWebhook } from '../istio/injection-webhook.ts'
import type { Namespace } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import { indexNamespace } from '../istio/policy-index.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { isProblem, type Problem } from '../kubernetes/problem.ts'
import type { Inventory } from '../readiness/inventory.ts'
import type { WorkloadRow } from '../readiness/workload-row.ts'
import type { NodeRow } from './read-node.ts'
import { inventoryOf } from './inventory-tables.ts'
import { mergeControlPlanes, type ControlPlanePart, type Istiod } from './read-control-plane.ts'
import { resourceOf, rowKey } from './resources.ts'
import {
  buildTable,
  EMPTY_TABLES,
  findRow,
  NETWORKING_TABLES,
  rowsOf,
  withTable,
  WORKLOAD_TABLES,
  type Rows,
  type Table,
  type TableBuilder,
  type TableName,
  type Tables,
} from './tables.ts'

export interface ClusterState extends Inventory {
  /** Objects with settings that Istio no longer reads, one line each. */
  readonly notes: readonly string[]
  /** The workloads and bare Pods of a namespace, trimmed; undefined while one of their kinds is unknown. */
  workloads(namespace: string): readonly JsonObject[] | undefined
  /**
   * The Sidecars, ServiceEntries, Gateways, VirtualServices and DestinationRules of a namespace, trimmed; undefined
   * likewise.
   */
  networking(namespace: string): readonly JsonObject[] | undefined
}

export interface ObjectProblem extends Problem {
  readonly object: JsonObject
}

/**
 * Builds the state. Objects of kinds that no rule reads are skipped; objects that cannot be read are reported and
 * skipped.
 */
export function buildClusterState(
  objects: readonly JsonObject[],
  { assumesIstio = isWithoutWebhooks }: BuildOptions = {},
): {
  readonly state: ClusterState
  readonly problems: readonly ObjectProblem[]
} {
  const problems: ObjectProblem[] = []
  const builders = new Map<TableName, TableBuilder<Rows[TableName]>>()
  for (const object of objects) {
    const resource = resourceOf(object)
    if (resource === undefined) continue
    const row = resource.read(object)
    const builder = builders.get(resource.table) ?? buildTable<Rows[TableName]>()
    builders.set(resource.table, builder)
    if (isProblem(row)) problems.push({ object, field: row.field, problem: row.problem })
    else if (row !== undefined) builder.put(rowKey(resource, object), row)
  }
  let tables = EMPTY_TABLES
  for (const [name, builder] of builders) tables = withTable(tables, name, builder.table())
  return {
    state: stateOf(tables, assumesIstio(tables) ? { webhooks: DEFAULT_INSTALL } : {}),
    problems,
  }
}

export interface BuildOptions {
  /** Whether to assume the default installation if the objects include no Istio webhook configuration. */
  readonly assumesIstio?: (tables: Tables) => boolean
}

function isWithoutWebhooks({ mutatingwebhookconfigurations }: Tables): boolean {
  return mutatingwebhookconfigurations.isEmpty()
}

/** Applications have webhook configurations of their own, so Istio's may be missing even if others exist. */
export function isWithoutIstiosWebhooks({ mutatingwebhookconfigurations }: Tables): boolean {
  return rowsOf(mutatingwebhookconfigurations).every(({ injection }) => injection.length === 0)
}

export interface StateOptions {
  /** Used if the manifests have no webhook configurations. */
  readonly webhooks?: readonly InjectionWebhook[]
  /** Kinds that were not read, or whose data is too old. Their tables are meaningless, even if empty. */
  readonly unknown?: ReadonlySet<TableName>
}

/** The inputs of a state, from which a changed state can be built (`layOver`). */
export interface StateBasis {
  readonly tables: Tables
  readonly options: StateOptions
}

const BASES = new WeakMap<ClusterState, StateBasis>()

export function basisOf(state: ClusterState): StateBasis | undefined {
  return BASES.get(state)
}

export function stateOf(tables: Tables, options: StateOptions = {}): ClusterState {
  const state = makeState(tables, options)
  BASES.set(state, { tables, options })
  return state
}

function makeState(tables: Tables, { webhooks, unknown = new Set() }: StateOptions): ClusterState {
  let planes: PlaneLookup | undefined
  return {
    ...inventoryOf(tables, unknown),
    namespace: (name) => findRow(tables.namespaces, { namespace: '', name }) ?? undeclaredNamespace(name),
    get webhooks() {
      return webhooks ?? callingOrder(tables.mutatingwebhookconfigurations)
    },
    controlPlane: (revision) => (planes ??= planesOf(tables))(revision),
    policies: { get: (namespace) => policiesOf(tables.peerauthentications.get(namespace)) },
    service: (namespace, name) => findRow(tables.services, { namespace, name }),
    get serviceAddresses() {
      return someAddresses(tables.services)
    },
    ingressController: (name) => findRow(tables.ingressclasses, { namespace: '', name })?.controller,
    get hasImageVolumes() {
      return haveImageVolumes(tables.nodes)
    },
    get notes() {
      return [...rowsOf(tables.policies), ...rowsOf(tables.meshpolicies)].map(
        (name) => `${name}: Istio 1.6 and later ignores it, so it does not count`,
      )
    },
    istioGateways: () => (unknown.has('gateways') ? undefined : gatewayRows(tables.gateways)),
    workloads: (namespace) => objectsOf(tables, WORKLOAD_TABLES, unknown, namespace),
    networking: (namespace) => objectsOf(tables, NETWORKING_TABLES, unknown, namespace),
  }
}

function objectsOf(
  tables: Tables,
  names: readonly ((typeof WORKLOAD_TABLES)[number] | (typeof NETWORKING_TABLES)[number])[],
  unknown: ReadonlySet<TableName>,
  namespace: string,
): readonly JsonObject[] | undefined {
  if (names.some((name) => unknown.has(name))) return undefined
  return names.flatMap((name) => {
    const rows: Iterable<JsonObject | WorkloadRow> = tables[name].get(namespace)?.values() ?? []
    return [...rows].map(objectOf).filter((object) => object !== undefined)
  })
}

/** Skips objects that a controller made: their owner represents them. */
function objectOf(row: JsonObject | WorkloadRow): JsonObject | undefined {
  if (!('mentions' in row && 'object' in row)) return row
  const { object, owner } = row as WorkloadRow
  return owner === undefined ? object : undefined
}

function undeclaredNamespace(name: string): Namespace {
  return { name, labels: new Map([['kubernetes.io/metadata.name', name]]), annotations: new Map(), isDeclared: false }
}

/** Tables are never edited, so a derived value stays valid as long as its table. */
function oncePer<Key extends object, Value>(compute: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, { readonly value: Value }>()
  return (key) => {
    const found = known.get(key)
    if (found !== undefined) return found.value
    const value = compute(key)
    known.set(key, { value })
    return value
  }
}

const callingOrder = oncePer((table: Tables['mutatingwebhookconfigurations']) =>
  inCallingOrder(rowsOf(table).flatMap(({ injection }) => injection)),
)

type NamespaceRows = NonNullable<ReturnType<Table<PeerAuthentication>['get']>>

const indexOnce = oncePer((rows: NamespaceRows) => indexNamespace([...rows.values()]))

function policiesOf(rows: NamespaceRows | undefined) {
  return rows && indexOnce(rows)
}

function planesOf({ configmaps, deployments }: Tables): PlaneLookup {
  const istiods = istiodsOf(deployments)
  const known = PLANES.get(configmaps) ?? new Map<string, PlaneLookup>()
  PLANES.set(configmaps, known)
  const key = JSON.stringify(istiods)
  const found = known.get(key) ?? lookUpPlanes(mergeControlPlanes(rowsOf(configmaps), istiods))
  known.set(key, found)
  return found
}

const MOST_UNKNOWN = 100
const LONGEST_LABEL = 63

type PlaneLookup = (revision: string) => ControlPlane

/** Most changes of Deployments are not of istiod's, so the planes stay the same value. */
const PLANES = new WeakMap<Table<ControlPlanePart>, Map<string, PlaneLookup>>()

const istiodsOf = oncePer((deployments: Table<WorkloadRow>): readonly Istiod[] =>
  rowsOf(deployments).flatMap(({ istiod }) => istiod ?? []),
)

/** Managed meshes have only revisions with a name. Then the last of them answers for the default one. */
function lookUpPlanes(planes: ReadonlyMap<string, ControlPlane>): PlaneLookup {
  const last = [...planes.keys()].toSorted().at(-1)
  const unnamed = planes.get('default') ?? (last === undefined ? undefined : planes.get(last))
  const unknown = new Map<string, ControlPlane>()
  return (revision) => {
    const known = planes.get(revision) ?? (revision === 'default' ? unnamed : undefined) ?? unknown.get(revision)
    if (known !== undefined) return known
    const assumed = unknownControlPlane(revision)
    // A pod can name any revision, so only a few are remembered.
    if (unknown.size < MOST_UNKNOWN && revision.length <= LONGEST_LABEL) unknown.set(revision, assumed)
    return assumed
  }
}

/** The Service range of a cluster is one block, or two, so a few of its addresses tell as much as all. */
const MOST_ADDRESSES = 50

const someAddresses = oncePer((table: Tables['services']): readonly string[] => {
  const found: string[] = []
  for (const rows of table.values())
    for (const { clusterIPs } of rows.values()) {
      found.push(...clusterIPs)
      if (found.length >= MOST_ADDRESSES) return found
    }
  return found
})

const gatewayRows = oncePer((table: Tables['gateways']): readonly JsonObject[] => [...rowsOf(table)])

const haveImageVolumes = oncePer((nodes: Table<NodeRow>): boolean | undefined => {
  return nodes.isEmpty() ? undefined : rowsOf(nodes).every(({ canMountImages }) => canMountImages)
})
