/**
 * The facts that the engine needs about the cluster. `cluster/` builds them from manifests or from the API server, and
 * replaces them as a whole. A kind that could not be read is unknown, not empty.
 */
import type { Mesh, Namespace } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Callback, OwnWebhook } from './callback.ts'
import type { Endpoints } from './endpoints.ts'
import type { ExposedService } from './service.ts'
import type { WorkloadRow } from './workload-row.ts'

export interface IngressClass {
  /** `spec.controller` */
  readonly controller: string
  /** Whether it is the class of Ingresses that name none. */
  readonly isDefault: boolean
}

export interface InventoryRows {
  readonly namespaces: Namespace
  readonly services: ExposedService
  /** EndpointSlices of Services without a selector. */
  readonly endpoints: Endpoints
  /** Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs and Pods. */
  readonly workloads: WorkloadRow
  readonly policies: PeerAuthentication
  readonly callbacks: Callback
  readonly ownWebhooks: OwnWebhook
  /** Istio's. This and the following lists hold trimmed objects. */
  readonly destinationRules: JsonObject
  readonly virtualServices: JsonObject
  readonly sidecars: JsonObject
  readonly authorizationPolicies: JsonObject
  readonly ingresses: JsonObject
  readonly ingressClasses: IngressClass
  /** Gateways and all kinds of routes of the Gateway API. */
  readonly gateways: JsonObject
  readonly routes: JsonObject
  readonly gatewayClasses: JsonObject
  readonly networkPolicies: JsonObject
  readonly serviceMonitors: JsonObject
  readonly podMonitors: JsonObject
  readonly serviceEntries: JsonObject
  readonly telemetries: JsonObject
}

/** `sources` are the addresses that its own processes may call pods from: its own, and that of its pod network. */
export interface ClusterNode {
  readonly name: string
  readonly sources: readonly string[]
}

export type InventoryKind = keyof InventoryRows

export interface Inventory extends Mesh {
  list<Kind extends InventoryKind>(kind: Kind): readonly InventoryRows[Kind][]
  /** Plural names of the kinds that could not be read. */
  readonly unreadKinds: readonly string[]
  /** The nodes' addresses, for calls to node ports. */
  readonly nodeAddresses: readonly string[]
  readonly nodes: readonly ClusterNode[]
}
