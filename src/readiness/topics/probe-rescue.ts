/** The probes of a pod that call it over the network, and who repairs those that STRICT breaks: Istio or our webhook. */
import { isRewrittenKind } from '../../istio/agent-probe.ts'
import type { NetworkHandler } from '../../kubernetes/handler.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { readCheckFacts, type CheckFacts } from '../../rules/probes/check-facts.ts'
import { probesRule } from '../../rules/probes/probes-rule.ts'
import { covers } from '../callback.ts'
import { reception, type ProbeDecisions, type Situation } from '../situation.ts'
import type { Unit, UnitSidecar, Workload } from '../workload.ts'

export type NetworkFacts = CheckFacts & { readonly handler: NetworkHandler; readonly port: number }

/** The pod and the state of the cluster in which a probe is judged. */
export interface Place {
  readonly workload: Workload
  readonly unit: Unit
  readonly situation: Situation
}

/** Returns the probes and hooks that call the pod itself over the network. Istio's own containers are skipped. */
export function networkChecks({ mesh, pod }: Unit): readonly NetworkFacts[] {
  if (mesh.kind !== 'sidecar') return []
  return pod.containers
    .filter(({ name }) => !name.startsWith('istio-'))
    .flatMap((container) => container.checks.map((check) => readCheckFacts(container, check)))
    .flatMap((facts) => asNetwork(facts) ?? [])
}

function asNetwork(facts: CheckFacts): NetworkFacts | undefined {
  const { handler, port } = facts
  if (isProblem(handler) || handler.kind === 'exec' || handler.kind === 'sleep' || port === undefined) return undefined
  if (handler.kind !== 'grpc' && handler.host !== '') return undefined
  return { ...facts, handler, port }
}

/**
 * Whether Istio will serve the probe of a pod still to be created: it moves the probe to its agent, which accepts plain
 * text.
 */
export function isServed(
  facts: CheckFacts,
  unit: Unit,
  { rewriting, isInjected }: UnitSidecar,
  situation: Situation,
): boolean {
  if (unit.isRunning || !isInjected || rewriting.state !== 'on' || rewriting.statusPort === 0) return false
  if (isProblem(facts.handler)) return false
  if (!isRewrittenKind(facts.handler, facts.container, facts.check.slot, rewriting.version)) return false
  return reception(unit, rewriting.statusPort, situation).kind !== 'closed'
}

export interface Rescue {
  readonly by: 'istio' | 'webhook' | 'none'
  readonly how: string
}

/**
 * Returns how a pod created from now on is repaired: by Istio, otherwise by our webhook if it is installed and selects
 * the pod.
 */
export function rescueOf(facts: NetworkFacts, { workload, unit, situation }: Place): Rescue {
  const unrescued: Rescue = { by: 'none', how: '' }
  const next = unit.isRunning ? workload.template : unit
  if (next?.mesh.kind !== 'sidecar') return unrescued
  const container = next.pod.containers.find(({ name }) => name === facts.container.name)
  const check = container?.checks.find(({ slot }) => slot === facts.check.slot)
  if (container === undefined || check === undefined) return unrescued
  const upcoming = readCheckFacts(container, check)
  if (unit.isRunning && isServed(upcoming, next, next.mesh.sidecar, situation)) return { by: 'istio', how: 'agent' }
  return rescueByWebhook(facts, next, situation) ?? unrescued
}

function rescueByWebhook(facts: NetworkFacts, next: Unit, situation: Situation): Rescue | undefined {
  const { rewrites } = situation.known
  const decisions = rewrites.get(next) ?? decideRewrites(next, situation)
  rewrites.set(next, decisions)
  const decision = decisions.find(
    ({ container, slot }) => container === facts.container.name && slot === facts.check.slot,
  )
  if (decision === undefined || (decision.action !== 'rewrite' && decision.action !== 'annotate')) return undefined
  return { by: 'webhook', how: decision.strategy ?? 'exec' }
}

/** Returns what our webhook decides on the pod's probes and hooks; nothing if it does not select the pod. */
function decideRewrites(next: Unit, { estate, policies, configuration }: Situation): ProbeDecisions {
  const { inventory } = estate
  const space = inventory.namespace(next.namespace)
  const isCovered = inventory.list('ownWebhooks').some((webhook) => covers(webhook, space.labels, next.pod.labels))
  if (!isCovered) return []
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: metadataOf(next), spec: next.pod.spec }
  const reference = { apiVersion: 'v1', kind: 'Pod', namespace: next.namespace, name: '*' }
  const mesh = withPolicies(inventory, policies)
  const request = { operation: 'CREATE', reference, object, oldObject: undefined, user: '' } as const
  return probesRule.apply(request, { mesh, configuration }).decisions
}

/**
 * Returns the mesh with other policies. It inherits from the inventory, because the inventory's members are getters.
 */
function withPolicies(inventory: Situation['estate']['inventory'], policies: Situation['policies']) {
  return Object.create(inventory, { policies: { value: policies } }) as typeof inventory
}

function metadataOf({ pod, namespace }: Unit) {
  return { namespace, labels: Object.fromEntries(pod.labels), annotations: Object.fromEntries(pod.annotations) }
}
