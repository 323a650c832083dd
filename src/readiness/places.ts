/** Lookups of the cluster's workloads, Services and addresses, which need neither calls nor rules. */
import type { Namespace } from '../istio/mesh.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { hasAll } from '../kubernetes/label-selector.ts'
import { indexBySelector, type SelectorIndex } from '../kubernetes/selector-index.ts'
import type { Steps } from '../kubernetes/steps.ts'
import type { Callback } from './callback.ts'
import type { Inventory } from './inventory.ts'
import type { ExposedService, ServicePort } from './service.ts'
import type { ServiceBehind } from './endpoints.ts'
import type { Workload } from './workload.ts'

export interface Places {
  readonly inventory: Inventory
  readonly workloads: readonly Workload[]
  readonly services: readonly ExposedService[]
  /** Every namespace that is declared or has objects. */
  readonly namespaces: readonly Namespace[]
  workloadsOf(namespace: string): readonly Workload[]
  servicesOf(namespace: string): readonly ExposedService[]
  service(namespace: string, name: string): ExposedService | undefined
  /**
   * Returns the workloads whose pods the Service selects, or whose pods its EndpointSlices list. Equal selectors of a
   * namespace return the same array.
   */
  selectedBy(service: ExposedService): readonly Workload[]
  /** Returns the workloads of the namespace with a unit that has all the labels; none for no labels. */
  workloadsWith(namespace: string, labels: ReadonlyMap<string, string>): readonly Workload[]
  /** Returns the Services that select the workload. */
  servicesSelecting(workload: Workload): readonly ExposedService[]
  serviceAt(address: string): ExposedService | undefined
  /** Returns the Service at an external IP, or at an address or name of a load balancer. */
  serviceFromOutside(address: string): ExposedService | undefined
  workloadAt(address: string): Workload | undefined
  isNodeAddress(address: string): boolean
  /** Returns the Service port behind a port of the nodes. */
  behindNodePort(port: number): { readonly service: ExposedService; readonly servicePort: ServicePort } | undefined
  callbacksTo(namespace: string): readonly Callback[]
  /** The mesh's root namespace, as the default revision sets it. */
  readonly rootNamespace: string
}

export function* findPlaces(
  inventory: Inventory,
  workloads: readonly Workload[],
  behind: readonly ServiceBehind[],
): Steps<Places> {
  const services = behind.map(({ service }) => service)
  const listed = new Map(behind.map(({ service, addresses }) => [service, addresses]))
  const workloadsBy = groupBy(workloads, ({ namespace }) => namespace)
  const servicesBy = groupBy(services, ({ namespace }) => namespace)
  const named = new Map(services.map((service) => [`${service.namespace}/${service.name}`, service]))
  yield
  const byLabel = yield* indexByLabel(workloads, selectorKeys(inventory, services))
  const bySelector = yield* selectorsOf(servicesBy)
  const serviceAddresses = new Map(services.flatMap((service) => service.clusterIPs.map((at) => [at, service])))
  const outsideAddresses = new Map(
    services.flatMap((service) => [...service.externalIPs, ...service.loadBalancers].map((at) => [at, service])),
  )
  const podAddresses = new Map(
    workloads.filter(hasOwnAddress).flatMap((workload) => workload.addresses.map((at) => [at, workload])),
  )
  yield
  const callbacks = groupBy(inventory.list('callbacks'), ({ service }) => service.namespace)
  yield
  const nodes = new Set([...inventory.nodeAddresses, ...hostAddresses(workloads)])
  const nodePorts = indexNodePorts(services)
  const selections = new Map<string, readonly Workload[]>()
  const endpoints = new Map<ExposedService, readonly Workload[]>()
  const workloadsWith: Places['workloadsWith'] = (namespace, labels) =>
    once(selections, keyOf(namespace, labels), () =>
      select(namespace, labels, byLabel, workloadsBy.get(namespace) ?? []),
    )
  return {
    inventory,
    workloads,
    services,
    namespaces: namespacesOf(inventory, [...workloadsBy.keys(), ...servicesBy.keys()]),
    workloadsOf: (namespace) => workloadsBy.get(namespace) ?? [],
    servicesOf: (namespace) => servicesBy.get(namespace) ?? [],
    service: (namespace, name) => named.get(`${namespace}/${name}`),
    selectedBy(service) {
      const addresses = listed.get(service) ?? []
      if (addresses.length === 0) return workloadsWith(service.namespace, service.selector)
      return once(endpoints, service, () => [
        ...new Set(addresses.flatMap((address) => podAddresses.get(address) ?? [])),
      ])
    },
    workloadsWith,
    servicesSelecting: ({ namespace, units }) => bySelector(namespace, units),
    serviceAt: (address) => serviceAddresses.get(address),
    serviceFromOutside: (address) => outsideAddresses.get(address),
    workloadAt: (address) => podAddresses.get(address),
    isNodeAddress: (address) => nodes.has(address),
    behindNodePort: (port) => nodePorts.get(port),
    callbacksTo: (namespace) => callbacks.get(namespace) ?? [],
    rootNamespace: inventory.controlPlane('default').rootNamespace,
  }
}

