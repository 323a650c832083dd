/**
 * The cluster laid out for the engine: workloads by namespace and label, Services by address, declared calls by the
 * namespace that they lead to. Built once for a state of the cluster; each part when it is first asked for.
 */
import type { Namespace } from '../istio/mesh.ts'
import type { Callback } from './callback.ts'
import { resolveCalls, type Call } from './call.ts'
import { readDestinationRules, type DestinationRules } from './destination-rule.ts'
import type { Inventory } from './inventory.ts'
import type { ExposedService, ServicePort } from './service.ts'
import { gatherWorkloads, type Unit, type Workload } from './workload.ts'

export interface Estate {
  readonly inventory: Inventory
  readonly workloads: readonly Workload[]
  /** Every namespace that is declared or holds something. */
  readonly namespaces: readonly Namespace[]
  workloadsOf(namespace: string): readonly Workload[]
  servicesOf(namespace: string): readonly ExposedService[]
  service(namespace: string, name: string): ExposedService | undefined
  /** The workloads whose pods the Service selects. */
  selectedBy(service: ExposedService): readonly Workload[]
  /** Services that select the workload. */
  servicesSelecting(workload: Workload): readonly ExposedService[]
  serviceAt(address: string): ExposedService | undefined
  workloadAt(address: string): Workload | undefined
  isNodeAddress(address: string): boolean
  callbacksTo(namespace: string): readonly Callback[]
  /** Declared calls that lead to Services or pods of the namespace. */
  callsTo(namespace: string): readonly Call[]
  callsOf(workload: Workload): readonly Call[]
  readonly destinationRules: DestinationRules
  /** The root namespace of the mesh, of the default revision. */
  readonly rootNamespace: string
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
      const found = select(service, byLabel())
      selections.set(service, found)
      return found
    },
    servicesSelecting: (workload) => selecting().get(workload) ?? [],
    serviceAt: (address) => serviceAddresses().get(address),
    workloadAt: (address) => podAddresses().get(address),
    isNodeAddress: (address) => nodes().has(address),
    callbacksTo: (namespace) => callbacks().get(namespace) ?? [],
    callsTo: (namespace) => callsByTarget().get(namespace) ?? [],
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

export function groupBy<Key, Entry>(
  entries: readonly Entry[],
  keyOf: (entry: Entry) => Key,
): ReadonlyMap<Key, readonly Entry[]> {
  const groups = new Map<Key, Entry[]>()
  for (const entry of entries) {
    const key = keyOf(entry)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [entry])
    else group.push(entry)
  }
  return groups
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

/** `namespace key=value`: the workloads that have a unit with that label. */
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

/** Looks only at the workloads that have the rarest label of the selector. */
function select({ namespace, selector }: ExposedService, index: LabelIndex): readonly Workload[] {
  if (selector.size === 0) return []
  const groups = [...selector].map(([key, value]) => index.get(`${namespace} ${key}=${value}`) ?? [])
  const fewest = groups.reduce((best, group) => (group.length < best.length ? group : best))
  if (selector.size === 1) return fewest
  return fewest.filter(({ units }) => units.some(({ labels }) => hasAll(labels, selector)))
}

export function hasAll(labels: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): boolean {
  for (const [key, value] of wanted) if (labels.get(key) !== value) return false
  return true
}

/** The port of the pod behind a port of the Service; undefined for a name that the pod does not have. */
export function targetPort({ target }: ServicePort, { pod }: Unit): number | undefined {
  if (typeof target === 'number') return target
  return containerPorts(pod).find(({ name }) => name === target)?.number
}

export interface ContainerPort {
  readonly container: string
  readonly name: string
  readonly number: number
  readonly hostPort: number | undefined
}

export function containerPorts(pod: Unit['pod']): readonly ContainerPort[] {
  return pod.containers.flatMap(({ name: container, raw }) => {
    const ports = Array.isArray(raw['ports']) ? (raw['ports'] as readonly unknown[]) : []
    return ports.flatMap((entry): readonly ContainerPort[] => {
      if (typeof entry !== 'object' || entry === null) return []
      const { name, containerPort, hostPort } = entry as { name?: unknown; containerPort?: unknown; hostPort?: unknown }
      if (typeof containerPort !== 'number') return []
      return [
        {
          container,
          name: typeof name === 'string' ? name : '',
          number: containerPort,
          hostPort: typeof hostPort === 'number' && hostPort > 0 ? hostPort : undefined,
        },
      ]
    })
  })
}
