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
  const clients = lazyClientNamespaces(places)
  const routed = routedSubsets(places)
  const matching = (service: ExposedService) => hostsFor(service).flatMap((host) => byHost.get(host) ?? [])
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
      const candidates = matching(service)
      return candidates
        .filter((rule) => isFollowed(rule, candidates, service, clients(), places))
        .flatMap((rule) => policiesOf(rule, service, port))
    },
    follows(client, rule, service) {
      const selecting = matching(service).filter((one) => isSelected(client, one))
      const [first] = selecting
      return (first ?? ruleFor(client.namespace, matching(service), service, places)) === rule
    },
    hasClientWithoutTls(service, port) {
      const candidates = matching(service)
      return clients().some((namespace) => {
        const rule = ruleFor(namespace, candidates, service, places)
        return rule === undefined || policyFor(rule.policy, port) === undefined
      })
    },
  }
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
function lazyClientNamespaces(places: Places): () => readonly string[] {
  let known: readonly string[] | undefined
  return () =>
    (known ??= [
      ...new Set(
        places.workloads
          .filter(({ units }) => units.some(({ mesh }) => mesh.kind === 'sidecar'))
          .map(({ namespace }) => namespace),
      ),
    ])
}

function isFollowed(
  rule: DestinationRule,
  candidates: readonly DestinationRule[],
  service: ExposedService,
  clients: readonly string[],
  places: Places,
): boolean {
  if (rule.workloadSelector.size > 0) return hasSelectedClient(rule, places)
  const own = rule.reference.namespace
  const isShared = own === service.namespace || own === places.rootNamespace
  const able = isShared ? clients : clients.filter((namespace) => namespace === own)
  return able.some((namespace) => ruleFor(namespace, candidates, service, places) === rule)
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
function ruleFor(
  client: string,
  candidates: readonly DestinationRule[],
  service: ExposedService,
  { rootNamespace }: Places,
): DestinationRule | undefined {
  for (const namespace of [client, service.namespace, rootNamespace]) {
    const found = candidates.filter(
      (rule) => rule.workloadSelector.size === 0 && rule.reference.namespace === namespace && isVisible(rule, client),
    )
    // Istio merges the rules of one host: the first traffic policy wins.
    const best = found.filter(({ host }) => host === found[0]?.host)
    if (best.length > 0) return best.find(({ policy }) => policy !== undefined) ?? best[0]
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
