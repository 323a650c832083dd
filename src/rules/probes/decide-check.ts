/**
 * The decision about one probe or hook. A check breaks under STRICT iff the pod has a sidecar, the port is redirected into
 * it, the mode of that port is STRICT, and nothing serves the check past the mesh (design.md "Probe strategies",
 * spec/istio.md section 0 and 7, spec/ground-truth.md sections 1 to 3). Only a check that breaks is touched.
 */
import { isHook } from '../../kubernetes/container.ts'
import type { Handler, NetworkHandler } from '../../kubernetes/handler.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { isAgentProbe, isRewrittenKind } from '../../istio/agent-probe.ts'
import { uncapturedBecause } from '../../istio/capture.ts'
import { modeOfPort, type ModeDecision } from '../../istio/peer-authentication.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import type { Reason } from '../reasons.ts'
import type { Strategy } from '../rule.ts'
import type { CheckFacts } from './check-facts.ts'
import type { PodFacts } from './pod-facts.ts'
import { isProberPathTaken } from './prober-mount.ts'
import { isPodIpVariableTaken } from './prober-names.ts'

export type CheckDecision =
  | {
      readonly action: 'leave'
      readonly reason: Reason
      readonly strategy?: Strategy
      readonly cause?: Reason
      readonly evidence?: string
    }
  | { readonly action: 'rewrite'; readonly strategy: 'exec'; readonly reason: Reason; readonly evidence: string }
  | {
      readonly action: 'rewrite'
      readonly strategy: 'port'
      readonly reason: Reason
      readonly evidence: string
      readonly port: number
    }
  | { readonly action: 'annotate'; readonly strategy: 'agent'; readonly reason: Reason; readonly evidence: string }

/**
 * | first match wins                                  | leave because      |
 * |---------------------------------------------------|--------------------|
 * | not what Kubernetes allows there                  | malformed          |
 * | our exec stands there                             | already-rewritten  |
 * | exec or sleep                                     | local-handler      |
 * | Istio's own container                             | istio-container    |
 * | namespace exempt / setting off                    | exempt-namespace / off |
 * | ambient / no sidecar / Istio refuses the pod      | ambient / no-sidecar / istio-refuses-pod |
 * | points at the agent                               | served-by-agent    |
 * | tcpSocket hook                                    | tcp-hook           |
 * | other host / no such port name                    | other-host / unresolvable-port |
 * | port not redirected / mode not STRICT             | not-captured / not-strict |
 * | Windows                                           | windows            |
 * otherwise it breaks, and the strategy is chosen below.
 */
export function decideCheck(facts: CheckFacts, pod: PodFacts): CheckDecision {
  const { handler, container } = facts
  if (isProblem(handler)) return leave('malformed', `${handler.field} ${handler.problem}`.trim())
  if (facts.ours === 'alone') return { action: 'leave', reason: 'already-rewritten', strategy: 'exec' }
  if (handler.kind === 'exec' || handler.kind === 'sleep') return leave('local-handler', handler.kind)
  if (isIstioContainer(container.name)) return leave('istio-container', container.name)
  const outside = outsideTheMesh(pod)
  if (outside !== undefined) return outside
  if (pod.sidecar.state !== 'present') return leave('no-sidecar', pod.sidecar.evidence)
  const working = alreadyWorks(facts, handler, pod.sidecar)
  if (working !== undefined) return working
  return decidePort({ ...facts, handler }, pod, pod.sidecar)
}

function leave(reason: Reason, evidence: string): CheckDecision {
  return { action: 'leave', reason, evidence }
}

function isIstioContainer(name: string): boolean {
  return name === 'istio-proxy' || name === 'istio-init' || name === 'istio-validation'
}

function outsideTheMesh(pod: PodFacts): CheckDecision | undefined {
  if (pod.isExempt) return leave('exempt-namespace', 'exemptNamespaces')
  if (pod.setting === 'off') return leave('off', 'istio-onramp.io/probes')
  if (pod.isAmbient) return leave('ambient', 'istio.io/dataplane-mode: ambient')
  if (pod.sidecar.state === 'absent') return leave('no-sidecar', pod.sidecar.evidence)
  if (pod.sidecar.state === 'refused') return leave('istio-refuses-pod', pod.sidecar.evidence)
  return undefined
}

function alreadyWorks(facts: CheckFacts, handler: NetworkHandler, sidecar: PresentSidecar): CheckDecision | undefined {
  const { container, check, port } = facts
  if (isAgentProbe(handler, container, check.slot, sidecar.controlPlane.statusPort))
    return leave('served-by-agent', `port ${handler.port}`)
  if (isHook(check.slot) && handler.kind === 'tcpSocket') return leave('tcp-hook', check.slot)
  if (handler.kind !== 'grpc' && handler.host !== '') return leave('other-host', handler.host)
  if (port === undefined) return leave('unresolvable-port', `port ${JSON.stringify(handler.port)}`)
  const uncaptured = uncapturedBecause(sidecar.capture, port)
  return uncaptured === undefined ? undefined : leave('not-captured', uncaptured)
}

