/**
 * Whether the node's ztunnel takes a pod into ambient mode (docs/facts/injection.md#ambient-enrolment;
 * `cni/pkg/util/enablement_selector.go`).
 */
import { DATAPLANE_MODE } from './annotations.ts'
import type { PodIdentity } from './injection-policy.ts'

/** `hasSidecar`: the pod carries `sidecar.istio.io/status`, or will once Istio's webhook has run. The sidecar wins. */
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
