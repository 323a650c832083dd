/**
 * kubelet's probes and hooks: which fail under STRICT, always pass, or fail in every mode, and which our webhook
 * rewrites.
 */
import { isRewrittenKind } from '../../istio/agent-probe.ts'
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import { isHook, type Container } from '../../kubernetes/container.ts'
import type { NetworkHandler } from '../../kubernetes/handler.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { readCheckFacts, type CheckFacts } from '../../rules/probes/check-facts.ts'
import { probesRule } from '../../rules/probes/probes-rule.ts'
import { covers } from '../callback.ts'
import { finding, type Finding } from '../finding.ts'
import type { FindingCode } from '../finding-codes.ts'
import type { Protocol } from '../service.ts'
import { targetPort } from '../container-port.ts'
import { describeReception, reception, workloadsInScope, type Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { blockingPolicy } from './authorization.ts'

export function findProbes(situation: Situation): readonly Finding[] {
  return workloadsInScope(situation).flatMap((workload) =>
    workload.units.flatMap((unit) =>
      checksOf(unit).flatMap((facts) => judge(facts, { workload, unit, situation }) ?? []),
    ),
  )
}

/** Returns the namespaces with a probe that may or may not be rewritten by Istio, each with one example. */
export function unknownProbes(situation: Situation): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const workload of workloadsInScope(situation))
    for (const unit of workload.units) {
      if (found.has(workload.namespace) || unit.mesh.kind !== 'sidecar' || unit.isRunning) continue
      if (unit.mesh.sidecar.rewriting.state !== 'unknown') continue
      const check = checksOf(unit).find((facts) => breaks(facts, unit, situation) !== undefined)
      if (check !== undefined)
        found.set(
          workload.namespace,
          `${workload.reference.kind} ${workload.reference.name}, ${check.container.name} ${check.check.slot}`,
        )
    }
  return found
}

interface Place {
  readonly workload: Workload
  readonly unit: Unit
  readonly situation: Situation
}

type NetworkFacts = CheckFacts & { readonly handler: NetworkHandler; readonly port: number }

