/**
 * Whether Istio moves an injected pod's probes to its agent, and to which port
 * (docs/facts/agent-probes.md#when-probes-are-rewritten, `app_probe.go`).
 */
import { statusPortOf } from './agent.ts'
import { REWRITE_PROBES } from './annotations.ts'
import type { ControlPlane } from './control-plane.ts'
import { parseBool } from './go-values.ts'
import type { Version } from './version.ts'

/**
 * Whether Istio moves the probes to its agent; `unknown` without an injector ConfigMap or annotation that decides it.
 */
export type Rewriting =
  | {
      readonly state: 'on'
      readonly statusPort: number
      readonly version: Version | undefined
      readonly evidence: string
    }
  | { readonly state: 'off'; readonly evidence: string }
  | { readonly state: 'unknown'; readonly evidence: string }

/** Google's managed Cloud Service Mesh does not support the annotation and does not expose its injector's values. */
const MANAGED = 'managed Cloud Service Mesh ignores the annotation for probe rewriting'

export interface RewritingCall {
  readonly proxied: boolean
  readonly isManaged: boolean
}

/** A pod without a container `istio-proxy` has no agent to serve probes. */
export function rewritingAfter(
  controlPlane: ControlPlane,
  annotations: ReadonlyMap<string, string>,
  { proxied, isManaged }: RewritingCall,
): Rewriting {
  if (!proxied) return { state: 'off', evidence: 'the injection template has no container istio-proxy' }
  const written = annotations.get(REWRITE_PROBES)
  const wanted = written === undefined ? undefined : parseBool(written)
  if (isManaged) return { state: 'unknown', evidence: MANAGED }
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
    statusPort: statusPortOf(annotations, controlPlane),
    version: controlPlane.injector?.version,
    evidence,
  }
}
