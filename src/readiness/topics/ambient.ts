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
import { parseRanges } from '../address-ranges.ts'
import type { Estate } from '../estate.ts'
import { finding, type Finding } from '../finding.ts'
import { containerPorts } from '../container-port.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { workloadsInScope, type Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'

/** ztunnel forwards kubelet's probes from this address (https://istio.io/latest/docs/ambient/usage/networkpolicy/). */
const KUBELET = '169.254.7.127'
const TUNNEL = 15008

export function* findAmbient(situation: Situation): Iterable<readonly Finding[]> {
  const policies = policiesOf(situation.estate)
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => judgeUnit(workload, unit, policies.get(workload.namespace)))
}

function judgeUnit(workload: Workload, unit: Unit, policies: SelectorIndex<IngressPolicy> | undefined) {
  if (unit.mesh.kind !== 'ambient' || policies === undefined) return []
  const selecting = policies.selecting(unit.labels).filter(({ selector }) => matches(selector, unit.labels))
  const [first] = selecting
  if (first === undefined) return []
  const rules = selecting.flatMap((policy) => policy.rules)
  return [...tunnel(first.object, rules, workload), ...probes(first.object, rules, workload, unit)]
}

/** A NetworkPolicy that limits what reaches its pods. */
interface IngressPolicy {
  readonly object: JsonObject
  readonly namespace: string
  readonly selector: LabelSelector
  readonly rules: readonly Json[]
}

const POLICIES = new WeakMap<Estate, ReadonlyMap<string, SelectorIndex<IngressPolicy>>>()

function policiesOf(estate: Estate): ReadonlyMap<string, SelectorIndex<IngressPolicy>> {
  const known = POLICIES.get(estate)
  if (known !== undefined) return known
  const read = estate.inventory.list('networkPolicies').filter(isIngress).flatMap(readPolicy)
  const indexes = new Map(
    [...groupBy(read, ({ namespace }) => namespace)].map(([namespace, policies]) => [
      namespace,
      indexBySelector(policies, ({ object }) => stringMap(memberAt(object, 'spec', 'podSelector', 'matchLabels'))),
    ]),
  )
  POLICIES.set(estate, indexes)
  return indexes
}

function isIngress(policy: JsonObject): boolean {
  const types = arrayMember(member(policy, 'spec'), 'policyTypes')
  return types.length === 0 || types.includes('Ingress')
}

function readPolicy(object: JsonObject): readonly IngressPolicy[] {
  const selector = parseSelector(memberAt(object, 'spec', 'podSelector'))
  if (isProblem(selector)) return []
  const { namespace } = referenceTo(object)
  return [{ object, namespace, selector, rules: arrayMember(member(object, 'spec'), 'ingress') }]
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

function probes(policy: JsonObject, rules: readonly Json[], workload: Workload, unit: Unit): readonly Finding[] {
  return unit.pod.containers.flatMap((container) =>
    container.checks.flatMap((check) => {
      const { port, handler } = readCheckFacts(container, check)
      if (port === undefined || isProblem(handler) || isHook(check.slot)) return []
      const name = containerPorts(unit.pod).find(({ number }) => number === port)?.name
      if (rules.some((rule) => admitsPort(rule, port, name) && admitsKubelet(rule))) return []
      return [
        finding('network-policy-blocks-probes', {
          object: referenceTo(policy),
          container: container.name,
          slot: check.slot,
          port,
          about: workload.reference.name,
          message: `No NetworkPolicy allows ${KUBELET} to reach port ${port} of ${describe(workload.reference)}. In ambient mode kubelet's ${check.slot} comes from that address.`,
          fix: `Add {from: [{ipBlock: {cidr: ${KUBELET}/32}}, {ipBlock: {cidr: "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"}}]} to spec.ingress.`,
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

function admitsKubelet(rule: Json): boolean {
  const from = arrayMember(rule, 'from')
  return from.length === 0 || from.some((peer) => admitsAddress(member(peer, 'ipBlock')))
}

function admitsAddress(block: Json | undefined): boolean {
  const except = arrayMember(block, 'except').filter((entry) => typeof entry === 'string')
  return parseRanges(stringMember(block, 'cidr') ?? '').has(KUBELET) && !parseRanges(except.join(',')).has(KUBELET)
}
