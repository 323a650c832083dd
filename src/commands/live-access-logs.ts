/** `check --access-log live`: the logs of the sidecars of a live cluster, each read as it streams by. */
import { ApiError, isNotFound } from '../cluster/live/api-error.ts'
import type { ClusterApi } from '../cluster/live/cluster-api.ts'
import { InputError, messageOf } from '../errors.ts'
import { arrayMember, memberAt } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'
import type { Inventory } from '../readiness/inventory.ts'
import type { WorkloadRow } from '../readiness/workload-row.ts'
import type { LogSource } from './access-log-files.ts'

export interface LiveLogs {
  readonly api: ClusterApi
  /** The called namespaces; empty for all. */
  readonly namespaces: readonly string[]
  /** Only lines of the last seconds; undefined for all that kubelet keeps. */
  readonly sinceSeconds: number | undefined
  readonly tell: (line: string) => void
}

/** Milliseconds between two progress lines. */
const PATIENCE = 1000

/** Returns a source for each running pod that has a sidecar. Throws InputError if there is none. */
export function liveSources(inventory: Inventory, live: LiveLogs): readonly LogSource[] {
  const pods = inventory
    .list('workloads')
    .filter(hasRunningSidecar)
    .map(({ object }) => referenceTo(object))
    .filter(({ namespace }) => live.namespaces.length === 0 || live.namespaces.includes(namespace))
  if (pods.length === 0)
    throw new InputError('pod-logs-unreadable', [
      `${live.api.server}: no pod with a sidecar runs ${live.namespaces.length === 0 ? 'in the cluster' : `in ${live.namespaces.join(', ')}`}`,
    ])
  let told = performance.now()
  return pods.map(({ namespace, name }, index) => ({
    name: `Pod ${namespace}/${name}`,
    open() {
      if (performance.now() - told > PATIENCE) {
        told = performance.now()
        live.tell(`reading logs: ${index} of ${pods.length} pods`)
      }
      return readPodLog(namespace, name, live)
    },
  }))
}

function hasRunningSidecar({ object, running }: WorkloadRow): boolean {
  if (running?.isOver !== false) return false
  return (['initContainers', 'containers'] as const).some((list) =>
    arrayMember(memberAt(object, 'spec'), list).some((container) => memberAt(container, 'name') === 'istio-proxy'),
  )
}

/** A pod that is gone, or whose proxy has not started, has no lines; that is told. */
async function* readPodLog(
  namespace: string,
  name: string,
  { api, sinceSeconds, tell }: LiveLogs,
): AsyncGenerator<Buffer> {
  const since = sinceSeconds === undefined ? '' : `&sinceSeconds=${sinceSeconds}`
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}/log?container=istio-proxy${since}`
  try {
    yield* await api.stream(path, new AbortController().signal)
  } catch (error) {
    const isAbsent = isNotFound(error) || (error instanceof ApiError && error.status === 400)
    if (isAbsent) tell(`Pod ${namespace}/${name}: ${messageOf(error)}; it counts as a pod without lines`)
    else throw new InputError('pod-logs-unreadable', [`${api.server}: Pod ${namespace}/${name}: ${problemOf(error)}`])
  }
}

function problemOf(error: unknown): string {
  if (!(error instanceof ApiError) || error.status !== 403) return messageOf(error)
  return `${error.message}; reading logs needs get on pods/log, which the chart's ClusterRole of rbac.accessLogs allows`
}
