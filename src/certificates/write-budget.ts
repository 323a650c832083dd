/** Milliseconds. A loss is mended within a minute even if every write has to wait its turn. */
const INTERVAL = 5_000
const MOST = 10

/**
 * Ten writes at once, and one every five seconds after that: if another program keeps changing what we write, the API
 * server is not flooded.
 */
export class WriteBudget {
  #left = MOST
  #countedAt = 0

  /** Takes a write and returns 0, or returns how long to wait. `now` is in milliseconds on a monotonic clock. */
  take(now: number): number {
    const earned = Math.floor((now - this.#countedAt) / INTERVAL)
    this.#left = Math.min(MOST, this.#left + earned)
    this.#countedAt += earned * INTERVAL
    if (this.#left === 0) return this.#countedAt + INTERVAL - now
    this.#left -= 1
    return 0
  }
}
