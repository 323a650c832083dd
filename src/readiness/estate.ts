/**
 * The cluster as the engine looks it up: workloads by namespace and label, Services by address, declared calls by the
 * target's namespace. Built once for each state of the cluster; each index is built on first use.
 */
import type { Namespace } from '../istio/mesh.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { hasAll } from '../kubernetes/label-selector.ts'
import { resolveCalls, type Call } from './call.ts'
import { readDestinationRules, type DestinationRules } from './destination-rule.ts'
import type { Inventory } from './inventory.ts'
import type { Places } from './places.ts'
import type { ExposedService } from './service.ts'
import { gatherWorkloads, type Workload } from './workload.ts'

export interface Estate extends Places {
  /** Returns the declared calls to Services or pods of the namespace. */
  callsTo(namespace: string): readonly Call[]
  callsToService(service: ExposedService): readonly Call[]
  callsOf(workload: Workload): readonly Call[]
  readonly destinationRules: DestinationRules
}

export function buildEstate(inventory: Inventory): Estate {
  const workloads = gatherWorkloads(inventory.list('workloads'), inventory)
  const workloadsBy = groupBy(workloads, ({ namespace }) => namespace)
  const servicesBy = groupBy(inventory.list('services'), ({ namespace }) => namespace)
  const named = new Map(inventory.list('services').map((service) => [`${service.namespace}/${service.name}`, service]))
  const byLabel = lazily(() => indexByLabel(workloads))
  const selections = new Map<ExposedService, readonly Workload[]>()
  const selecting = lazily(() => invert(inventory.list('services'), (service) => estate.selectedBy(service)))
  const serviceAddresses = lazily(
    () =>
      new Map(inventory.list('services').flatMap((service) => service.clusterIPs.map((address) => [address, service]))),
  )
  const podAddresses = lazily(
    () => new Map(workloads.flatMap((workload) => workload.addresses.map((address) => [address, workload]))),
  )
  const callbacks = lazily(() => groupBy(inventory.list('callbacks'), ({ service }) => service.namespace))
  const nodes = lazily(() => new Set([...inventory.nodeAddresses, ...hostAddresses(workloads)]))
  const calls = lazily(() => workloads.flatMap((workload) => resolveCalls(workload, estate)))
  const callsByTarget = lazily(() => groupBy(calls(), ({ target }) => target.namespace))
  const callsByService = lazily(() => groupBy(calls(), ({ target }) => target.service))
  const callsByCaller = lazily(() => groupBy(calls(), ({ caller }) => caller))
  const rules = lazily(() => readDestinationRules(inventory.list('destinationRules'), estate))
  const estate: Estate = {
    inventory,
    workloads,
    namespaces: namespacesOf(inventory, [...workloadsBy.keys(), ...servicesBy.keys()]),
    workloadsOf: (namespace) => workloadsBy.get(namespace) ?? [],
    servicesOf: (namespace) => servicesBy.get(namespace) ?? [],
    service: (namespace, name) => named.get(`${namespace}/${name}`),
    selectedBy(service) {
      const known = selections.get(service)
      if (known !== undefined) return known
      const found = estate.workloadsWith(service.namespace, service.selector)
      selections.set(service, found)
      return found
    },
    workloadsWith: (namespace, labels) => select(namespace, labels, byLabel()),
    servicesSelecting: (workload) => selecting().get(workload) ?? [],
    serviceAt: (address) => serviceAddresses().get(address),
    workloadAt: (address) => podAddresses().get(address),
    isNodeAddress: (address) => nodes().has(address),
    callbacksTo: (namespace) => callbacks().get(namespace) ?? [],
    callsTo: (namespace) => callsByTarget().get(namespace) ?? [],
    callsToService: (service) => callsByService().get(service) ?? [],
    callsOf: (workload) => callsByCaller().get(workload) ?? [],
    get destinationRules() {
      return rules()
    },
    rootNamespace: inventory.controlPlane('default').rootNamespace,
  }
  return estate
}

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined
  return () => (made ??= { value: make() }).value
}

function invert<From, To>(
  entries: readonly From[],
  targets: (entry: From) => readonly To[],
): ReadonlyMap<To, readonly From[]> {
  const groups = new Map<To, From[]>()
  for (const entry of entries)
    for (const target of targets(entry)) {
      const group = groups.get(target)
      if (group === undefined) groups.set(target, [entry])
      else group.push(entry)
    }
  return groups
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

/** The workloads that have a unit with the label `namespace key=value`. */
type LabelIndex = ReadonlyMap<string, readonly Workload[]>

function indexByLabel(workloads: readonly Workload[]): LabelIndex {
  const index = new Map<string, Workload[]>()
  for (const workload of workloads) {
    const pairs = new Set(workload.units.flatMap(({ labels }) => [...labels].map(([key, value]) => `${key}=${value}`)))
    for (const pair of pairs) {
      const key = `${workload.namespace} ${pair}`
      const group = index.get(key)
      if (group === undefined) index.set(key, [workload])
      else group.push(workload)
    }
  }
  return index
}

/** Searches only the workloads that have the selector's rarest label. */
function select(namespace: string, selector: ReadonlyMap<string, string>, index: LabelIndex): readonly Workload[] {
  if (selector.size === 0) return []
  const groups = [...selector].map(([key, value]) => index.get(`${namespace} ${key}=${value}`) ?? [])
  const fewest = groups.reduce((best, group) => (group.length < best.length ? group : best))
  if (selector.size === 1) return fewest
  return fewest.filter(({ units }) => units.some(({ labels }) => hasAll(labels, selector)))
}
