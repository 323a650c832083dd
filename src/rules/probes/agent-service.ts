/** Which probes and hooks Istio's agent serves, now and if the pod asked for it. */
import { agentObstacle, isRewrittenKind } from '../../istio/agent-probe.ts'
import { uncapturedBecause } from '../../istio/capture.ts'
import { modeOfPort, type WorkloadModes } from '../../istio/peer-authentication.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import { isHook } from '../../kubernetes/container.ts'
import type { NetworkCheck } from './check-facts.ts'
import type { PodInside } from './pod-facts.ts'

/**
 * Istio is known to rewrite this handler, and its agent can answer for it. A container that came after Istio has no entry in
 * the agent's list, and gets one only if Istio's webhook is called again (https://github.com/istio/istio/issues/36353).
 */
export function isServedByIstio(facts: NetworkCheck, { sidecar, prepared }: PodInside): boolean {
  const isTooLate = sidecar.isCarried && !sidecar.isReinvoked
  if (sidecar.rewriting.state !== 'on' || isTooLate) return false
  return touches(facts, sidecar) && obstacleTo(facts, sidecar, prepared) === undefined
}

/** Whether Istio's rewriting replaces the handler. */
export function touches({ handler, container, check }: NetworkCheck, { controlPlane }: PresentSidecar): boolean {
  return isRewrittenKind(handler, container, check.slot, controlPlane.injector?.version)
}

/** Why the agent of this sidecar cannot serve the check. */
export function obstacleTo(
  { handler, check, container }: NetworkCheck,
  sidecar: PresentSidecar,
  modes: WorkloadModes,
): string | undefined {
  const obstacle = agentObstacle(handler, check, container, sidecar)
  if (obstacle !== undefined) return obstacle
  const { statusPort } = sidecar.agent
  return admitsPlainText(statusPort, sidecar, modes) ? undefined : `its port ${statusPort} is STRICT itself`
}

/**
 * Why a pod should not ask Istio to serve the check. Beside a proxy that starts with the application and may end before it, a
 * hook can find no agent.
 */
export function obstacleToAsking(
  facts: NetworkCheck,
  sidecar: PresentSidecar,
  modes: WorkloadModes,
): string | undefined {
  if (!touches(facts, sidecar)) return 'Istio does not rewrite it'
  if (isHook(facts.check.slot) && !sidecar.isNative) return 'the proxy may not run when the hook does'
  return obstacleTo(facts, sidecar, modes)
}

/** Kubelet reaches the port without a mesh certificate. */
export function admitsPlainText(port: number, { capture }: PresentSidecar, modes: WorkloadModes): boolean {
  return uncapturedBecause(capture, port) !== undefined || modeOfPort(modes, port).mode !== 'STRICT'
}
