/**
 * NetworkPolicies that block the ambient mesh: its tunnel on port 15008, or the address that kubelet's probes come
 * from.
 */
import {
  arrayMember,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { isHook } from '../../kubernetes/container.ts'
import { matches, parseSelector, type LabelSelector } from '../../kubernetes/label-selector.ts'
import { indexBySelector, type SelectorIndex } from '../../kubernetes/selector-index.ts'
import { describe, referenceTo } from '../../kubernetes/object.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { readCheckFacts } from '../../rules/probes/check-facts.ts'
import { isAddress, parseRanges } from '../../kubernetes/address-ranges.ts'
import type { Estate } from '../estate.ts'
import { finding, type Finding } from '../finding.ts'
import { containerPorts } from '../container-port.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { workloadsInScope, type Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'

/**
 * Addresses that kubelet's probes arrive from, by the family of the pod's first address
 * (https://istio.io/latest/docs/ambient/usage/networkpolicy/, `HOST_PROBE_SNAT_IP` of istio-cni).
 */
const KUBELET = { v4: '169.254.7.127', v6: 'fd16:9254:7127:1337:ffff:ffff:ffff:ffff' } as const
const TUNNEL = 15008

export function* findAmbient(situation: Situation): Iterable<readonly Finding[]> {
  const { estate } = situation
  const incoming = policiesOf(estate, 'Ingress')
  const outgoing = policiesOf(estate, 'Egress')
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => {
      if (unit.mesh.kind !== 'ambient') return []
      const { nodeAddresses } = estate.inventory
      return [
        ...judgeIncoming(workload, unit, incoming.get(workload.namespace), nodeAddresses),
        ...judgeOutgoing(workload, unit, outgoing.get(workload.namespace), estate),
      ]
    })
}

function judgeIncoming(
  workload: Workload,
  unit: Unit,
  policies: SelectorIndex<LimitingPolicy> | undefined,
  nodeAddresses: readonly string[],
) {
  const selecting = selectingPod(policies, unit)
  const [first] = selecting
  if (first === undefined) return []
  const rules = selecting.flatMap((policy) => policy.rules)
  const kubelet = kubeletOf(unit, nodeAddresses)
  return [...tunnel(first.object, rules, workload), ...probes(first.object, rules, kubelet, workload, unit)]
}

/** What a pod sends to the mesh leaves it for port 15008 of the other side. */
function judgeOutgoing(
  workload: Workload,
  unit: Unit,
  policies: SelectorIndex<LimitingPolicy> | undefined,
  estate: Estate,
): readonly Finding[] {
  const selecting = selectingPod(policies, unit)
  const [first] = selecting
  if (first === undefined) return []
  if (selecting.flatMap(({ rules }) => rules).some((rule) => admitsPort(rule, TUNNEL, undefined))) return []
  const calls = estate.callsOf(workload).filter(({ target }) => target.workloads.some(isAmbientWorkload))
  return [
    finding('network-policy-blocks-tunnel', {
      severity: calls.length > 0 ? 'error' : 'warn',
      object: referenceTo(first.object),
      port: TUNNEL,
      about: `${workload.reference.name} egress`,
      message: `No NetworkPolicy allows ${describe(workload.reference)}, which is in the ambient mesh, to send to port ${TUNNEL}: its calls to the mesh${calls.length > 0 ? `, such as to ${calls[0]?.host ?? ''},` : ''} do not leave.`,
      fix: `Add {ports: [{protocol: TCP, port: ${TUNNEL}}]} to spec.egress.`,
      scope: workload.namespace,
    }),
  ]
}

function isAmbientWorkload({ units }: Workload): boolean {
  return units.some(({ mesh }) => mesh.kind === 'ambient')
}

function selectingPod(policies: SelectorIndex<LimitingPolicy> | undefined, { labels }: Unit) {
  return policies?.selecting(labels).filter(({ selector }) => matches(selector, labels)) ?? []
}

type Direction = 'Ingress' | 'Egress'

/** A NetworkPolicy that limits what its pods receive, or what they send. */
interface LimitingPolicy {
  readonly object: JsonObject
  readonly namespace: string
  readonly selector: LabelSelector
  readonly rules: readonly Json[]
}

const POLICIES = new WeakMap<Estate, Map<Direction, ReadonlyMap<string, SelectorIndex<LimitingPolicy>>>>()