/** Pods of the host's network share the node's address. */
function hasOwnAddress({ units }: Workload): boolean {
  return units.some(({ pod }) => pod.spec['hostNetwork'] !== true)
}

function once<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = known.get(key)
  if (found !== undefined) return found
  const made = make()
  known.set(key, made)
  return made
}

function keyOf(namespace: string, labels: ReadonlyMap<string, string>): string {
  return `${namespace} ${JSON.stringify(labels.size > 1 ? [...labels].toSorted() : [...labels])}`
}

function namespacesOf(inventory: Inventory, populated: readonly string[]): readonly Namespace[] {
  const declared = inventory.list('namespaces')
  const known = new Set(declared.map(({ name }) => name))
  const others = new Set([...populated, ...inventory.list('policies').map(({ namespace }) => namespace)])
  const undeclared = [...others].filter((name) => !known.has(name)).map((name) => inventory.namespace(name))
  return [...declared, ...undeclared].toSorted((left, right) => (left.name < right.name ? -1 : 1))
}

function hostAddresses(workloads: readonly Workload[]): readonly string[] {
  return workloads.flatMap(({ units }) => units.flatMap(({ running }) => running?.hostAddress || []))
}

function indexNodePorts(services: readonly ExposedService[]) {
  return new Map(
    services.flatMap((service) =>
      service.ports.flatMap((servicePort) =>
        servicePort.nodePort === undefined ? [] : [[servicePort.nodePort, { service, servicePort }] as const],
      ),
    ),
  )
}

/** Pods of one controller have equal labels, so the Services that select them are looked up once. */
function* selectorsOf(
  servicesBy: ReadonlyMap<string, readonly ExposedService[]>,
): Steps<(namespace: string, units: Workload['units']) => readonly ExposedService[]> {
  const indexes = new Map<string, SelectorIndex<ExposedService>>()
  for (const [namespace, services] of servicesBy) {
    const selecting = services.filter(({ selector }) => selector.size > 0)
    indexes.set(
      namespace,
      indexBySelector(selecting, ({ selector }) => selector),
    )
    yield
  }
  const known = new Map<string, readonly ExposedService[]>()
  const selecting = (namespace: string, labels: ReadonlyMap<string, string>) =>
    once(known, keyOf(namespace, labels), () => indexes.get(namespace)?.selecting(labels) ?? [])
  return (namespace, units) => {
    const [first, ...rest] = units
    if (first === undefined) return []
    if (rest.length === 0) return selecting(namespace, first.labels)
    return [...new Set(units.flatMap(({ labels }) => selecting(namespace, labels)))]
  }
}

/** The workloads that have a unit with the label `namespace key=value`, for the labels that selectors use. */
interface LabelIndex {
  readonly keys: ReadonlySet<string>
  readonly groups: ReadonlyMap<string, readonly Workload[]>
}

function selectorKeys(inventory: Inventory, services: readonly ExposedService[]): ReadonlySet<string> {
  const keys = new Set<string>()
  for (const { selector } of services) for (const key of selector.keys()) keys.add(key)
  for (const { matchLabels } of inventory.list('policies')) for (const key of matchLabels.keys()) keys.add(key)
  return keys
}

function* indexByLabel(workloads: readonly Workload[], keys: ReadonlySet<string>): Steps<LabelIndex> {
  const groups = new Map<string, Workload[]>()
  for (const workload of workloads) {
    for (const pair of pairsOf(workload, keys)) {
      const key = `${workload.namespace} ${pair}`
      const group = groups.get(key)
      if (group === undefined) groups.set(key, [workload])
      else group.push(workload)
    }
    yield
  }
  return { keys, groups }
}

function pairsOf({ units }: Workload, keys: ReadonlySet<string>): ReadonlySet<string> {
  const pairs = new Set<string>()
  for (const { labels } of units) for (const [key, value] of labels) if (keys.has(key)) pairs.add(`${key}=${value}`)
  return pairs
}

/** Searches only the workloads that have the selector's rarest label, or all of the namespace if none is indexed. */
function select(
  namespace: string,
  selector: ReadonlyMap<string, string>,
  { keys, groups }: LabelIndex,
  all: readonly Workload[],
): readonly Workload[] {
  if (selector.size === 0) return []
  const found = [...selector]
    .filter(([key]) => keys.has(key))
    .map(([key, value]) => groups.get(`${namespace} ${key}=${value}`) ?? [])
  const fewest = found.reduce((best, group) => (group.length < best.length ? group : best), all)
  return fewest.filter(({ units }) => units.some(({ labels }) => hasAll(labels, selector)))
}
