/**
 * The cluster's workloads with their pods: the running pods, the next pod, and whether each is in the mesh.
 * Running pods take precedence over the template. A pod without a status has not been injected yet.
 */
import { isAmbient } from '../istio/ambient.ts'
import { INJECTION_STATUS } from '../istio/annotations.ts'
import { CHART_INJECTOR } from '../istio/control-plane.ts'
import { readManifestSidecar } from '../istio/manifest-sidecar.ts'
import type { Mesh } from '../istio/mesh.ts'
import type { Capture } from '../istio/capture.ts'
import { decideSidecar, type PresentSidecar, sidecarOf } from '../istio/sidecar.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { annotationsOf, labelsOf, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { readPodTemplate, type PodTemplate } from '../kubernetes/pod-template.ts'
import { isProblem } from '../kubernetes/problem.ts'
import type { Steps } from '../kubernetes/steps.ts'
import type { ContainerMentions, RunningPod, WorkloadRow } from './workload-row.ts'

export interface Workload {
  readonly reference: ObjectReference
  readonly namespace: string
  /** One running pod of each kind; without running pods, the pod that the template would create. Never empty. */
  readonly units: readonly Unit[]
  /** The next pod; undefined if only existing pods are known. */
  readonly template: Unit | undefined
  readonly mentions: readonly ContainerMentions[]
  readonly addresses: readonly string[]
}

/** Pods that are alike in content and mesh membership. */
export interface Unit {
  readonly namespace: string
  readonly pod: PodTemplate
  /** The object that contains the pod, for the rules. */
  readonly object: JsonObject
  readonly isRunning: boolean
  readonly running: RunningPod | undefined
  readonly mesh: Membership
  /** The labels of the running pod. */
  readonly labels: ReadonlyMap<string, string>
}

export type Membership =
  | { readonly kind: 'sidecar'; readonly sidecar: UnitSidecar }
  | { readonly kind: 'ambient' }
  /** Istio's injector denies the pod. */
  | { readonly kind: 'refused'; readonly evidence: string }
  | { readonly kind: 'outside'; readonly evidence: string; readonly isExplicit: boolean }

/** The part of a sidecar that the engine reads. Thousands of units stay in memory. */
export type UnitSidecar = Pick<PresentSidecar, 'controlPlane' | 'capture' | 'rewriting' | 'isInjected'>

function unitSidecar({ controlPlane, capture, rewriting, isInjected }: PresentSidecar): UnitSidecar {
  return { controlPlane, capture: shared(capture), rewriting, isInjected }
}

/** Most pods have one of a few captures. */
function shared(capture: Capture): Capture {
  const key = JSON.stringify(capture, (_, value: unknown) => (value instanceof Set ? [...value] : value))
  const known = CAPTURES.get(key)?.deref()
  if (known !== undefined) return known
  CAPTURES.set(key, new WeakRef(capture))
  return capture
}

const CAPTURES = new Map<string, WeakRef<Capture>>()

/** Groups rows of one namespace or of several. Rows without a readable template are skipped. */
export function* gatherWorkloads(rows: readonly WorkloadRow[], mesh: Mesh): Steps<readonly Workload[]> {
  const groups = new Map<string, Group>()
  const known = new Set(
    rows.filter(({ owner }) => owner === undefined).map(({ object }) => referenceKey(referenceTo(object))),
  )
  for (const row of rows) {
    if (row.running?.isOver === true) continue
    const reference = row.owner === undefined ? referenceTo(row.object) : ownerReference(row, known)
    if (reference === undefined) continue
    const group = groups.get(referenceKey(reference)) ?? { reference, template: undefined, pods: [] }
    groups.set(referenceKey(reference), group)
    if (row.owner === undefined && row.running === undefined) group.template = row
    else if (referenceTo(row.object).kind === 'Pod') group.pods.push(row)
    yield
  }
  const workloads: Workload[] = []
  for (const group of groups.values()) {
    const workload = toWorkload(group, mesh)
    if (workload !== undefined) workloads.push(workload)
    yield
  }
  return workloads
}

