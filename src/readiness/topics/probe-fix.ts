/** What to do about a probe or hook that STRICT breaks. */
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import { parseBool } from '../../istio/go-values.ts'
import type { Unit, Workload } from '../workload.ts'
import type { Place, Rescue } from './probe-rescue.ts'

/**
 * The cheapest fix first:
 *
 * | the pod                                              | fix                                       |
 * |------------------------------------------------------|-------------------------------------------|
 * | says `rewriteAppHTTPProbers: "false"`                | delete that, where Istio rewrites then    |
 * | will be repaired when it is recreated                | restart                                   |
 * | runs, and its container came after Istio's injector  | order or reinvocation of the webhooks     |
 * | any other                                            | `rewriteAppHTTPProbers: "true"`           |
 */
export function fixOf({ workload, unit }: Place, rescue: Rescue): string {
  const next = unit.isRunning ? (workload.template ?? unit) : unit
  const off = next.pod.annotations.get(REWRITE_PROBES)
  if (off !== undefined && parseBool(off) === false && rewritesByDefault(next) !== false)
    return rescue.by === 'none'
      ? `Remove the annotation ${REWRITE_PROBES}: "${off}" from the pod template, so that Istio serves the probe; or install istio-onramp and recreate the pods.`
      : `Remove the annotation ${REWRITE_PROBES}: "${off}" from the pod template, so that Istio serves the probe; or let istio-onramp rewrite it, before the switch: ${restartOf(workload)}`
  if (rescue.by !== 'none') return `Before the switch: ${restartOf(workload)}`
  if (unit.isRunning && rewritesByDefault(next) === true && off === undefined)
    return `Add the container before Istio's injector runs, or set reinvocationPolicy: IfNeeded on the injector, and recreate the pods; or install istio-onramp.`
  const way =
    off === undefined
      ? `Add the annotation ${REWRITE_PROBES}: "true" to`
      : `Change the annotation ${REWRITE_PROBES} from "${off}" to "true" in`
  return `${way} the pod template, so that Istio serves the probe; or install istio-onramp and recreate the pods.`
}

/** Whether Istio rewrites the probes of pods without an annotation of their own; undefined if it is not known. */
function rewritesByDefault({ mesh }: Unit): boolean | undefined {
  return mesh.kind === 'sidecar' ? mesh.sidecar.controlPlane.injector?.rewriteAppHTTPProbe : undefined
}

function restartOf({ reference: { kind, namespace, name } }: Workload): string {
  return kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet'
    ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
    : `recreate the pods of ${kind} ${namespace}/${name}`
}

/** Returns what to do about a probe that our webhook rewrites. */
export function rewrittenFix(unit: Unit): string {
  const off = unit.pod.annotations.get(REWRITE_PROBES)
  if (off === undefined || parseBool(off) !== false || rewritesByDefault(unit) === false)
    return 'Nothing to do while the webhook is installed.'
  return `Remove the annotation ${REWRITE_PROBES}: "${off}" from the pod template: Istio then serves the probe, which costs less than the rewrite. Nothing has to be done while the webhook is installed.`
}
