/**
 * The facts about the cluster that the rules read. `cluster/` builds them and replaces them as a whole; they are never
 * edited.
 *
 * Lookups by namespace, revision and label are O(1), so that a decision costs the same in a cluster of any size.
 * Undefined means absent unless a comment says unknown.
 */
import type { JsonObject } from '../kubernetes/json.ts'
import type { ControlPlane } from './control-plane.ts'
import type { InjectionWebhook } from './injection-webhook.ts'
import type { PolicyIndex } from './policy-index.ts'

export interface Namespace {
  readonly name: string
  /** Includes `kubernetes.io/metadata.name`, which the API server adds to every namespace. */
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  /** False for a namespace without a declaration; it then has no labels. */
  readonly isDeclared: boolean
}

export interface Service {
  readonly namespace: string
  readonly name: string
  readonly labels: ReadonlyMap<string, string>
  readonly selector: ReadonlyMap<string, string>
  /** `spec.ports[]` with their names; the name of an unnamed port is empty. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly target?: number | string }[]
  readonly type?: string
}

export interface Mesh {
  namespace(name: string): Namespace
  /** In calling order. */
  readonly webhooks: readonly InjectionWebhook[]
  controlPlane(revision: string): ControlPlane
  readonly policies: PolicyIndex
  /** Undefined if the cluster has no such Service. */
  service(namespace: string, name: string): Service | undefined
  /** ClusterIPs of some Services, enough to tell whether outbound ranges contain them; empty if none is known. */
  readonly serviceAddresses: readonly string[]
  /** `spec.controller` of an IngressClass; undefined if there is no class of that name. */
  ingressController(className: string): string | undefined
  /** Istio's Gateways of all namespaces, trimmed to their identity and spec; undefined if they are unknown. */
  istioGateways(): readonly JsonObject[] | undefined
  /** Whether every node can mount an image as a volume; undefined if the cluster's version is unknown. */
  readonly hasImageVolumes: boolean | undefined
}
