/** The workloads, Services and addresses of a cluster, as the engine looks them up. */
import type { Namespace } from '../istio/mesh.ts'
import type { Callback } from './callback.ts'
import type { Inventory } from './inventory.ts'
import type { ExposedService } from './service.ts'
import type { Workload } from './workload.ts'

/** What is where: everything but what the calls and rules make of it. */
export interface Places {
  readonly inventory: Inventory
  readonly workloads: readonly Workload[]
  /** Every namespace that is declared or holds something. */
  readonly namespaces: readonly Namespace[]
  workloadsOf(namespace: string): readonly Workload[]
  servicesOf(namespace: string): readonly ExposedService[]
  service(namespace: string, name: string): ExposedService | undefined
  /** The workloads whose pods the Service selects. */
  selectedBy(service: ExposedService): readonly Workload[]
  /** Services that select the workload. */
  servicesSelecting(workload: Workload): readonly ExposedService[]
  serviceAt(address: string): ExposedService | undefined
  workloadAt(address: string): Workload | undefined
  isNodeAddress(address: string): boolean
  callbacksTo(namespace: string): readonly Callback[]
  /** The root namespace of the mesh, of the default revision. */
  readonly rootNamespace: string
}
