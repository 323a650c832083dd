/** Whether kubelet can run a probe or hook on the port without mutual TLS that the pod names (`probe-port`). */
import { uncapturedBecause } from '../../istio/capture.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import { admitsPlainText, obstacleTo, touches } from './agent-service.ts'
import type { NetworkCheck } from './check-facts.ts'
import type { PodInside } from './pod-facts.ts'

/**
 * Returns why a probe or hook cannot move to a port, as a clause; undefined if it can. `asked` is the sidecar of a pod
 * that asks Istio to rewrite its probes; Istio then also moves probes that got another port.
 *
 * | first match wins                                                       | effect on the moved probe or hook          |
 * |------------------------------------------------------------------------|--------------------------------------------|
 * | Istio's agent listens there (`pilot/cmd/pilot-agent/status/server.go`) | the agent answers 404                      |
 * | Istio rewrites it, and treats the port as the agent's                  | the injector gives the agent no entry: 400 |
 * | Istio rewrites it, and the agent cannot serve it                       | see agentObstacle                          |
 * | a tcpSocket probe, and the port is redirected                          | always passes: the sidecar answers         |
 * | the port requires mutual TLS                                           | always fails                               |
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
    if (port === rewriter.controlPlane.statusPort) return `Istio treats ${named} as its agent's`
    const obstacle = obstacleTo(facts, rewriter, prepared)
    if (obstacle !== undefined)
      return `Istio would move a probe on ${named} to its agent, which cannot serve it: ${obstacle}`
  }
  if (facts.handler.kind === 'tcpSocket')
    return uncapturedBecause(sidecar.capture, port) === undefined
      ? `the sidecar would answer a tcpSocket probe on ${named}`
      : undefined
  return admitsPlainText(port, sidecar, prepared) ? undefined : `${named} also requires mTLS`
}
