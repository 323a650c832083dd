/**
 * What the engine asks of the cluster. `cluster/` builds it, from manifests or from the API server, and replaces it as a
 * whole. A kind that could not be read is unknown, which is not empty.
 */
import type { Mesh, Namespace } from '../istio/mesh.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Callback, OwnWebhook } from './callback.ts'
import type { ExposedService } from './service.ts'
import type { WorkloadRow } from './workload-row.ts'

export interface InventoryRows {
  readonly namespaces: Namespace
  readonly services: ExposedService
  /** Deployments, StatefulSets, DaemonSets, ReplicaSets, ReplicationControllers, Jobs, CronJobs and Pods. */
  readonly workloads: WorkloadRow
  readonly policies: PeerAuthentication
  readonly callbacks: Callback
  readonly ownWebhooks: OwnWebhook
  /** Of Istio; trimmed objects, as the ones that follow. */
  readonly destinationRules: JsonObject
  readonly virtualServices: JsonObject
  readonly sidecars: JsonObject
  readonly authorizationPolicies: JsonObject
  readonly ingresses: JsonObject
  /** Gateways of the Gateway API, and the routes of all its kinds. */
  readonly gateways: JsonObject
  readonly routes: JsonObject
  readonly gatewayClasses: JsonObject
  readonly networkPolicies: JsonObject
  readonly serviceMonitors: JsonObject
  readonly podMonitors: JsonObject
}

export type InventoryKind = keyof InventoryRows

export interface Inventory extends Mesh {
  list<Kind extends InventoryKind>(kind: Kind): readonly InventoryRows[Kind][]
  /** Plural names of the kinds that could not be read. */
  readonly unreadKinds: readonly string[]
  /** Addresses of the nodes, for calls to node ports. */
  readonly nodeAddresses: readonly string[]
}
