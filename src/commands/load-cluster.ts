/** Loads the cluster for a command that answers and ends: from manifests, or once from the API server. */
import { clusterFromFiles } from '../cluster/cluster-from-files.ts'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Configuration } from '../config.ts'

export interface ClusterFlags {
  readonly from?: readonly string[]
  readonly context?: string
}

export interface LoadedCluster {
  readonly state: ClusterState
  /** The namespace of objects without one: kubectl's rule for a cluster, `default` for manifests. */
  readonly namespace: string
}

/** Milliseconds between two progress lines. */
const PATIENCE = 1000

/** Notes and progress go to `tell`, line by line. Throws InputError. */
export async function loadCluster(
  flags: ClusterFlags,
  { cluster }: Configuration,
  tell: (line: string) => void,
  purpose: 'admission' | 'all' = 'admission',
): Promise<LoadedCluster> {
  const { controlPlaneNamespaces } = cluster
  const read =
    flags.from === undefined
      ? await readLive(flags.context, controlPlaneNamespaces, tell, purpose)
      : await readFiles(flags.from)
  for (const note of read.state.notes) tell(note)
  return read
}

async function readFiles(from: readonly string[]): Promise<LoadedCluster> {
  return { state: await clusterFromFiles(from), namespace: 'default' }
}

async function readLive(
  context: string | undefined,
  controlPlaneNamespaces: readonly string[],
  tell: (line: string) => void,
  purpose: 'admission' | 'all',
): Promise<LoadedCluster> {
  const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
  const { listOnce } = await import('../cluster/live/list-once.ts')
  const { resourcesFor, targetsOf } = await import('../cluster/live/watch-target.ts')
  const api = await connectToCluster(context)
  const targets = targetsOf(resourcesFor(purpose), controlPlaneNamespaces)
  let progress = { read: 0, of: targets.length }
  const timer = setInterval(() => tell(`reading ${api.server}: ${progress.read} of ${progress.of} kinds`), PATIENCE)
  try {
    const { state, unreadable } = await listOnce(api, targets, (now) => (progress = now))
    for (const line of unreadable) tell(line)
    return { state, namespace: api.namespace ?? 'default' }
  } finally {
    clearInterval(timer)
  }
}
