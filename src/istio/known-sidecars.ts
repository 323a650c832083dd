/**
 * Remembers the sidecars of recent workloads. All pods of a ReplicaSet have the same labels and annotations, and the
 * simulation of Istio's webhooks reads little else, so most pods have a known answer. It is used again only while the
 * namespace, the webhooks and their control planes are the same values.
 */
import type { ControlPlane } from './control-plane.ts'
import type { InjectionSubject } from './injection-call.ts'
import type { InjectionWebhook } from './injection-webhook.ts'
import type { Mesh, Namespace } from './mesh.ts'

/** An entry has up to 10 KB, so all of them take 5 MB at most. */
const MOST = 500
const LONGEST_IDENTITY = 4096

interface Known<Sidecar> {
  readonly namespace: Namespace
  readonly webhooks: readonly InjectionWebhook[]
  /** The control plane of each webhook. */
  readonly planes: readonly ControlPlane[]
  readonly sidecar: Sidecar
}

export type DecideSidecar<Sidecar> = (subject: InjectionSubject, mesh: Mesh) => Sidecar

/** Returns a function with the same results as `decide`. */
export function rememberSidecars<Sidecar>(decide: DecideSidecar<Sidecar>): DecideSidecar<Sidecar> {
  const known = new Map<string, Known<Sidecar>>()
  return (subject, mesh) => {
    const identity = identityOf(subject)
    if (identity === undefined) return decide(subject, mesh)
    const namespace = mesh.namespace(subject.namespace)
    const { webhooks } = mesh
    const found = known.get(identity)
    if (
      found !== undefined &&
      found.namespace === namespace &&
      found.webhooks === webhooks &&
      hasSamePlanes(found, mesh)
    )
      return found.sidecar
    const sidecar = decide(subject, mesh)
    if (known.size >= MOST) known.clear()
    known.set(identity, {
      namespace,
      webhooks,
      planes: webhooks.map(({ revision }) => mesh.controlPlane(revision)),
      sidecar,
    })
    return sidecar
  }
}

function hasSamePlanes({ webhooks, planes }: Known<unknown>, mesh: Mesh): boolean {
  return webhooks.every(({ revision }, index) => mesh.controlPlane(revision) === planes[index])
}

/**
 * Returns everything of a pod that the simulation reads; undefined if it also reads containers, or if that is too long.
 * Each text has its length in front, so that no text of a user can look like two.
 */
function identityOf({ namespace, template, workloadName }: InjectionSubject): string | undefined {
  const { spec, containers, labels, annotations } = template
  if (containers.some(({ name }) => name.startsWith('istio-'))) return undefined
  let identity = `${spec['hostNetwork'] === true} ${spec['automountServiceAccountToken'] === false} ${labels.size}`
  identity += measured(namespace) + measured(workloadName)
  for (const [key, value] of labels) identity += measured(key) + measured(value)
  for (const [key, value] of annotations) {
    if (value.length > LONGEST_IDENTITY) return undefined
    identity += measured(key) + measured(value)
  }
  return identity.length > LONGEST_IDENTITY ? undefined : identity
}

function measured(text: string): string {
  return ` ${text.length}:${text}`
}
