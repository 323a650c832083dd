/** Which probes and hooks Istio's agent serves, and which it would serve if the pod asked for it. */
import { agentObstacle, isRewrittenKind } from '../../istio/agent-probe.ts'
import { uncapturedBecause } from '../../istio/capture.ts'
import { modeOfPort, type WorkloadModes } from '../../istio/peer-authentication.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import { isHook } from '../../kubernetes/container.ts'
import type { NetworkCheck } from './check-facts.ts'
import type { PodInside } from './pod-facts.ts'

/**
 * Whether Istio is known to rewrite this handler and its agent can serve it. A container added after Istio's webhook is
 * not in the agent's list unless that webhook is called again (https://github.com/istio/istio/issues/36353).
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

/** Returns why the agent of this sidecar cannot serve the probe or hook. */
export function obstacleTo(
  { handler, check, container }: NetworkCheck,
  sidecar: PresentSidecar,
  modes: WorkloadModes,
): string | undefined {
  const obstacle = agentObstacle(handler, check, container, sidecar)
  if (obstacle !== undefined) return obstacle
  const { statusPort } = sidecar.agent
  return admitsPlainText(statusPort, sidecar, modes) ? undefined : `its port ${statusPort} is STRICT as well`
}

/**
 * Returns why a pod should not ask Istio to serve the probe or hook. A hook can find no agent if the proxy starts with
 * the application and ends before it.
 */
export function obstacleToAsking(
  facts: NetworkCheck,
  sidecar: PresentSidecar,
  modes: WorkloadModes,
): string | undefined {
  if (!touches(facts, sidecar)) return 'Istio does not rewrite it'
  if (isHook(facts.check.slot) && !sidecar.isNative) return 'the proxy may not be running when the hook runs'
  return obstacleTo(facts, sidecar, modes)
}

/** Whether kubelet can reach the port without a mesh certificate. */
export function admitsPlainText(port: number, { capture }: PresentSidecar, modes: WorkloadModes): boolean {
  return uncapturedBecause(capture, port) !== undefined || modeOfPort(modes, port).mode !== 'STRICT'
}
