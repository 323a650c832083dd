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
import { blockingPolicy, type BlockingPolicy } from './authorization.ts'
import type { PlainRequest } from './request-match.ts'
import { fixOf, rewrittenFix } from './probe-fix.ts'
import { isServed, networkChecks, rescueOf, type NetworkFacts, type Place } from './probe-rescue.ts'

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
  // Of a TLS handshake that gets an HTTP answer, kubelet tries a hook again in plain text.
  if (isMisdeclared(handler, protocol) && !(isHook(check.slot) && found.decision.mode === 'DISABLE'))
    return misdeclared(facts, place, protocol)
  const request = requestOf(handler, port, protocol)
  // Any answer of HTTP, 403 as well, is a success of a hook.
  if (isHook(check.slot) && request.http !== undefined) return undefined
  const policy = blockingPolicy(workload, unit, request, situation)
  return policy === undefined ? undefined : denied(facts, place, policy)
}

function misdeclared(facts: NetworkFacts, place: Place, protocol: Protocol | undefined): Finding {
  const { handler, port } = facts
  const [spoken, right] = handler.kind === 'grpc' ? ['gRPC', 'grpc'] : ['HTTPS', 'https']
  return report(
    'probe-fails-already',
    facts,
    place,
    `${label(facts)} fails in every mode: a Service declares port ${port} as ${protocol === 'http' ? 'HTTP' : 'HTTP/2'}, but the probe speaks ${spoken}.`,
    `Declare the real protocol of port ${port} in the Service, for example appProtocol: ${right}.`,
  )
}

function denied(facts: NetworkFacts, place: Place, { name, action }: BlockingPolicy): Finding {
  const { port } = facts
  const why =
    action === 'DENY' ? `AuthorizationPolicy ${name} denies it` : `AuthorizationPolicy ${name} does not allow it`
  const allow =
    action === 'DENY'
      ? `leave the probe of port ${port} out of ${name}`
      : `allow port ${port} without a source in ${name}`
  return report(
    'authorization-policy-blocks-probe',
    facts,
    place,
    `${label(facts)} on port ${port} is denied: kubelet has no mesh identity, and ${why}.`,
    `Let Istio serve the probe (annotation ${REWRITE_PROBES}: "true"), or ${allow}.`,
  )
}

/** What the proxy reads of the probe: TLS, and every port declared as TCP, are bytes to it. */
function requestOf(handler: NetworkHandler, port: number, protocol: Protocol | undefined): PlainRequest {
  if (protocol === 'tcp' || handler.kind === 'tcpSocket') return { port, http: undefined }
  if (handler.kind === 'grpc')
    return { port, http: { method: 'POST', path: '/grpc.health.v1.Health/Check', host: undefined } }
  if (handler.scheme === 'HTTPS') return { port, http: undefined }
  const host = handler.headers.find(({ name }) => name.toLowerCase() === 'host')?.value
  return { port, http: { method: 'GET', path: handler.path, host } }
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
      rewrittenFix(unit),
    )
  if (handler.kind === 'tcpSocket')
    return report(
      'probe-always-passes',
      facts,
      place,
      `${label(facts)} always passes: the sidecar answers every TCP handshake on captured port ${port}.`,
      fixOf(place, rescue),
    )
  const why = describeReception(port, decision)
  if (isHook(check.slot))
    return report(
      'hook-fails',
      facts,
      place,
      `${label(facts)} fails: ${why}, and kubelet has no mesh certificate.`,
      fixOf(place, rescue),
    )
  if (unit.isRunning && rescue.by !== 'none')
    return report(
      'probe-fails-until-recreated',
      facts,
      place,
      `${label(facts)} of the running pods fails: ${why}; in new pods ${rescue.by === 'istio' ? 'Istio' : 'istio-onramp'} rewrites it.`,
      fixOf(place, rescue),
    )
  return report(
    'probe-fails',
    facts,
    place,
    `${label(facts)} fails: ${why}, and kubelet has no mesh certificate.`,
    fixOf(place, rescue),
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
