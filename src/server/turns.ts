/** Lets reviews that take long give way to the others. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Steps } from '../kubernetes/steps.ts'

/** Returns the result at once if there is nothing to pause for. */
export type Turns = <Result>(steps: Steps<Result>) => Result | Promise<Result>

/**
 * Long reviews are decided one after the other, because many at once would each take a turn before any other review.
 * `most` is the length of a turn in milliseconds.
 */
export function createTurns(most: number): Turns {
  const one = pLimit(1)
  return (steps) => {
    const first = steps.next()
    return first.done === true ? first.value : one(() => takeTurns(steps, most))
  }
}

async function takeTurns<Result>(steps: Steps<Result>, most: number): Promise<Result> {
  for (;;) {
    const end = performance.now() + most
    do {
      const step = steps.next()
      if (step.done === true) return step.value
    } while (performance.now() < end)
    await nextTurn()
  }
}
