/** `check --watch`: keeps reading the cluster and reports again when the answer changes. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterState } from '../cluster/cluster-state.ts'
import { connectToCluster } from '../cluster/live/cluster-api.ts'
import { LiveCluster, type ClusterObserver } from '../cluster/live/live-cluster.ts'
import { REFLECTOR_TIMING } from '../cluster/live/reflector.ts'
import { nameOfTarget, resourcesFor, targetsOf, type WatchTarget } from '../cluster/live/watch-target.ts'
import type { Configuration } from '../config.ts'
import type { CheckResult } from './check-report.ts'

/** Milliseconds between two looks at the cluster, so that it reports once a second at most. */
const EVERY = 1000

export interface WatchedCheck {
  readonly context: string | undefined
  /** The report of a state of the cluster. */
  readonly report: (state: ClusterState) => Promise<CheckResult>
  readonly print: (output: string) => void
  readonly tell: (line: string) => void
}

/** Runs until `signal` is aborted, and returns the last result. `first` has been printed. Throws InputError. */
export async function watchCheck(
  first: CheckResult,
  { context, report, print, tell }: WatchedCheck,
  { cluster }: Configuration,
  signal: AbortSignal,
): Promise<CheckResult> {
  const refused = new Set<WatchTarget>()
  const live = new LiveCluster({
    api: await connectToCluster(context),
    targets: targetsOf(resourcesFor('all'), cluster.controlPlaneNamespaces),
    timing: REFLECTOR_TIMING,
    unknownAfter: cluster.unknownAfterSeconds * 1000,
    now: () => performance.now(),
    observer: observe(refused, tell),
  })
  live.start()
  let last = first
  let seen: ClusterState | undefined
  while (await isNextTime(signal)) {
    const state = settled(live, refused)
    if (state === undefined || state === seen) continue
    seen = state
    const next = await report(state)
    if (next.output !== last.output) print(next.output)
    last = next
  }
  await live.stop()
  return last
}

async function isNextTime(signal: AbortSignal): Promise<boolean> {
  await sleep(EVERY, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}

/** Returns the state once each kind has been read or refused: what is half read would look like a change. */
function settled(live: LiveCluster, refused: ReadonlySet<WatchTarget>): ClusterState | undefined {
  const isHalfRead = live.health().some(({ target, isSynced }) => !isSynced && !refused.has(target))
  return isHalfRead ? undefined : live.state
}

/** Each failure is reported once, until the kind fails for another reason. */
function observe(refused: Set<WatchTarget>, tell: (line: string) => void): ClusterObserver {
  const told = new Map<WatchTarget, string>()
  return {
    failed(target, error) {
      refused.add(target)
      if (told.get(target) === error.message) return
      told.set(target, error.message)
      tell(`${nameOfTarget(target)}: ${error.message}`)
    },
    unreadable(target, { namespace, name }, { field, problem }) {
      tell(`${target.resource.kind} ${namespace}/${name}: ${field}: ${problem}; left out`)
    },
    synced: () => undefined,
  }
}
