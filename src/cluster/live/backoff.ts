/** Waits that grow with each failure. They are randomised, so that the replicas do not all return at once. */
export interface Backoff {
  /** Returns the milliseconds to wait now. */
  next(): number
  reset(): void
}

/** Doubles the wait from `least` to `most` milliseconds and picks a random value from the upper half. */
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
