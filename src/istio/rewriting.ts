/** Whether an injected pod's probes are moved to Istio's agent, and to which port (spec/istio.md 2.1, `app_probe.go`). */
import { REWRITE_PROBES, STATUS_PORT } from './annotations.ts'
import type { ControlPlane } from './control-plane.ts'
import { parseBool, parseInteger } from './go-values.ts'
import type { Version } from './version.ts'

/** Whether Istio moves the probes to its agent. `unknown` where no injector ConfigMap and no annotation tells. */
export type Rewriting =
  | {
      readonly state: 'on'
      readonly statusPort: number
      readonly version: Version | undefined
      readonly evidence: string
    }
  | { readonly state: 'off'; readonly evidence: string }
  | { readonly state: 'unknown'; readonly evidence: string }

/** Without a container `istio-proxy` there is no agent to move them to. */
export function rewritingAfter(
  controlPlane: ControlPlane,
  annotations: ReadonlyMap<string, string>,
  proxied: boolean,
): Rewriting {
  if (!proxied) return { state: 'off', evidence: 'the injection template has no container istio-proxy' }
  const written = annotations.get(REWRITE_PROBES)
  const wanted = written === undefined ? undefined : parseBool(written)
  const on = wanted ?? controlPlane.injector?.rewriteAppHTTPProbe
  if (on === undefined)
    return { state: 'unknown', evidence: `no ConfigMap of the injector of revision ${controlPlane.revision}` }
  const evidence =
    wanted === undefined
      ? `rewriteAppHTTPProbe: ${on} of revision ${controlPlane.revision}`
      : `annotation ${REWRITE_PROBES}: ${written}`
  if (!on) return { state: 'off', evidence }
  return {
    state: 'on',
    statusPort: rewriteTarget(annotations, controlPlane),
    version: controlPlane.injector?.version,
    evidence,
  }
}

/** An unparsable annotation gives port 0, but validation refuses such a pod first (`app_probe.go` patchRewriteProbe). */
function rewriteTarget(annotations: ReadonlyMap<string, string>, controlPlane: ControlPlane): number {
  const own = annotations.get(STATUS_PORT)
  return own === undefined ? controlPlane.statusPort : (parseInteger(own) ?? 0)
}