/** Returns the policies of one direction, by namespace. */
function policiesOf(estate: Estate, direction: Direction): ReadonlyMap<string, SelectorIndex<LimitingPolicy>> {
  const directions = POLICIES.get(estate) ?? new Map<Direction, ReadonlyMap<string, SelectorIndex<LimitingPolicy>>>()
  POLICIES.set(estate, directions)
  const known = directions.get(direction)
  if (known !== undefined) return known
  const read = estate.inventory
    .list('networkPolicies')
    .filter((policy) => limits(policy, direction))
    .flatMap((policy) => readPolicy(policy, direction))
  const indexes = new Map(
    [...groupBy(read, ({ namespace }) => namespace)].map(([namespace, policies]) => [
      namespace,
      indexBySelector(policies, ({ object }) => stringMap(memberAt(object, 'spec', 'podSelector', 'matchLabels'))),
    ]),
  )
  directions.set(direction, indexes)
  return indexes
}

/** Without policyTypes, a policy limits what pods receive, and what they send if it has egress rules. */
function limits(policy: JsonObject, direction: Direction): boolean {
  const types = arrayMember(member(policy, 'spec'), 'policyTypes')
  if (types.length > 0) return types.includes(direction)
  return direction === 'Ingress' || arrayMember(member(policy, 'spec'), 'egress').length > 0
}

function readPolicy(object: JsonObject, direction: Direction): readonly LimitingPolicy[] {
  const selector = parseSelector(memberAt(object, 'spec', 'podSelector'))
  if (isProblem(selector)) return []
  const { namespace } = referenceTo(object)
  const rules = arrayMember(member(object, 'spec'), direction === 'Ingress' ? 'ingress' : 'egress')
  return [{ object, namespace, selector, rules }]
}

function tunnel(policy: JsonObject, rules: readonly Json[], workload: Workload): readonly Finding[] {
  if (rules.some((rule) => admitsPort(rule, TUNNEL, undefined))) return []
  return [
    finding('network-policy-blocks-tunnel', {
      object: referenceTo(policy),
      port: TUNNEL,
      about: workload.reference.name,
      message: `No NetworkPolicy allows port ${TUNNEL} of ${describe(workload.reference)}, which is in the ambient mesh: mesh traffic does not arrive.`,
      fix: `Add {ports: [{protocol: TCP, port: ${TUNNEL}}]} to spec.ingress.`,
      scope: workload.namespace,
    }),
  ]
}

/** kubelet calls the pod's first address. Of a pod that does not run yet, the nodes tell the family. */
function kubeletOf({ running }: Unit, nodeAddresses: readonly string[]): string {
  const [address = nodeAddresses.find(isAddress) ?? ''] = running?.addresses ?? []
  return address.includes(':') ? KUBELET.v6 : KUBELET.v4
}

function probes(
  policy: JsonObject,
  rules: readonly Json[],
  kubelet: string,
  workload: Workload,
  unit: Unit,
): readonly Finding[] {
  return unit.pod.containers.flatMap((container) =>
    container.checks.flatMap((check) => {
      const { port, handler } = readCheckFacts(container, check)
      if (port === undefined || isProblem(handler) || isHook(check.slot)) return []
      const name = containerPorts(unit.pod).find(({ number }) => number === port)?.name
      if (rules.some((rule) => admitsPort(rule, port, name) && admitsKubelet(rule, kubelet))) return []
      return [
        finding('network-policy-blocks-probes', {
          object: referenceTo(policy),
          container: container.name,
          slot: check.slot,
          port,
          about: workload.reference.name,
          message: `No NetworkPolicy allows ${kubelet} to reach port ${port} of ${describe(workload.reference)}. In ambient mode kubelet's ${check.slot} comes from that address.`,
          fix: `Add {from: [{ipBlock: {cidr: ${KUBELET.v4}/32}}, {ipBlock: {cidr: "${KUBELET.v6}/128"}}]} to spec.ingress.`,
          scope: workload.namespace,
        }),
      ]
    }),
  )
}

function admitsPort(rule: Json, port: number, name: string | undefined): boolean {
  const ports = arrayMember(rule, 'ports')
  return (
    ports.length === 0 ||
    ports.some((entry) => {
      if ((stringMember(entry, 'protocol') ?? 'TCP') !== 'TCP') return false
      const wanted = member(entry, 'port')
      const last = member(entry, 'endPort')
      if (wanted === undefined || wanted === port || (name !== undefined && wanted === name)) return true
      return typeof wanted === 'number' && typeof last === 'number' && wanted <= port && port <= last
    })
  )
}

function admitsKubelet(rule: Json, kubelet: string): boolean {
  const from = arrayMember(rule, 'from')
  return from.length === 0 || from.some((peer) => admitsAddress(member(peer, 'ipBlock'), kubelet))
}

function admitsAddress(block: Json | undefined, address: string): boolean {
  const except = arrayMember(block, 'except').filter((entry) => typeof entry === 'string')
  return parseRanges(stringMember(block, 'cidr') ?? '').has(address) && !parseRanges(except.join(',')).has(address)
}
