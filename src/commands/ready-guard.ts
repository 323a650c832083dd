/** Keeps the guard of STRICT ready for a review: what it knows of the cluster is built before one asks. */
import type { ClusterState } from '../cluster/cluster-state.ts'
import { prepareGuard } from '../rules/strict-switch/compare-switch.ts'
import { createTurns } from '../server/turns.ts'

/** Milliseconds. In a cluster of 10,000 workloads it takes half a second of the processor, in turns of `TURN`. */
const EVERY = 15_000
const TURN = 5

/** Returns a function that stops it. */
export function keepGuardReady(state: () => ClusterState | undefined): () => void {
  const turns = createTurns(TURN)
  const prepared = new WeakSet<ClusterState>()
  const prepare = async (): Promise<void> => {
    const current = state()
    if (current === undefined || prepared.has(current)) return
    prepared.add(current)
    try {
      await turns(prepareGuard(current))
    } catch {
      // The review meets the same error, and reports it.
    }
  }
  const timer = setInterval(() => void prepare(), EVERY)
  timer.unref()
  return () => clearInterval(timer)
}
