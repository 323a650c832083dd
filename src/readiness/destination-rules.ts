/**
 * The TLS mode that mesh clients use towards a Service, from the DestinationRules in force
 * (https://istio.io/latest/docs/reference/config/networking/destination-rule/, `pilot/pkg/model/push_context.go`
 * destinationRule, `pilot/pkg/networking/util/util.go` MergeTrafficPolicy).
 */
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../kubernetes/json.ts'
import { policyFor, qualified, readRule, type ClientTls, type DestinationRule } from './destination-rule.ts'
import { referenceTo } from '../kubernetes/object.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { hasAll } from '../kubernetes/label-selector.ts'
import type { Places } from './places.ts'
import type { ExposedService } from './service.ts'
import type { Workload } from './workload.ts'

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

/** A rule that is exported to other namespaces alone does not apply in its own. */
function isVisible({ exportTo, reference }: DestinationRule, client: string): boolean {
  if (exportTo.length === 0) return true
  return exportTo.some(
    (entry) => entry === '*' || entry === client || (entry === '.' && reference.namespace === client),
  )
}

/** Returns `namespace/service/subset` of every route. A subset without a route gets no traffic. */
function routedSubsets(places: Places): ReadonlySet<string> {
  const found = new Set<string>()
  for (const object of places.inventory.list('virtualServices')) {
    const { namespace } = referenceTo(object)
    for (const kind of ['http', 'tcp', 'tls'])
      for (const route of arrayMember(member(object, 'spec'), kind))
        for (const destination of destinationsOf(route)) {
          const host = stringMember(memberAt(destination, 'destination'), 'host')
          const subset = stringMember(memberAt(destination, 'destination'), 'subset')
          if (host === undefined || subset === undefined) continue
          const [name = '', space = ''] = qualified(host, namespace).split('.')
          found.add(`${space}/${name}/${subset}`)
        }
  }
  return found
}

/** Returns the destinations that get traffic, mirrors as well. */
function destinationsOf(route: Json): readonly Json[] {
  const weighted = arrayMember(route, 'route').filter((entry) => member(entry, 'weight') !== 0)
  const mirrors = arrayMember(route, 'mirrors').map((mirror) => ({
    destination: member(mirror, 'destination') ?? null,
  }))
  return [...weighted, ...mirrors, { destination: member(route, 'mirror') ?? null }]
}