type NetworkCheck = CheckFacts & { readonly handler: NetworkHandler }

function decidePort(facts: NetworkCheck, pod: PodFacts, sidecar: PresentSidecar): CheckDecision {
  const port = facts.port ?? 0
  const inForce = pod.modes && modeOfPort(pod.modes, port)
  const prepared = pod.preparedModes && modeOfPort(pod.preparedModes, port)
  if (prepared === undefined || prepared.mode !== 'STRICT') return leave('not-strict', describeMode(port, prepared))
  if (pod.isWindows) return leave('windows', 'kubernetes.io/os: windows')
  const evidence = describeMode(port, prepared)
  if (inForce?.mode !== 'STRICT') return chooseStrategy(facts, pod, sidecar, 'prepare-strict', evidence)
  const reason = facts.handler.kind === 'tcpSocket' ? 'strict-mtls-tcp' : 'strict-mtls'
  return chooseStrategy(facts, pod, sidecar, reason, evidence)
}

function describeMode(port: number, decision: ModeDecision | undefined): string {
  if (decision === undefined) return `port ${port}`
  return `port ${port} is ${decision.mode} by ${decision.policy ?? "Istio's default"}`
}

/**
 * | setting | Istio serves it | the pod names a port without mTLS | strategy                    |
 * |---------|-----------------|-----------------------------------|-----------------------------|
 * | auto    | yes             | any                               | leave                       |
 * | auto    | no or unknown   | yes                               | port                        |
 * | auto    | no or unknown   | no                                | exec                        |
 * | port    | any             | yes / no                          | port / exec                 |
 * | exec    | any             | any                               | exec                        |
 * | agent   | yes / no        | any                               | leave / agent, else exec    |
 */
function chooseStrategy(
  facts: NetworkCheck,
  pod: PodFacts,
  sidecar: PresentSidecar,
  reason: Reason,
  evidence: string,
): CheckDecision {
  const { setting } = pod
  if ((setting === 'auto' || setting === 'agent') && isServedByIstio(facts, facts.handler, pod, sidecar))
    return leave('istio-rewrites', sidecar.rewriting.evidence)
  if (setting === 'agent' && agentCanServe(facts, facts.handler, sidecar))
    return { action: 'annotate', strategy: 'agent', reason, evidence }
  const port = pod.probePorts.forContainer(facts.container.name)
  if ((setting === 'auto' || setting === 'port') && port !== undefined && canMoveTo(port, facts.handler, pod, sidecar))
    return { action: 'rewrite', strategy: 'port', reason, evidence, port }
  if (pod.isProberNameTaken || isPodIpVariableTaken(facts.container))
    return leave('prober-name-taken', facts.container.name)
  if (isProberPathTaken(facts.container)) return leave('prober-path-taken', facts.container.name)
  return { action: 'rewrite', strategy: 'exec', reason, evidence }
}

/** Istio's rewriting has to be known, to cover this kind of handler, and to lead to a port that is not STRICT itself. */
function isServedByIstio(facts: CheckFacts, handler: Handler, pod: PodFacts, sidecar: PresentSidecar): boolean {
  const { rewriting } = sidecar
  if (rewriting.state !== 'on' || rewriting.statusPort === 0) return false
  if (!isRewrittenKind(handler, facts.container, facts.check.slot, rewriting.version)) return false
  return admitsPlainText(rewriting.statusPort, pod, sidecar)
}

/** The annotation reaches only a pod that Istio's webhook still has to inject. */
function agentCanServe(facts: CheckFacts, handler: Handler, sidecar: PresentSidecar): boolean {
  const version = sidecar.controlPlane.injector?.version
  return sidecar.isInjected && isRewrittenKind(handler, facts.container, facts.check.slot, version)
}

/** On a redirected port a tcpSocket check is answered by the proxy in every mode, so it has to be one that is not. */
function canMoveTo(port: number, handler: NetworkHandler, pod: PodFacts, sidecar: PresentSidecar): boolean {
  if (handler.kind === 'tcpSocket') return uncapturedBecause(sidecar.capture, port) !== undefined
  return admitsPlainText(port, pod, sidecar)
}

function admitsPlainText(port: number, pod: PodFacts, sidecar: PresentSidecar): boolean {
  if (uncapturedBecause(sidecar.capture, port) !== undefined) return true
  return pod.preparedModes !== undefined && modeOfPort(pod.preparedModes, port).mode !== 'STRICT'
}
