/** Keeps the guard of STRICT ready for a review: what it knows of the cluster is built before one asks. */
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import { prepareGuard, rehearseGuard } from '../rules/strict-switch/compare-switch.ts'
import { createTurns } from '../server/turns.ts'

/** Milliseconds. In a cluster of 10,000 workloads it takes half a second of the processor, in turns of `TURN`. */
const EVERY = 15_000
const TURN = 5
/** Milliseconds between two looks whether the cluster has been read for the first time. */
const FIRST = 500

/** Returns a function that stops it. */
export function keepGuardReady(state: () => ClusterState | undefined, configuration: RuleConfiguration): () => void {
  const turns = createTurns(TURN)
  const prepared = new WeakSet<ClusterState>()
  let timer = setInterval(() => void rehearse(), FIRST).unref()
  const rehearse = async (): Promise<void> => {
    const current = state()
    if (current === undefined) return
    clearInterval(timer)
    timer = setInterval(() => void prepare(), EVERY).unref()
    prepared.add(current)
    await attempt(() => turns(rehearseGuard(current, configuration)))
  }
  const prepare = async (): Promise<void> => {
    const current = state()
    if (current === undefined || prepared.has(current)) return
    prepared.add(current)
    await attempt(() => turns(prepareGuard(current)))
  }
  return () => clearInterval(timer)
}

/** A review meets the same error, and reports it. */
async function attempt(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch {
    return
  }
}
