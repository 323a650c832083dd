/** The tables as lists for the readiness engine. Each list is built once for each version of its tables. */
import type { Inventory, InventoryKind, InventoryRows } from '../readiness/inventory.ts'
import { rowsOf, WORKLOAD_TABLES, type Table, type TableName, type Tables } from './tables.ts'

type Lists = { readonly [Kind in InventoryKind]: (tables: Tables) => readonly InventoryRows[Kind][] }

/** The tables of each list. A row of the last four kinds has several entries. */
const SOURCES: Readonly<Record<InventoryKind, readonly TableName[]>> = {
  namespaces: ['namespaces'],
  services: ['services'],
  endpoints: ['endpointslices'],
  workloads: WORKLOAD_TABLES,
  policies: ['peerauthentications'],
  destinationRules: ['destinationrules'],
  virtualServices: ['virtualservices'],
  sidecars: ['sidecars'],
  authorizationPolicies: ['authorizationpolicies'],
  ingresses: ['ingresses'],
  ingressClasses: ['ingressclasses'],
  gateways: ['kubernetesgateways', 'listenersets', 'xlistenersets'],
  routes: ['httproutes', 'grpcroutes', 'tlsroutes', 'tcproutes'],
  gatewayClasses: ['gatewayclasses'],
  networkPolicies: ['networkpolicies'],
  serviceMonitors: ['servicemonitors'],
  podMonitors: ['podmonitors'],
  serviceEntries: ['serviceentries'],
  telemetries: ['telemetries'],
  callbacks: [
    'mutatingwebhookconfigurations',
    'validatingwebhookconfigurations',
    'customresourcedefinitions',
    'apiservices',
  ],
  ownWebhooks: ['mutatingwebhookconfigurations'],
}

const EXPANDED: Partial<Lists> = {
  callbacks: (tables) => [
    ...rowsOf(tables.mutatingwebhookconfigurations).flatMap(({ callbacks }) => callbacks),
    ...rowsOf(tables.validatingwebhookconfigurations).flat(),
    ...rowsOf(tables.customresourcedefinitions).flat(),
    ...rowsOf(tables.apiservices).flat(),
  ],
  ownWebhooks: (tables) => rowsOf(tables.mutatingwebhookconfigurations).flatMap(({ own }) => own),
}

/** Kinds that only make advice better: no verdict depends on them. */
const ADVISORY: ReadonlySet<TableName> = new Set(['serviceentries', 'telemetries'])

/** `unknown` contains the tables that could not be read. */
export function inventoryOf(
  tables: Tables,
  unknown: ReadonlySet<TableName>,
): Pick<Inventory, 'list' | 'unreadKinds' | 'nodeAddresses' | 'nodes'> {
  const made = new Map<InventoryKind, readonly unknown[]>()
  return {
    list<Kind extends InventoryKind>(kind: Kind): readonly InventoryRows[Kind][] {
      const known = made.get(kind)
      if (known !== undefined) return known as readonly InventoryRows[Kind][]
      const expand = EXPANDED[kind] as ((tables: Tables) => readonly InventoryRows[Kind][]) | undefined
      const rows =
        expand?.(tables) ?? SOURCES[kind].flatMap((name) => rowsOf(tables[name] as Table<InventoryRows[Kind]>))
      made.set(kind, rows)
      return rows
    },
    unreadKinds: [...Object.values(SOURCES).flat(), 'nodes' as const].filter(
      (name, index, all) => unknown.has(name) && all.indexOf(name) === index && !ADVISORY.has(name),
    ),
    get nodes() {
      return rowsOf(tables.nodes)
    },
    get nodeAddresses() {
      return rowsOf(tables.nodes).flatMap(({ addresses }) => addresses)
    },
  }
}
