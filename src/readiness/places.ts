/** Lookups of the cluster's workloads, Services and addresses. */
import type { Namespace } from '../istio/mesh.ts'
import type { Callback } from './callback.ts'
import type { Inventory } from './inventory.ts'
import type { ExposedService } from './service.ts'
import type { Workload } from './workload.ts'

/** Lookups that need neither calls nor rules. */
export interface Places {
  readonly inventory: Inventory
  readonly workloads: readonly Workload[]
  /** Every namespace that is declared or has objects. */
  readonly namespaces: readonly Namespace[]
  workloadsOf(namespace: string): readonly Workload[]
  servicesOf(namespace: string): readonly ExposedService[]
  service(namespace: string, name: string): ExposedService | undefined
  /** Returns the workloads whose pods the Service selects. */
  selectedBy(service: ExposedService): readonly Workload[]
  /** Returns the workloads of the namespace with a unit that has all the labels; none for no labels. */
  workloadsWith(namespace: string, labels: ReadonlyMap<string, string>): readonly Workload[]
  /** Returns the Services that select the workload. */
  servicesSelecting(workload: Workload): readonly ExposedService[]
  serviceAt(address: string): ExposedService | undefined
  workloadAt(address: string): Workload | undefined
  isNodeAddress(address: string): boolean
  callbacksTo(namespace: string): readonly Callback[]
  /** The mesh's root namespace, as the default revision sets it. */
  readonly rootNamespace: string
}
