/** Slots for large bodies. A body without a slot waits, unread. A slow body loses its slot to a waiting one. */
import type { Arrival } from './arrival.ts'
import type { BodyBounds } from './body-bounds.ts'

const TICK_MS = 200

export interface SlotListener {
  /** A waiting body found no slot within `patience`. */
  readonly unserved: (arrival: Arrival) => void
  /** A body kept its slot for longer than `turn` while another one waited. */
  readonly tooSlow: (arrival: Arrival) => void
}

export class LargeSlots {
  readonly #count: number
  readonly #bounds: BodyBounds
  readonly #listener: SlotListener
  readonly #waiting = new Set<Arrival>()
  /** The bodies with a slot, in the order in which they got it, with the time. */
  readonly #holders = new Map<Arrival, number>()
  #ticker: NodeJS.Timeout | undefined

  /** The listener must remove the arrival it is called with. */
  constructor(count: number, bounds: BodyBounds, listener: SlotListener) {
    this.#count = count
    this.#bounds = bounds
    this.#listener = listener
  }

  holds(arrival: Arrival): boolean {
    return this.#holders.has(arrival)
  }

  /** Pauses the body until it gets a slot. */
  enter(arrival: Arrival): void {
    if (this.#waiting.has(arrival)) return
    arrival.message.pause()
    this.#waiting.add(arrival)
    setTimeout(() => {
      if (this.#waiting.has(arrival)) this.#listener.unserved(arrival)
    }, this.#bounds.patience).unref()
    this.#give()
    if (this.#waiting.size > 0) this.#ticker ??= setInterval(() => this.#watchTurns(), TICK_MS).unref()
  }

  /** Passes the body's slot, if it has one, to the next. */
  remove(arrival: Arrival): void {
    this.#waiting.delete(arrival)
    this.#holders.delete(arrival)
    this.#give()
  }

  #give(): void {
    if (this.#waiting.size > 0 && this.#isFull) this.#endSlowest()
    for (const next of this.#waiting) {
      if (this.#isFull) return
      this.#waiting.delete(next)
      this.#holders.set(next, performance.now())
      next.message.resume()
    }
  }

  get #isFull(): boolean {
    return this.#holders.size >= this.#count
  }

  #endSlowest(): void {
    const now = performance.now()
    const slow = [...this.#holders].find(([holder, since]) => !holder.isComplete && now - since > this.#bounds.turn)
    if (slow !== undefined) this.#listener.tooSlow(slow[0])
  }

  #watchTurns(): void {
    this.#give()
    if (this.#waiting.size > 0) return
    clearInterval(this.#ticker)
    this.#ticker = undefined
  }
}
