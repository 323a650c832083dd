/**
 * Whether the node's ztunnel enrols a pod in ambient mode (docs/facts/injection.md#ambient-enrolment;
 * `cni/pkg/util/enablement_selector.go`).
 */
import { DATAPLANE_MODE } from './annotations.ts'
import type { PodIdentity } from './injection-policy.ts'

/**
 * `hasSidecar`: the pod has the annotation `sidecar.istio.io/status`, or will have it after Istio's webhook. A sidecar
 * takes precedence.
 */
export function isAmbient(
  pod: PodIdentity,
  namespaceLabels: ReadonlyMap<string, string>,
  hasSidecar: boolean,
): boolean {
  if (pod.hostNetwork || hasSidecar) return false
  const own = pod.labels.get(DATAPLANE_MODE)
  return own === 'ambient' || (own !== 'none' && isAmbientNamespace(namespaceLabels))
}

export function isAmbientNamespace(namespaceLabels: ReadonlyMap<string, string>): boolean {
  return namespaceLabels.get(DATAPLANE_MODE) === 'ambient'
}
