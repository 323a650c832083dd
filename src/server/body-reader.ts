/**
 * Reads request bodies within bounds on memory and time that no client can use up for the others.
 *
 * | a body          | memory                                                | if there is none                   |
 * |-----------------|-------------------------------------------------------|------------------------------------|
 * | <= `smallBytes` | charged as it arrives; all of them share `smallTotal` | the longest-arriving body is ended |
 * | larger          | one of the large slots, each of `requestBytes`        | it waits, unread, then gets a 503  |
 *
 * Only bytes that have arrived are charged, never the announced length. The API server sends up to 27 MB for a valid
 * object, and allows a call 30 s at most
 * (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts). It repeats a 503
 * with `Retry-After` on a new connection, and so probably to another replica.
 */
import type { IncomingMessage } from 'node:http'
import { announcedBytes, Arrival } from './arrival.ts'
import { BODY_BOUNDS, type BodyBounds } from './body-bounds.ts'
import { HttpProblem } from './http-problem.ts'
import { LargeSlots } from './large-slots.ts'
import type { InFlight, Metrics } from './metrics.ts'

export interface BodyLimits {
  /** The largest body, in bytes. */
  readonly requestBytes: number
  /** Bytes of all large bodies together. */
  readonly inFlightBytes: number
}

export class BodyReader {
  readonly #limits: BodyLimits
  readonly #bounds: BodyBounds
  readonly #slots: LargeSlots
  /** Every body that takes memory, in order of arrival, until its request has been answered. */
  readonly #arrivals = new Map<IncomingMessage, Arrival>()
  /**
   * One buffer for each slot in use. They are used again: memory outside of V8's heap does not make it collect garbage
   * in time, so a new buffer for each body took 200 MiB.
   */
  readonly #buffers = new Map<Arrival, Buffer>()
  readonly #spare: Buffer[] = []

  constructor(limits: BodyLimits, metrics: Pick<Metrics, 'showInFlight'>, bounds: BodyBounds = BODY_BOUNDS) {
    this.#limits = limits
    metrics.showInFlight(() => this.#inFlight())
    this.#bounds = bounds
    this.#slots = new LargeSlots(Math.max(1, Math.floor(limits.inFlightBytes / limits.requestBytes)), bounds, {
      unserved: (arrival) => this.#fail(arrival, overloaded()),
      tooSlow: (arrival) => this.#fail(arrival, slow()),
    })
  }

  /** Reads a body. Throws HttpProblem. */
  async read(message: IncomingMessage): Promise<Buffer> {
    if (announcedBytes(message) > this.#limits.requestBytes) throw tooLarge(this.#limits.requestBytes)
    const arrival = new Arrival(message, this.#limits.requestBytes)
    this.#arrivals.set(message, arrival)
    const timer = setTimeout(() => this.#fail(arrival, slow()), this.#bounds.deadline)
    try {
      return await arrival.receive((chunk) => this.#take(arrival, chunk))
    } catch (error) {
      this.release(message)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Releases the memory of a body once its request has been answered. */
  release(message: IncomingMessage): void {
    const arrival = this.#arrivals.get(message)
    if (arrival === undefined) return
    this.#arrivals.delete(message)
    const buffer = this.#buffers.get(arrival)
    this.#buffers.delete(arrival)
    if (buffer !== undefined) this.#spare.push(buffer)
    this.#slots.remove(arrival)
  }

  #take(arrival: Arrival, chunk: Buffer): void {
    if (arrival.sizeWith(chunk) > this.#limits.requestBytes) {
      this.#fail(arrival, tooLarge(this.#limits.requestBytes))
      return
    }
    if (this.#slots.holds(arrival) && !this.#buffers.has(arrival)) this.#lendBuffer(arrival)
    const hasGrown = arrival.append(chunk)
    if (arrival.isCrumbled) this.#fail(arrival, crumbled())
    if (!hasGrown || arrival.isCrumbled) return
    if (this.#slots.holds(arrival)) return
    if (arrival.memory <= this.#bounds.smallBytes) this.#makeRoom(arrival)
    else this.#slots.enter(arrival)
  }

  #lendBuffer(arrival: Arrival): void {
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#limits.requestBytes)
    this.#buffers.set(arrival, buffer)
    arrival.moveTo(buffer)
  }

  /** Ends the small bodies that have been arriving longest, until the rest fits. */
  #makeRoom(newcomer: Arrival): void {
    if (this.#arrivals.size * this.#bounds.smallBytes <= this.#bounds.smallTotal) return
    for (;;) {
      const small = [...this.#arrivals.values()].filter((arrival) => !this.#slots.holds(arrival))
      const total = small.reduce((sum, { memory }) => sum + memory, 0)
      if (total <= this.#bounds.smallTotal) return
      const oldest = small.find((other) => other !== newcomer && !other.isComplete)
      if (oldest === undefined) return
      this.#fail(oldest, overloaded())
    }
  }

  #fail(arrival: Arrival, problem: HttpProblem): void {
    this.release(arrival.message)
    arrival.fail(problem)
  }

  #inFlight(): InFlight {
    const bytes = [...this.#arrivals.values()].reduce((sum, { memory }) => sum + memory, 0)
    return { requests: this.#arrivals.size, bytes }
  }
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem('too-large', `the review is larger than ${limit} bytes`)
}

function overloaded(): HttpProblem {
  return new HttpProblem('overloaded', 'too many request bytes in flight; retry', { 'retry-after': '1' })
}

function crumbled(): HttpProblem {
  return new HttpProblem('slow-body', 'the request body arrived in too many small chunks')
}

function slow(): HttpProblem {
  return new HttpProblem('slow-body', 'the request body arrived too slowly')
}
