/** Waits that grow with each failure and are spread at random, so that the replicas do not come back all at once. */
export interface Backoff {
  /** Milliseconds to wait now. */
  next(): number
  reset(): void
}

/** From `least` doubling to `most` milliseconds, each wait drawn from the upper half below that. */
export function createBackoff({ least, most }: { readonly least: number; readonly most: number }): Backoff {
  let failures = 0
  return {
    next() {
      const limit = Math.min(most, least * 2 ** failures)
      failures++
      return Math.round(limit * (0.5 + Math.random() / 2))
    },
    reset() {
      failures = 0
    },
  }
}
