/**
 * The cluster as the engine looks it up: workloads by namespace and label, Services by address, declared calls by the
 * target's namespace. Built once for each state of the cluster.
 */
import { groupBy } from '../kubernetes/group-by.ts'
import { resolveCalls, type Call } from './call.ts'
import { readDestinationRules, type DestinationRules } from './destination-rules.ts'
import { behindEndpoints } from './endpoints.ts'
import type { Inventory } from './inventory.ts'
import { findPlaces, type Places } from './places.ts'
import type { CountedTraffic, SeenTraffic } from './seen-traffic.ts'
import type { ExposedService } from './service.ts'
import { finish, type Steps } from '../kubernetes/steps.ts'
import { gatherWorkloads, type Workload } from './workload.ts'

export interface Estate extends Places {
  /** Returns the declared calls to Services or pods of the namespace. */
  callsTo(namespace: string): readonly Call[]
  callsToService(service: ExposedService): readonly Call[]
  callsOf(workload: Workload): readonly Call[]
  readonly destinationRules: DestinationRules
  /** What access logs show; undefined without logs. */
  readonly seen?: SeenTraffic
  /** What Prometheus counted; undefined if it was not asked. */
  readonly counted?: CountedTraffic
}

export function buildEstate(inventory: Inventory): Estate {
  return finish(buildEstateInSteps(inventory))
}

export function* buildEstateInSteps(inventory: Inventory): Steps<Estate> {
  const workloads = yield* gatherWorkloads(inventory.list('workloads'), inventory)
  const places = yield* findPlaces(
    inventory,
    workloads,
    behindEndpoints(inventory.list('services'), inventory.list('endpoints')),
  )
  yield
  const calls: Call[] = []
  for (const workload of workloads) {
    for (const call of resolveCalls(workload, places)) calls.push(call)
    yield
  }
  const byTarget = groupBy(calls, ({ target }) => target.namespace)
  const byService = groupBy(calls, ({ target }) => target.service)
  const byCaller = groupBy(calls, ({ caller }) => caller)
  return {
    ...places,
    callsTo: (namespace) => byTarget.get(namespace) ?? [],
    callsToService: (service) => byService.get(service) ?? [],
    callsOf: (workload) => byCaller.get(workload) ?? [],
    destinationRules: readDestinationRules(inventory.list('destinationRules'), places),
  }
}
