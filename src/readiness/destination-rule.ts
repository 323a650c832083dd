/**
 * The TLS mode that mesh clients use towards a Service, from the DestinationRules in force
 * (https://istio.io/latest/docs/reference/config/networking/destination-rule/, `pilot/pkg/model/push_context.go`
 * destinationRule, `pilot/pkg/networking/util/util.go` MergeTrafficPolicy).
 */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { metadataOf, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { hasAll } from '../kubernetes/label-selector.ts'
import type { Places } from './places.ts'
import type { ExposedService } from './service.ts'
import type { Workload } from './workload.ts'

export type ClientTls = 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL'

export interface DestinationRule {
  readonly reference: ObjectReference
  /** Fully qualified; may begin with `*`. */
  readonly host: string
  readonly createdAt: number
  readonly exportTo: readonly string[]
  readonly workloadSelector: ReadonlyMap<string, string>
  readonly policy: TrafficPolicy | undefined
  readonly subsets: readonly { readonly name: string; readonly policy: TrafficPolicy | undefined }[]
}

interface TrafficPolicy {
  readonly tls: ClientTls | undefined
  /** By Service port. A listed port inherits nothing from the policy around it. */
  readonly ports: ReadonlyMap<number, ClientTls | undefined>
}

/** The TLS mode that some clients use for a port of a Service, and the rule that sets it. */
export interface ClientPolicy {
  readonly rule: DestinationRule
  readonly tls: ClientTls
  readonly subset: string | undefined
}

export interface DestinationRules {
  /** Returns every policy that at least one client in the mesh follows for this port of the Service. */
  clientPolicies(service: ExposedService, port: number): readonly ClientPolicy[]
  /** Returns whether this rule decides what the workload sends to the Service. */
  follows(client: Workload, rule: DestinationRule, service: ExposedService): boolean
  /** Whether some namespace has clients with sidecars that follow no TLS setting for the port. */
  hasClientWithoutTls(service: ExposedService, port: number): boolean
}

export function readDestinationRules(objects: readonly JsonObject[], places: Places): DestinationRules {
  const rules = objects.flatMap((object) => readRule(object) ?? []).toSorted(byAge)
  const byHost = groupBy(rules, ({ host }) => host)
  const clients = clientNamespaces(places)
  const routed = routedSubsets(places)
  const known = new Map<ExposedService, Candidates>()
  const candidatesFor = (service: ExposedService): Candidates => {
    const found = known.get(service) ?? candidatesOf(service, byHost, places)
    known.set(service, found)
    return found
  }
  const policiesOf = (rule: DestinationRule, service: ExposedService, port: number): readonly ClientPolicy[] => {
    const own = policyFor(rule.policy, port)
    const subsets = rule.subsets
      .filter(({ name }) => routed.has(`${service.namespace}/${service.name}/${name}`))
      .flatMap(({ name, policy }) => {
        const tls = policy === undefined ? own : policy.ports.has(port) ? policy.ports.get(port) : (policy.tls ?? own)
        return tls === undefined ? [] : [{ rule, tls, subset: name }]
      })
    return own === undefined ? subsets : [{ rule, tls: own, subset: undefined }, ...subsets]
  }
  return {
    clientPolicies(service, port) {
      const candidates = candidatesFor(service)
      if (candidates.all.length === 0) return []
      const followed = followedBy(clients, candidates)
      return candidates.all
        .filter((rule) => (rule.workloadSelector.size > 0 ? hasSelectedClient(rule, places) : followed.has(rule)))
        .flatMap((rule) => policiesOf(rule, service, port))
    },
    follows(client, rule, service) {
      const { all, shared } = candidatesFor(service)
      const selecting = all.find((one) => isSelected(client, one))
      return (selecting ?? ruleFor(client.namespace, shared)) === rule
    },
    hasClientWithoutTls(service, port) {
      const { shared } = candidatesFor(service)
      return [...clients].some((namespace) => {
        const rule = ruleFor(namespace, shared)
        return rule === undefined || policyFor(rule.policy, port) === undefined
      })
    },
  }
}

/** The rules whose host matches a Service, most specific host first, then the oldest. */
interface Candidates {
  readonly all: readonly DestinationRule[]
  readonly shared: SharedRules
}

/** Those without a workload selector, by the namespace that a client looks in. */
interface SharedRules {
  readonly byNamespace: ReadonlyMap<string, readonly DestinationRule[]>
  /** The Service's namespace and the root namespace, in which every client looks after its own. */
  readonly common: readonly string[]
}

function candidatesOf(
  service: ExposedService,
  byHost: ReadonlyMap<string, readonly DestinationRule[]>,
  { rootNamespace }: Places,
): Candidates {
  const all = hostsFor(service).flatMap((host) => byHost.get(host) ?? [])
  const shared = all.filter(({ workloadSelector }) => workloadSelector.size === 0)
  const byNamespace = groupBy(shared, ({ reference }) => reference.namespace)
  return { all, shared: { byNamespace, common: [service.namespace, rootNamespace] } }
}

function readRule(object: JsonObject): DestinationRule | undefined {
  const reference = referenceTo(object)
  const spec = member(object, 'spec')
  const host = stringMember(spec, 'host')
  if (host === undefined || host === '') return undefined
  const createdAt = Date.parse(stringMember(metadataOf(object), 'creationTimestamp') ?? '')
  return {
    reference,
    host: qualified(host, reference.namespace),
    createdAt: Number.isNaN(createdAt) ? Number.MAX_SAFE_INTEGER : createdAt,
    exportTo: arrayMember(spec, 'exportTo').filter((entry) => typeof entry === 'string'),
    workloadSelector: stringMap(memberAt(spec, 'workloadSelector', 'matchLabels')),
    policy: readPolicy(member(spec, 'trafficPolicy')),
    subsets: arrayMember(spec, 'subsets').map((subset) => ({
      name: stringMember(subset, 'name') ?? '',
      policy: readPolicy(member(subset, 'trafficPolicy')),
    })),
  }
}

/** A short name belongs to the rule's own namespace. */
function qualified(host: string, namespace: string): string {
  if (host.startsWith('*') || host.includes('.'))
    return /^[^.*]+\.[^.]+\.svc$/.test(host) ? `${host}.cluster.local` : host
  return `${host}.${namespace}.svc.cluster.local`
}

function readPolicy(value: Json | undefined): TrafficPolicy | undefined {
  if (!isObject(value)) return undefined
  const ports = arrayMember(value, 'portLevelSettings').map(
    (entry) => [Number(memberAt(entry, 'port', 'number')), readTls(member(entry, 'tls'))] as const,
  )
  return { tls: readTls(member(value, 'tls')), ports: new Map(ports) }
}

/** DISABLE is the enum's zero value, so a `tls` without mode means DISABLE. */
function readTls(value: Json | undefined): ClientTls | undefined {
  if (!isObject(value)) return undefined
  const mode = member(value, 'mode')
  return (['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'] as const).find((known) => known === mode) ?? 'DISABLE'
}

function policyFor(policy: TrafficPolicy | undefined, port: number): ClientTls | undefined {
  if (policy === undefined) return undefined
  return policy.ports.has(port) ? policy.ports.get(port) : policy.tls
}

function byAge(left: DestinationRule, right: DestinationRule): number {
  return left.createdAt - right.createdAt || (left.reference.name < right.reference.name ? -1 : 1)
}

/** Returns the hosts that match a Service, most specific first. */
function hostsFor({ namespace, name }: ExposedService): readonly string[] {
  const own = `${name}.${namespace}.svc.cluster.local`
  const labels = own.split('.')
  return [own, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`), '*']
}

/** Returns the namespaces that hold pods with sidecars. ztunnel does not read DestinationRules. */
function clientNamespaces({ workloads }: Places): ReadonlySet<string> {
  const inside = workloads.filter(({ units }) => units.some(({ mesh }) => mesh.kind === 'sidecar'))
  return new Set(inside.map(({ namespace }) => namespace))
}

/**
 * Returns the rules that clients of some namespace follow. Namespaces without a rule of their own, and that no exportTo
 * names, all follow the same one.
 */
function followedBy(clients: ReadonlySet<string>, { all, shared }: Candidates): ReadonlySet<DestinationRule> {
  const special = new Set([...shared.byNamespace.keys(), ...all.flatMap(({ exportTo }) => exportTo)])
  const asking = [...special].filter((namespace) => clients.has(namespace))
  for (const namespace of clients)
    if (!special.has(namespace)) {
      asking.push(namespace)
      break
    }
  return new Set(asking.flatMap((namespace) => ruleFor(namespace, shared) ?? []))
}

function hasSelectedClient(rule: DestinationRule, places: Places): boolean {
  return places.workloadsOf(rule.reference.namespace).some((client) => isSelected(client, rule))
}

function isSelected({ namespace, units }: Workload, { reference, workloadSelector }: DestinationRule): boolean {
  if (workloadSelector.size === 0 || namespace !== reference.namespace) return false
  return units.some(({ mesh, labels }) => mesh.kind === 'sidecar' && hasAll(labels, workloadSelector))
}

/**
 * | first that has a rule for the host, exported to the client | of those, the most specific host, then the oldest |
 * |------------------------------------------------------------|----------------------------------------------------|
 * | the client's namespace, the Service's, the root namespace  |                                                    |
 */
function ruleFor(client: string, { byNamespace, common }: SharedRules): DestinationRule | undefined {
  for (const namespace of [client, ...common]) {
    const found = byNamespace.get(namespace) ?? []
    const first = found.find((rule) => isVisible(rule, client))
    if (first === undefined) continue
    // Istio merges the rules of one host: the first traffic policy wins.
    const isMerged = (rule: DestinationRule) => rule.host === first.host && isVisible(rule, client)
    return first.policy === undefined
      ? (found.find((rule) => isMerged(rule) && rule.policy !== undefined) ?? first)
      : first
  }
  return undefined
}

function isVisible({ exportTo, reference }: DestinationRule, client: string): boolean {
  if (reference.namespace === client || exportTo.length === 0) return true
  return exportTo.some((entry) => entry === '*' || entry === client)
}

/** Returns `namespace/service/subset` of every route. A subset without a route gets no traffic. */
function routedSubsets(places: Places): ReadonlySet<string> {
  const found = new Set<string>()
  for (const object of places.inventory.list('virtualServices')) {
    const { namespace } = referenceTo(object)
    for (const kind of ['http', 'tcp', 'tls'])
      for (const route of arrayMember(member(object, 'spec'), kind))
        for (const destination of [...arrayMember(route, 'route'), { destination: member(route, 'mirror') ?? null }]) {
          const host = stringMember(memberAt(destination, 'destination'), 'host')
          const subset = stringMember(memberAt(destination, 'destination'), 'subset')
          if (host === undefined || subset === undefined) continue
          const [name = '', space = ''] = qualified(host, namespace).split('.')
          found.add(`${space}/${name}/${subset}`)
        }
  }
  return found
}
