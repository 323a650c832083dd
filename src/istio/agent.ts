/** Istio's agent in a pod: where the injector sends rewritten probes, and whether the agent listens there. */
import { STATUS_PORT } from './annotations.ts'
import type { ControlPlane } from './control-plane.ts'
import { parseInteger } from './go-values.ts'
import { configuredStatusPort } from './proxy-config.ts'

export interface Agent {
  /** The port that rewritten probes name; 0 where the annotation says so, which the API server refuses. */
  readonly statusPort: number
  /** The port on which the agent serves them. */
  readonly listensOn: number
}

/**
 * The injector takes the annotation, else the mesh's `defaultConfig.statusPort` (`pkg/kube/inject/app_probe.go`). The agent
 * takes `proxy.istio.io/config` into account as well (`pilot/cmd/pilot-agent/config/config.go`).
 */
export function readAgent(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): Agent {
  const statusPort = statusPortOf(annotations, controlPlane)
  const isAnnotated = annotations.has(STATUS_PORT)
  return { statusPort, listensOn: isAnnotated ? statusPort : (configuredStatusPort(annotations) ?? statusPort) }
}

/** An unparsable annotation gives port 0, but validation refuses such a pod first (`app_probe.go` patchRewriteProbe). */
export function statusPortOf(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): number {
  const own = annotations.get(STATUS_PORT)
  return own === undefined ? controlPlane.statusPort : (parseInteger(own) ?? 0)
}
