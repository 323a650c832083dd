/**
 * Istio's agent in a pod: the port that the injector gives rewritten probes, and the port that the agent listens on.
 */
import { PROXY_CONFIG, STATUS_PORT } from './annotations.ts'
import type { ControlPlane } from './control-plane.ts'
import { parseInteger } from './go-values.ts'
import { configuredStatusPort } from './proxy-config.ts'

export interface Agent {
  /** The port in rewritten probes; 0 if the annotation says 0, which the API server refuses. */
  readonly statusPort: number
  /** The port on which the agent serves them. */
  readonly listensOn: number
  /**
   * A second call of the injector replaced the proxy by another one without the list of probes (seen with
   * `gateway,sidecar`).
   */
  readonly isReplaced: boolean
}

/**
 * The injector reads the annotation, otherwise the mesh's `defaultConfig.statusPort` (`pkg/kube/inject/app_probe.go`).
 * The agent also reads `proxy.istio.io/config` (`pilot/cmd/pilot-agent/config/config.go`). A proxy from an `earlier`
 * injector may keep the port in its environment, which that injector wrote.
 */
export function readAgent(
  annotations: ReadonlyMap<string, string>,
  controlPlane: ControlPlane,
  earlier?: number,
): Agent {
  const statusPort = statusPortOf(annotations, controlPlane)
  const isAnnotated = annotations.has(STATUS_PORT)
  const configured = configuredStatusPort(annotations.get(PROXY_CONFIG))
  const listensOn = isAnnotated ? statusPort : (configured ?? earlier ?? statusPort)
  return { statusPort, listensOn, isReplaced: false }
}

/**
 * An unparsable annotation yields port 0, but validation refuses such a pod first (`app_probe.go` patchRewriteProbe).
 */
export function statusPortOf(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): number {
  const own = annotations.get(STATUS_PORT)
  return own === undefined ? controlPlane.statusPort : (parseInteger(own) ?? 0)
}
