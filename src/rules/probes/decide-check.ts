/**
 * Whether STRICT breaks a probe or hook. It does if and only if the pod has a sidecar, the port is redirected into it,
 * and the port's mode is STRICT (docs/facts/probes-under-strict.md). Only broken ones are changed; `choose-strategy.ts`
 * decides how.
 */
import { isHook } from '../../kubernetes/container.ts'
import type { NetworkHandler } from '../../kubernetes/handler.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { isAgentProbe } from '../../istio/agent-probe.ts'
import { uncapturedBecause } from '../../istio/capture.ts'
import { modeOfPort, type ModeDecision } from '../../istio/peer-authentication.ts'
import type { Reason } from '../reasons.ts'
import type { Strategy } from '../rule.ts'
import { isServedByIstio } from './agent-service.ts'
import { isNetworkCheck, type CheckFacts, type NetworkCheck } from './check-facts.ts'
import type { PodFacts, PodInside } from './pod-facts.ts'

export interface Left {
  readonly action: 'leave'
  readonly reason: Reason
  readonly strategy?: Strategy
  readonly cause?: Reason
  readonly evidence?: string
  /** The port that serves it: the port of Istio's agent. */
  readonly port?: number
}

/** It would fail, or always pass, under the modes in question. */
export interface Broken {
  readonly action: 'mend'
  readonly reason: Reason
  readonly evidence: string
  readonly facts: NetworkCheck
  readonly port: number
}

/**
 * | first match wins                                         | leave because                  |
 * |----------------------------------------------------------|--------------------------------|
 * | malformed                                                | malformed                      |
 * | the prober's exec                                        | already-rewritten              |
 * | exec or sleep                                            | local-handler                  |
 * | Istio's own container                                    | istio-container                |
 * | the pod is outside the mesh, or exempt                   | the pod's reason               |
 * | targets the agent                                        | served-by-agent                |
 * | tcpSocket hook                                           | tcp-hook                       |
 * | other host / no such port name                           | other-host / unresolvable-port |
 * | port not redirected                                      | not-captured                   |
 * | mode not STRICT: tcpSocket that Istio leaves / any other | tcp-always-passes / not-strict |
 * | Windows                                                  | windows                        |
 * | a field that this version does not know                  | unknown-field                  |
 *
 * Otherwise it breaks.
 */
export function judgeCheck(facts: CheckFacts, pod: PodFacts): Left | Broken {
  const { handler, container } = facts
  if (isProblem(handler)) return leave('malformed', `${handler.field} ${handler.problem}`.trim())
  if (facts.prober === 'alone') return { action: 'leave', reason: 'already-rewritten', strategy: 'exec' }
  if (!isNetworkCheck(facts)) return leave('local-handler', handler.kind)
  if (isIstioContainer(container.name)) return leave('istio-container', container.name)
  if (pod.mesh === 'outside') return leave(pod.reason, pod.evidence)
  return leftByHandler(facts, pod) ?? judgePort(facts, pod)
}

function leave(reason: Reason, evidence: string): Left {
  return { action: 'leave', reason, evidence }
}

export function isIstioContainer(name: string): boolean {
  return name === 'istio-proxy' || name === 'istio-init' || name === 'istio-validation'
}

function leftByHandler({ container, check, handler }: NetworkCheck, { sidecar }: PodInside): Left | undefined {
  if (isAgentProbe(handler, container, check.slot, sidecar.agent.statusPort))
    return leave('served-by-agent', `port ${handler.port}`)
  if (isHook(check.slot) && handler.kind === 'tcpSocket') return leave('tcp-hook', check.slot)
  return handler.kind !== 'grpc' && handler.host !== '' ? leave('other-host', handler.host) : undefined
}

function judgePort(facts: NetworkCheck, pod: PodInside): Left | Broken {
  const { port, handler, check } = facts
  if (port === undefined) return leave('unresolvable-port', `port ${JSON.stringify(handler.port)}`)
  const uncaptured = uncapturedBecause(pod.sidecar.capture, port)
  if (uncaptured !== undefined) return leave('not-captured', uncaptured)
  const prepared = modeOfPort(pod.prepared, port)
  const evidence = describeMode(port, prepared)
  if (prepared.mode !== 'STRICT') return leave(alwaysPasses(facts, pod) ? 'tcp-always-passes' : 'not-strict', evidence)
  if (pod.own.isWindows) return leave('windows', 'kubernetes.io/os: windows')
  if (check.unknownFields.length > 0) return leave('unknown-field', check.unknownFields.join(', '))
  return { action: 'mend', reason: reasonFor(handler, modeOfPort(pod.modes, port)), evidence, facts, port }
}

/** The sidecar completes every TCP handshake on a redirected port, in every mode. */
function alwaysPasses(facts: NetworkCheck, pod: PodInside): boolean {
  return facts.handler.kind === 'tcpSocket' && !isServedByIstio(facts, pod)
}

function reasonFor({ kind }: NetworkHandler, inForce: ModeDecision): Reason {
  if (inForce.mode !== 'STRICT') return 'prepare-strict'
  return kind === 'tcpSocket' ? 'strict-mtls-tcp' : 'strict-mtls'
}

function describeMode(port: number, { mode, policy }: ModeDecision): string {
  return `port ${port} is ${mode} by ${policy ?? "Istio's default"}`
}
