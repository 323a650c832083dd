/**
 * kubelet's probes and hooks: which fail under STRICT, always pass, or fail in every mode, and which our webhook
 * rewrites.
 */
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import { isHook, type Container } from '../../kubernetes/container.ts'
import type { NetworkHandler } from '../../kubernetes/handler.ts'
import type { CheckFacts } from '../../rules/probes/check-facts.ts'
import { finding, type Finding } from '../finding.ts'
import type { FindingCode } from '../finding-codes.ts'
import type { Protocol } from '../service.ts'
import { targetPort } from '../container-port.ts'
import { describeReception, reception, workloadsInScope, type Situation } from '../situation.ts'
import type { Unit, Workload } from '../workload.ts'
import { blockingPolicy } from './authorization.ts'
import { isServed, networkChecks, rescueOf, type NetworkFacts, type Place, type Rescue } from './probe-rescue.ts'

export function* findProbes(situation: Situation): Iterable<readonly Finding[]> {
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) =>
      networkChecks(unit).flatMap((facts) => judge(facts, { workload, unit, situation }) ?? []),
    )
}

/** Returns the namespaces with a probe that may or may not be rewritten by Istio, each with one example. */
export function unknownProbes(situation: Situation): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const workload of workloadsInScope(situation))
    for (const unit of workload.units) {
      if (found.has(workload.namespace) || unit.mesh.kind !== 'sidecar' || unit.isRunning) continue
      if (unit.mesh.sidecar.rewriting.state !== 'unknown') continue
      const check = networkChecks(unit).find((facts) => breaks(facts, unit, situation) !== undefined)
      if (check !== undefined)
        found.set(
          workload.namespace,
          `${workload.reference.kind} ${workload.reference.name}, ${check.container.name} ${check.check.slot}`,
        )
    }
  return found
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
