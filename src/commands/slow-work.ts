/** Progress of work that blocks the process: no timer fires meanwhile. */
import type { Steps } from '../kubernetes/steps.ts'

/** Milliseconds until the first line, and between two lines. */
const PATIENCE = 1000

/** Takes all steps. `tell` gets a line such as `checking: 2 s` for each second that passes. */
export function finishTelling<Result>(what: string, steps: Steps<Result>, tell: (line: string) => void): Result {
  const started = performance.now()
  let next = started + PATIENCE
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    const now = performance.now()
    if (now < next) continue
    tell(`${what}: ${Math.round((now - started) / 1000)} s`)
    next = now + PATIENCE
  }
}
