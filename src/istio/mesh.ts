/**
 * What the rules know of the cluster, as they read it. `cluster/` builds it; it is replaced as a whole and never edited.
 *
 * Lookups by namespace, revision and label are O(1), so that a decision costs the same in a cluster of any size.
 * Undefined means unknown, not absent, wherever a comment says so.
 */
import type { ControlPlane } from './control-plane.ts'
import type { InjectionWebhook } from './injection-webhook.ts'
import type { PolicyIndex } from './policy-index.ts'

export interface Namespace {
  readonly name: string
  /** With `kubernetes.io/metadata.name`, which the API server adds to every namespace. */
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  /** False for a namespace that nothing declares: it has no labels then. */
  readonly isDeclared: boolean
}

export interface Service {
  readonly namespace: string
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly selector: ReadonlyMap<string, string>
  /** `spec.ports[]` with their names; a port without a name has an empty one. */
  readonly ports: readonly { readonly name: string; readonly port: number }[]
}

export interface Mesh {
  namespace(name: string): Namespace
  /** In calling order. */
  readonly webhooks: readonly InjectionWebhook[]
  controlPlane(revision: string): ControlPlane
  readonly policies: PolicyIndex
  /** Undefined where the cluster has no such Service. */
  service(namespace: string, name: string): Service | undefined
  /** `spec.controller` of an IngressClass; undefined where there is none of that name. */
  ingressController(className: string): string | undefined
  /** Whether every node can mount an image as a volume; undefined where the cluster's version is not known. */
  readonly hasImageVolumes: boolean | undefined
}
