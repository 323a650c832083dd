/** Opens the cluster of `serve`: manifests, which never change, or the API server, which is watched. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import type { ClusterState } from '../cluster/cluster-state.ts'
import { isGone } from '../cluster/live/api-error.ts'
import type { ClusterApi } from '../cluster/live/cluster-api.ts'
import { LiveCluster, type ClusterObserver } from '../cluster/live/live-cluster.ts'
import { REFLECTOR_TIMING } from '../cluster/live/reflector.ts'
import { nameOfTarget, resourcesFor, targetsOf } from '../cluster/live/watch-target.ts'
import type { Configuration } from '../config.ts'
import { createClusterMetrics, type ClusterMetrics } from '../server/cluster-metrics.ts'

export type ClusterOption =
  { readonly kind: 'manifests'; readonly state: ClusterState } | { readonly kind: 'live'; readonly api: ClusterApi }

export interface OpenCluster {
  /** Undefined while too little is known or the data is too old. */
  state(): ClusterState | undefined
  isSynced(): boolean
  stop(): Promise<void>
}

export function openCluster(
  option: ClusterOption,
  { cluster }: Configuration,
  log: Logger,
  registry: Registry,
): OpenCluster {
  if (option.kind === 'manifests') {
    for (const note of option.state.notes) log.warn(note)
    return { state: () => option.state, isSynced: () => true, stop: async () => undefined }
  }
  const live: LiveCluster = new LiveCluster({
    api: option.api,
    targets: targetsOf(resourcesFor('all'), cluster.controlPlaneNamespaces),
    timing: REFLECTOR_TIMING,
    unknownAfter: cluster.unknownAfterSeconds * 1000,
    now: () => performance.now(),
    observer: createObserver(
      option.api,
      log,
      createClusterMetrics(registry, () => healthOf(live)),
    ),
  })
  live.start()
  log.info({ server: option.api.server }, 'reading the cluster')
  return { state: () => live.state, isSynced: () => live.isSynced, stop: () => live.stop() }
}

function healthOf(live: LiveCluster) {
  return live.health().map(({ target, ...health }) => ({ resource: nameOfTarget(target), ...health }))
}

function createObserver(api: ClusterApi, log: Logger, metrics: ClusterMetrics): ClusterObserver {
  const quietUntil = new Map<string, number>()
  return {
    // An unreachable API server fails every kind at once with the same message, which is logged once per wait.
    failed(target, error, wait) {
      const resource = nameOfTarget(target)
      metrics.countFailure(resource)
      const now = performance.now()
      for (const [said, until] of quietUntil) if (until <= now) quietUntil.delete(said)
      // The message about an expired version contains a number that differs for each kind.
      const words = isGone(error) ? 'expired' : error.message
      if (quietUntil.has(words)) return
      quietUntil.set(words, now + wait)
      log.warn(
        { server: api.server, resource, retrySeconds: wait / 1000, error: error.message },
        'reading the cluster failed; the last known state stays in use',
      )
    },
    unreadable(target, { namespace, name }, { field, problem }) {
      metrics.countUnreadable(nameOfTarget(target))
      log.warn({ resource: nameOfTarget(target), namespace, name, field, problem }, 'an object cannot be read')
    },
    synced(state) {
      log.info('the cluster has been read')
      for (const note of state.notes) log.warn(note)
    },
  }
}