/** Returns the probes and hooks that call the pod itself over the network. Istio's own containers are skipped. */
function checksOf({ pod, mesh }: Unit): readonly NetworkFacts[] {
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
 * | first match wins                                          | finding                           |
 * |-----------------------------------------------------------|-----------------------------------|
 * | tcpSocket hook that Istio does not rewrite                | tcp-hook-fails                    |
 * | Istio serves it, or the port is not captured              | none                              |
 * | whether Istio rewrites it is not known                    | none here: `unknownProbes`        |
 * | captured, tcpSocket                                       | probe-always-passes, or rewritten |
 * | captured, STRICT                                          | probe-fails..., hook-fails        |
 * | captured, other mode, protocol declared wrongly           | probe-fails-already               |
 * | captured, other mode, an AuthorizationPolicy in the way   | authorization-policy-blocks-probe |
 */
function judge(facts: NetworkFacts, place: Place): Finding | undefined {
  const { workload, unit, situation } = place
  const { mesh } = unit
  if (mesh.kind !== 'sidecar') return undefined
  const { handler, check, port } = facts
  if (isHook(check.slot) && handler.kind === 'tcpSocket')
    return isServed(facts, unit, mesh.sidecar, situation)
      ? undefined
      : report(
          'tcp-hook-fails',
          facts,
          place,
          `${label(facts)} uses tcpSocket, which kubelet does not support for hooks.`,
          'Use an exec, httpGet or sleep hook.',
        )
  if (isServed(facts, unit, mesh.sidecar, situation)) return undefined
  if (!unit.isRunning && mesh.sidecar.rewriting.state === 'unknown') return undefined
  const found = reception(unit, port, situation)
  if (found.kind === 'direct') return undefined
  if (handler.kind === 'tcpSocket' || found.kind === 'closed') return judgeBroken(facts, place, found.decision)
  const protocol = declaredProtocol(workload, unit, port, situation)
  if (isMisdeclared(handler, protocol))
    return report(
      'probe-fails-already',
      facts,
      place,
      `${label(facts)} fails in every mode: a Service declares port ${port} as ${protocol === 'http' ? 'HTTP' : 'HTTP/2'}, but the probe speaks ${handler.kind === 'grpc' ? 'gRPC' : 'HTTPS'}.`,
      `Declare the real protocol of port ${port} in the Service, for example appProtocol: ${handler.kind === 'grpc' ? 'grpc' : 'https'}.`,
    )
  const policy = blockingPolicy(workload, unit, port, handler.kind === 'httpGet' ? handler.path : undefined, situation)
  if (policy === undefined) return undefined
  return report(
    'authorization-policy-blocks-probe',
    facts,
    place,
    `${label(facts)} on port ${port} is denied: kubelet has no mesh identity, and AuthorizationPolicy ${policy} requires one.`,
    `Let Istio serve the probe (annotation ${REWRITE_PROBES}: "true"), or allow port ${port} without a source in ${policy}.`,
  )
}

function judgeBroken(facts: NetworkFacts, place: Place, decision: Parameters<typeof describeReception>[1]): Finding {
  const { unit } = place
  const { handler, check, port } = facts
  const rescue = rescueOf(facts, place)
  if (rescue.by === 'webhook' && !unit.isRunning)
    return report(
      'probe-rewritten',
      facts,
      place,
      `${label(facts)} would fail (${describeReception(port, decision)}); the istio-onramp webhook rewrites it (${rescue.how}) when the pod is created.`,
      'Nothing to do while the webhook is installed.',
    )
  if (handler.kind === 'tcpSocket')
    return report(
      'probe-always-passes',
      facts,
      place,
      `${label(facts)} always passes: the sidecar answers every TCP handshake on captured port ${port}.`,
      fixOf(facts, place, rescue),
    )
  const why = describeReception(port, decision)
  if (isHook(check.slot))
    return report(
      'hook-fails',
      facts,
      place,
      `${label(facts)} fails: ${why}, and kubelet has no mesh certificate.`,
      fixOf(facts, place, rescue),
    )
  if (unit.isRunning && rescue.by !== 'none')
    return report(
      'probe-fails-until-recreated',
      facts,
      place,
      `${label(facts)} of the running pods fails: ${why}; in new pods ${rescue.by === 'istio' ? 'Istio' : 'istio-onramp'} rewrites it.`,
      fixOf(facts, place, rescue),
    )
  return report(
    'probe-fails',
    facts,
    place,
    `${label(facts)} fails: ${why}, and kubelet has no mesh certificate.`,
    fixOf(facts, place, rescue),
  )
}

/** Whether the probe would hit a STRICT port unless it is rewritten. */
function breaks(facts: NetworkFacts, unit: Unit, situation: Situation): true | undefined {
  return reception(unit, facts.port, situation).kind === 'closed' ? true : undefined
}

/**
 * Whether Istio will serve the probe of a pod still to be created: it moves the probe to its agent, which accepts plain
 * text.
 */
function isServed(
  facts: CheckFacts,
  unit: Unit,
  { rewriting, isInjected }: PresentSidecar,
  situation: Situation,
): boolean {
  if (unit.isRunning || !isInjected || rewriting.state !== 'on' || rewriting.statusPort === 0) return false
  if (isProblem(facts.handler)) return false
  if (!isRewrittenKind(facts.handler, facts.container, facts.check.slot, rewriting.version)) return false
  return reception(unit, rewriting.statusPort, situation).kind !== 'closed'
}

interface Rescue {
  readonly by: 'istio' | 'webhook' | 'none'
  readonly how: string
}

/**
 * Returns how a pod created from now on is repaired: by Istio, otherwise by our webhook if it is installed and selects
 * the pod.
 */
function rescueOf(facts: NetworkFacts, { workload, unit, situation }: Place): Rescue {
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

function rescueByWebhook(
  facts: NetworkFacts,
  next: Unit,
  { estate, policies, configuration }: Situation,
): Rescue | undefined {
  const { inventory } = estate
  const space = inventory.namespace(next.namespace)
  const isCovered = inventory.list('ownWebhooks').some((webhook) => covers(webhook, space.labels, next.pod.labels))
  if (!isCovered) return undefined
  const object = { apiVersion: 'v1', kind: 'Pod', metadata: metadataOf(next), spec: next.pod.spec }
  const reference = { apiVersion: 'v1', kind: 'Pod', namespace: next.namespace, name: '*' }
  const mesh = withPolicies(inventory, policies)
  const { decisions } = probesRule.apply(
    { operation: 'CREATE', reference, object, oldObject: undefined, user: '' },
    { mesh, configuration },
  )
  const decision = decisions.find(
    ({ container, slot }) => container === facts.container.name && slot === facts.check.slot,
  )
  if (decision === undefined || (decision.action !== 'rewrite' && decision.action !== 'annotate')) return undefined
  return { by: 'webhook', how: decision.strategy ?? 'exec' }
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

/** Returns the protocol that the workload's Services declare for the container port; undefined if none targets it. */
function declaredProtocol(workload: Workload, unit: Unit, port: number, { estate }: Situation): Protocol | undefined {
  for (const service of estate.servicesSelecting(workload))
    for (const entry of service.ports) if (targetPort(entry, unit) === port) return entry.protocol
  return undefined
}

function isMisdeclared(handler: NetworkHandler, protocol: Protocol | undefined): boolean {
  if (handler.kind === 'grpc') return protocol === 'http'
  return handler.kind === 'httpGet' && handler.scheme === 'HTTPS' && (protocol === 'http' || protocol === 'http2')
}

function label({ container, check }: { readonly container: Container; readonly check: CheckFacts['check'] }): string {
  return `The ${check.slot} of container ${container.name}`
}

/** Suggests the cheapest fix first: if the pod opts out of Istio's rewriting, opt in again. */
function fixOf(facts: NetworkFacts, { workload, unit }: Place, rescue: Rescue): string {
  const { kind, name, namespace } = workload.reference
  const next = unit.isRunning ? (workload.template ?? unit) : unit
  const restart =
    kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet'
      ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
      : `recreate the pods of ${kind} ${namespace}/${name}`
  if (rescue.by !== 'none') return `Before the switch: ${restart}`
  const off = next.pod.annotations.get(REWRITE_PROBES)
  if (off !== undefined && off !== 'true')
    return `Remove the annotation ${REWRITE_PROBES}: "${off}" from the pod template, so that Istio serves the probe; or install istio-onramp and recreate the pods.`
  if (
    unit.isRunning &&
    facts.container.name !== '' &&
    workload.template?.mesh.kind === 'sidecar' &&
    workload.template.mesh.sidecar.rewriting.state === 'on'
  )
    return `Add the container before Istio's injector runs, or set reinvocationPolicy: IfNeeded on the injector, and recreate the pods; or install istio-onramp.`
  return `Add the annotation ${REWRITE_PROBES}: "true" to the pod template, so that Istio serves the probe; or install istio-onramp and recreate the pods.`
}

function report(code: FindingCode, facts: NetworkFacts, { workload }: Place, message: string, fix: string): Finding {
  return finding(code, {
    object: workload.reference,
    container: facts.container.name,
    slot: facts.check.slot,
    port: facts.port,
    message,
    fix,
    scope: workload.namespace,
  })
}
