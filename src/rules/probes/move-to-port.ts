/** Whether kubelet can ask a probe or hook on the port that the pod names without mutual TLS (`probe-port`). */
import { uncapturedBecause } from '../../istio/capture.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import { admitsPlainText, obstacleTo, touches } from './agent-service.ts'
import type { NetworkCheck } from './check-facts.ts'
import type { PodInside } from './pod-facts.ts'

/**
 * Why a check cannot move to a port, as a clause; undefined where it can. `asked` is the sidecar of a pod that asks Istio to
 * rewrite its probes: Istio then moves what got another port as well.
 *
 * | first match wins                                                   | what the moved check would do                 |
 * |--------------------------------------------------------------------|-----------------------------------------------|
 * | Istio's agent listens there (`pilot/cmd/pilot-agent/status/server.go`) | the agent answers 404                     |
 * | Istio rewrites it, and takes the port for the agent's              | the injector hands the agent no entry: 400    |
 * | Istio rewrites it, and the agent cannot serve it                   | see agentObstacle                             |
 * | a tcpSocket probe, and the port is redirected                      | always pass: the sidecar answers              |
 * | the port requires mutual TLS                                       | always fail                                   |
 */
export function obstacleToMoving(
  port: number,
  facts: NetworkCheck,
  { sidecar, prepared }: PodInside,
  asked: PresentSidecar | undefined,
): string | undefined {
  const named = `port ${port} (probe-port)`
  if (port === sidecar.agent.listensOn) return `${named} belongs to Istio's agent`
  const rewriter = sidecar.rewriting.state === 'on' ? sidecar : asked
  if (rewriter !== undefined && touches(facts, rewriter)) {
    if (port === rewriter.controlPlane.statusPort) return `Istio takes ${named} for its agent's`
    const obstacle = obstacleTo(facts, rewriter, prepared)
    if (obstacle !== undefined)
      return `Istio would take a probe on ${named} to its agent, which cannot serve it: ${obstacle}`
  }
  if (facts.handler.kind === 'tcpSocket')
    return uncapturedBecause(sidecar.capture, port) === undefined
      ? `the sidecar would answer a tcpSocket probe on ${named}`
      : undefined
  return admitsPlainText(port, sidecar, prepared) ? undefined : `${named} also requires mTLS`
}
