/**
 * Pods outside the mesh although their namespace is in it, pods that Istio refuses, and init containers that run before
 * the proxy.
 */
import { decideSidecar } from '../../istio/sidecar.ts'
import { describe } from '../../kubernetes/object.ts'
import type { Call } from '../call.ts'
import { callerOf, finding, type Finding } from '../finding.ts'
import { isInMesh, namespacesInScope, workloadsInScope, type Situation } from '../situation.ts'
import { hasNativeSidecar, type Unit, type Workload } from '../workload.ts'
import { closedByCall } from './call-facts.ts'

export function* findInjection(situation: Situation): Iterable<readonly Finding[]> {
  const meshNamespaces = new Set(namespacesInScope(situation).filter((name) => isMeshNamespace(name, situation)))
  for (const workload of workloadsInScope(situation))
    yield workload.units.flatMap((unit) => judgeUnit(workload, unit, meshNamespaces, situation) ?? [])
  for (const namespace of namespacesInScope(situation))
    for (const call of situation.estate.callsTo(namespace)) yield initContainerCall(call, namespace, situation)
}

function judgeUnit(
  workload: Workload,
  unit: Unit,
  meshNamespaces: ReadonlySet<string>,
  situation: Situation,
): Finding | undefined {
  const { reference, namespace } = workload
  const { mesh } = unit
  const shared = { object: reference, scope: namespace }
  if (mesh.kind === 'refused')
    return finding('pod-refused', {
      ...shared,
      message: `Pods of ${describe(reference)} cannot be created: ${mesh.evidence}.`,
      fix: 'Correct the annotation named in the message.',
    })
  if (mesh.kind !== 'outside') return undefined
  const wanted = isWanted(unit, workload, situation)
  if (unit.isRunning && wanted)
    return finding('sidecar-missing', {
      ...shared,
      message: `Running pods of ${describe(reference)} have no sidecar: they were created before injection was enabled for their namespace.`,
      fix: restartCommand(workload),
    })
  if (!meshNamespaces.has(namespace)) return undefined
  return finding('outside-mesh', {
    ...shared,
    message: `${describe(reference)} is outside the mesh: ${mesh.evidence}.`,
    fix: 'Add it to the mesh, or accept that it cannot call STRICT workloads.',
  })
}

/** Whether a pod created now would get a sidecar. */
function isWanted({ namespace, pod }: Unit, { template, reference }: Workload, { estate }: Situation): boolean {
  if (template !== undefined) return template.mesh.kind === 'sidecar'
  const subject = { namespace, template: pod, workloadName: reference.name }
  return decideSidecar(subject, estate.inventory).state === 'present'
}

function isMeshNamespace(namespace: string, { estate }: Situation): boolean {
  return estate
    .workloadsOf(namespace)
    .some(({ units, template }) => units.some(isInMesh) || (template !== undefined && isInMesh(template)))
}

export function restartCommand({ reference: { kind, namespace, name } }: Workload): string {
  return ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
    ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
    : `Recreate the pods of ${kind} ${namespace}/${name}`
}

/** With native sidecars the proxy starts before the init containers, so their calls are not reported. */
function initContainerCall(call: Call, namespace: string, situation: Situation): readonly Finding[] {
  const [unit] = call.caller.units
  if (!call.isInit || unit?.mesh.kind !== 'sidecar' || hasNativeSidecar(unit)) return []
  const closed = closedByCall(call, situation)
  if (closed === undefined) return []
  const { reference } = call.caller
  return [
    finding('init-container-call', {
      object: reference,
      container: call.container,
      port: closed.port,
      about: call.host,
      callers: [callerOf(reference)],
      message: `Init container ${call.container} calls ${call.host} before the proxy runs, and ${closed.why}.`,
      fix: 'Enable native sidecars (annotation sidecar.istio.io/nativeSidecar: "true", Kubernetes 1.29 and later), or move the call into the application container.',
      scope: namespace,
    }),
  ]
}