interface Group {
  readonly reference: ObjectReference
  template: WorkloadRow | undefined
  readonly pods: WorkloadRow[]
}

export function referenceKey({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`
}

/**
 * | owner                        | the workload                                                        |
 * |------------------------------|---------------------------------------------------------------------|
 * | ReplicaSet NAME-HASH         | Deployment NAME, unless the ReplicaSet has no owner                 |
 * | Job NAME-NUMBER              | CronJob NAME if it exists, otherwise the Job                        |
 * | Node                         | the pod itself: a static pod                                        |
 * | any other                    | the owner                                                           |
 * Returns undefined unless the row is a pod: an owned ReplicaSet or Job adds nothing to its owner.
 */
export function ownerReference(
  { object, owner }: WorkloadRow,
  known: ReadonlySet<string>,
): ObjectReference | undefined {
  const own = referenceTo(object)
  if (own.kind !== 'Pod' || owner === undefined) return undefined
  const { namespace } = own
  const asOwner = { apiVersion: owner.apiVersion, kind: owner.kind, namespace, name: owner.name }
  if (owner.kind === 'Node') return own
  if (owner.kind === 'ReplicaSet' && !known.has(referenceKey(asOwner)))
    return { ...asOwner, kind: 'Deployment', name: withoutHash(owner.name, labelsOf(object).get('pod-template-hash')) }
  if (owner.kind === 'Job') {
    const cronJob = { ...asOwner, kind: 'CronJob', name: owner.name.replace(/-\d{8,10}$/, '') }
    return known.has(referenceKey(cronJob)) || /-\d{8,10}$/.test(owner.name) ? cronJob : asOwner
  }
  return asOwner
}

function withoutHash(name: string, hash: string | undefined): string {
  return hash !== undefined && name.endsWith(`-${hash}`) ? name.slice(0, -hash.length - 1) : name.replace(/-[^-]*$/, '')
}

function toWorkload({ reference, template, pods }: Group, mesh: Mesh): Workload | undefined {
  const fromTemplate = template && templateUnit(template, mesh)
  const running = unlike(pods.filter((row) => row.running !== undefined)).flatMap((row) => runningUnit(row, mesh) ?? [])
  const planned = pods.filter((row) => row.running === undefined).flatMap((row) => templateUnit(row, mesh) ?? [])
  const units = running.length > 0 ? running : fromTemplate === undefined ? planned.slice(0, 1) : [fromTemplate]
  const [first] = units
  if (first === undefined) return undefined
  return {
    reference: template === undefined && pods.length > 0 ? reference : { ...reference },
    namespace: reference.namespace,
    units,
    template: fromTemplate ?? planned[0],
    mentions: template?.mentions ?? pods[0]?.mentions ?? [],
    addresses: pods.flatMap((row) => row.running?.addresses ?? []),
  }
}

/** Keeps one pod of each template revision, with and without sidecar. Pods without a revision are all kept. */
function unlike(pods: readonly WorkloadRow[]): readonly WorkloadRow[] {
  const kinds = new Map<string, WorkloadRow>()
  for (const row of pods) {
    const labels = labelsOf(row.object)
    const revision =
      labels.get('pod-template-hash') ?? labels.get('controller-revision-hash') ?? referenceTo(row.object).name
    const key = `${revision} ${annotationsOf(row.object).has(INJECTION_STATUS)}`
    if (!kinds.has(key)) kinds.set(key, row)
  }
  return [...kinds.values()]
}

/** A row's unit stays valid as long as the row, its namespace and Istio's installation are unchanged. */
const REMEMBERED = new WeakMap<WorkloadRow, { readonly basis: readonly unknown[]; readonly unit: Unit | undefined }>()

function remember(row: WorkloadRow, mesh: Mesh, decide: () => Unit | undefined): Unit | undefined {
  const { namespace } = referenceTo(row.object)
  const basis = [mesh.webhooks, mesh.namespace(namespace), mesh.controlPlane('default')]
  const known = REMEMBERED.get(row)
  if (known !== undefined && known.basis.every((part, index) => part === basis[index])) return known.unit
  const unit = decide()
  REMEMBERED.set(row, { basis, unit })
  return unit
}

/** Describes a pod that has not been created yet. */
function templateUnit(row: WorkloadRow, mesh: Mesh): Unit | undefined {
  return remember(row, mesh, () => {
    const { kind, namespace, name } = referenceTo(row.object)
    const pod = readPodTemplate(kind, row.object)
    if (isProblem(pod)) return undefined
    const space = mesh.namespace(namespace)
    const sidecar = decideSidecar({ namespace, template: pod, workloadName: name }, mesh)
    const identity = { namespace, labels: pod.labels, annotations: pod.annotations, hostNetwork: isHostNetwork(pod) }
    const shared = { namespace, pod, object: row.object, isRunning: false, running: undefined }
    if (sidecar.state === 'present')
      return { ...shared, mesh: { kind: 'sidecar', sidecar: unitSidecar(sidecar) }, labels: sidecar.labels }
    if (isAmbient(identity, space.labels, false)) return { ...shared, mesh: { kind: 'ambient' }, labels: pod.labels }
    if (sidecar.state === 'refused')
      return { ...shared, mesh: { kind: 'refused', evidence: sidecar.evidence }, labels: pod.labels }
    const isExplicit = sidecar.reason !== 'no-webhook-selects'
    return { ...shared, mesh: { kind: 'outside', evidence: sidecar.evidence, isExplicit }, labels: pod.labels }
  })
}

function isHostNetwork({ spec }: PodTemplate): boolean {
  return spec['hostNetwork'] === true
}

/** A running pod has a sidecar if and only if it has a container `istio-proxy`. */
function runningUnit(row: WorkloadRow, mesh: Mesh): Unit | undefined {
  return remember(row, mesh, () => {
    const { namespace, name } = referenceTo(row.object)
    const pod = readPodTemplate('Pod', row.object)
    if (isProblem(pod)) return undefined
    const shared = { namespace, pod, object: row.object, isRunning: true, running: row.running, labels: pod.labels }
    const hasProxy = pod.containers.some((container) => container.name === 'istio-proxy')
    if (hasProxy) {
      const marked = { ...pod, annotations: new Map(pod.annotations) }
      if (!pod.annotations.has(INJECTION_STATUS)) marked.annotations.set(INJECTION_STATUS, '{}')
      const pass = readManifestSidecar({ namespace, template: marked, workloadName: name }, mesh)
      if (pass !== undefined)
        return {
          ...shared,
          mesh: { kind: 'sidecar', sidecar: unitSidecar(sidecarOf(pass)) },
        }
    }
    const identity = { namespace, labels: pod.labels, annotations: pod.annotations, hostNetwork: isHostNetwork(pod) }
    const isCaptured = pod.annotations.get('ambient.istio.io/redirection') === 'enabled'
    if (isCaptured || isAmbient(identity, mesh.namespace(namespace).labels, false))
      return { ...shared, mesh: { kind: 'ambient' } }
    return {
      ...shared,
      mesh: { kind: 'outside', evidence: 'the running pod has no container istio-proxy', isExplicit: false },
    }
  })
}

/** With a native sidecar the proxy runs before the init containers; true for a pod without a sidecar. */
export function hasNativeSidecar({ mesh, pod, isRunning }: Unit): boolean {
  if (mesh.kind !== 'sidecar') return true
  if (isRunning) return pod.containers.some(({ name, init }) => name === 'istio-proxy' && init)
  const wish = pod.annotations.get('sidecar.istio.io/nativeSidecar')
  return wish === undefined ? (mesh.sidecar.controlPlane.injector ?? CHART_INJECTOR).nativeSidecars : wish === 'true'
}
