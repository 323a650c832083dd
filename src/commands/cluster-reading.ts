/** The cluster of a command that answers and ends: from manifests, or read once from the API server. */
import { clusterFromFiles } from '../cluster/cluster-from-files.ts'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Configuration } from '../config.ts'

export interface ClusterFlags {
  readonly from?: readonly string[]
  readonly context?: string
}

export interface ReadCluster {
  readonly state: ClusterState
  /** Where objects without a namespace are: kubectl's rule for a cluster, `default` for manifests. */
  readonly namespace: string
}

/** Milliseconds between two progress lines. */
const PATIENCE = 1000

/** Notes and progress go to `tell`, line by line. Throws InputError. */
export async function readClusterOf(
  flags: ClusterFlags,
  { cluster }: Configuration,
  tell: (line: string) => void,
): Promise<ReadCluster> {
  const { controlPlaneNamespaces } = cluster
  const read =
    flags.from === undefined ? await readLive(flags.context, controlPlaneNamespaces, tell) : await readFiles(flags.from)
  for (const note of read.state.notes) tell(note)
  return read
}

async function readFiles(from: readonly string[]): Promise<ReadCluster> {
  return { state: await clusterFromFiles(from), namespace: 'default' }
}

async function readLive(
  context: string | undefined,
  controlPlaneNamespaces: readonly string[],
  tell: (line: string) => void,
): Promise<ReadCluster> {
  const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
  const { readCluster } = await import('../cluster/live/read-cluster.ts')
  const { resourcesFor, sourcesOf } = await import('../cluster/live/source.ts')
  const api = await connectToCluster(context)
  const sources = sourcesOf(resourcesFor('admission'), controlPlaneNamespaces)
  let progress = { read: 0, of: sources.length }
  const timer = setInterval(() => tell(`reading ${api.server}: ${progress.read} of ${progress.of} kinds`), PATIENCE)
  try {
    const { state, unreadable } = await readCluster(api, sources, (now) => (progress = now))
    for (const line of unreadable) tell(line)
    return { state, namespace: api.namespace ?? 'default' }
  } finally {
    clearInterval(timer)
  }
}
