/** Finds what breaks under a new PeerAuthentication and does not break without it. */
import type { PeerAuthentication } from '../../istio/declared-policy.ts'
import { indexNamespace, type PolicyIndex } from '../../istio/policy-index.ts'
import type { Steps } from '../../kubernetes/steps.ts'
import { assessInSteps, assumingStrict } from '../../readiness/assess.ts'
import { buildEstate, buildEstateInSteps, type Estate } from '../../readiness/estate.ts'
import { findingKey, type Finding } from '../../readiness/finding.ts'
import type { FindingCode } from '../../readiness/finding-codes.ts'
import type { Inventory } from '../../readiness/inventory.ts'
import { situationOf } from '../../readiness/situation.ts'
import { unknownProbes } from '../../readiness/topics/probes.ts'
import type { RuleConfiguration } from '../configuration.ts'

export interface SwitchEffect {
  /** New errors, the worst object first. */
  readonly broken: readonly Finding[]
  /** The number of new warnings. */
  readonly warned: number
  /** The number of namespaces for which it is unknown whether Istio rewrites probes that would break. */
  readonly unknown: number
  /** Kinds that could not be read: their findings are unknown. */
  readonly unread: readonly string[]
  /** Whether the policy refuses traffic that is accepted now. A looser policy is never denied. */
  readonly isTightening: boolean
  /** Whether the policy sets STRICT at all. */
  readonly isStrict: boolean
  /** The namespace that is switched; undefined for the mesh. */
  readonly scope: string | undefined
}

/** Findings that loosening can cause: clients that require mutual TLS, and policies that hide others. */
const BY_LOOSENING: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'destination-rule-mtls-refused',
  'policy-shadowed',
])

export function* compareSwitch(
  policy: PeerAuthentication,
  inventory: Inventory,
  configuration: RuleConfiguration,
): Steps<SwitchEffect> {
  const estate = yield* estateOf(inventory)
  const isMesh = policy.namespace === estate.rootNamespace && policy.matchLabels.size === 0
  const scope = isMesh ? undefined : policy.namespace
  const after = situationOf(estate, withPolicy(policy, inventory), configuration, scope)
  const former = situationOf(estate, inventory.policies, configuration, scope)
  const found = yield* assessInSteps(after)
  const known = new Set(found.length === 0 ? [] : (yield* assessInSteps(former)).map(findingKey))
  yield
  const fresh = found.filter((finding) => !known.has(findingKey(finding)))
  const broken = fresh.filter(({ severity }) => severity === 'error')
  const unknownBefore = unknownProbes(former)
  return {
    broken: worstObjectFirst(broken),
    warned: fresh.filter(({ severity }) => severity === 'warn').length,
    unknown: [...unknownProbes(after).keys()].filter((namespace) => !unknownBefore.has(namespace)).length,
    unread: inventory.unreadKinds,
    isTightening: broken.some(({ code }) => !BY_LOOSENING.has(code)),
    isStrict: [policy.mode, ...policy.portLevel.values()].includes('STRICT'),
    scope,
  }
}

/** An estate that is built once for each state of the cluster, by all reviews that wait for it. */
interface Building {
  /** Steps that threw end without a value. */
  readonly steps: Steps<Estate | undefined>
  estate: Estate | undefined
}

/** Gets ready for the first review of a state, which would otherwise wait for it. */
export function* prepareGuard(inventory: Inventory): Steps<void> {
  yield* estateOf(inventory)
}

/** The same, and judges the mesh as though it were STRICT: the first time takes ten times as long as the next. */
export function* rehearseGuard(inventory: Inventory, configuration: RuleConfiguration): Steps<void> {
  const estate = yield* estateOf(inventory)
  yield* assessInSteps(situationOf(estate, assumingStrict(inventory.policies, estate.rootNamespace), configuration))
}

const BUILDINGS = new WeakMap<Inventory, Building>()

function* estateOf(inventory: Inventory): Steps<Estate> {
  const building = BUILDINGS.get(inventory) ?? { steps: buildEstateInSteps(inventory), estate: undefined }
  BUILDINGS.set(inventory, building)
  while (building.estate === undefined) {
    const step = building.steps.next()
    if (step.done !== true) yield
    else building.estate = step.value ?? buildEstate(inventory)
  }
  return building.estate
}

/** Returns the policies after the write. An update keeps the policy's age; a new policy is the newest. */
function withPolicy(policy: PeerAuthentication, inventory: Inventory): PolicyIndex {
  const own = inventory.list('policies').filter(({ namespace }) => namespace === policy.namespace)
  const former = own.find(({ name }) => name === policy.name)
  const written = { ...policy, createdAt: former?.createdAt ?? policy.createdAt }
  const replaced = indexNamespace([...own.filter((known) => known !== former), written])
  return { get: (namespace) => (namespace === policy.namespace ? replaced : inventory.policies.get(namespace)) }
}

/** Findings that prevent pod creation lead, then the object with the most findings. */
function worstObjectFirst(findings: readonly Finding[]): readonly Finding[] {
  const weight = new Map<string, number>()
  for (const { object } of findings) weight.set(keyOf(object), (weight.get(keyOf(object)) ?? 0) + 1)
  const rank = ({ code, object }: Finding) =>
    code === 'webhook-blocks-pods' ? Infinity : (weight.get(keyOf(object)) ?? 0)
  return findings.toSorted((left, right) => (rank(left) === rank(right) ? 0 : rank(right) - rank(left)))
}

function keyOf({ kind, namespace, name }: Finding['object']): string {
  return `${kind}/${namespace}/${name}`
}
