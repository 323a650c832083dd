/**
 * Reads request bodies within bounds on memory and time that no client can use up for the others.
 *
 * | a body                     | memory                                                | if there is none                        |
 * |----------------------------|-------------------------------------------------------|-----------------------------------------|
 * | up to `smallBytes`         | charged as it arrives; all of them share `smallTotal` | the one that arrives longest is ended   |
 * | larger                     | one of the large slots, each of `requestBytes`        | it waits, unread, then is answered 503  |
 *
 * What is announced is never charged: only what has arrived. The API server sends up to 27 MB for a legal object, and
 * gives a call 30 s at most (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#timeouts).
 * It repeats a 503 with `Retry-After` on a new connection, and so probably to another replica.
 */
import type { IncomingMessage } from 'node:http'
import { HttpProblem } from './http-problem.ts'
import type { Metrics } from './metrics.ts'

export interface BodyReader {
  /** Throws HttpProblem. */
  read(message: IncomingMessage): Promise<Buffer>
  /** Gives the memory of a body back when its request has been answered. */
  release(message: IncomingMessage): void
}

export interface BodyBounds {
  /** Bodies up to this size never wait for larger ones. */
  readonly smallBytes: number
  /** Bytes of all small bodies together. */
  readonly smallTotal: number
  /** Milliseconds from the headers to the last byte. */
  readonly deadline: number
  /** Milliseconds that a large body waits for a slot. */
  readonly patience: number
  /** Milliseconds that a large body has for arriving while another one waits for its slot. */
  readonly turn: number
}

const MIB = 1024 * 1024
const TICK_MS = 200

export const BODY_BOUNDS: BodyBounds = {
  smallBytes: MIB,
  smallTotal: 32 * MIB,
  deadline: 30_000,
  patience: 10_000,
  turn: 5_000,
}

interface Arrival {
  readonly message: IncomingMessage
  buffer: Buffer
  size: number
  isComplete: boolean
  /** When it got a large slot; undefined without one. */
  slotSince: number | undefined
  readonly fail: (problem: HttpProblem) => void
}

// One closure over what all requests share; its parts make no sense apart.
// eslint-disable-next-line max-lines-per-function
export function createBodyReader(
  limits: { readonly requestBytes: number; readonly inFlightBytes: number },
  metrics: Pick<Metrics, 'setInFlight'>,
  bounds: BodyBounds = BODY_BOUNDS,
): BodyReader {
  const arrivals = new Map<IncomingMessage, Arrival>()
  const waiting: Arrival[] = []
  const slots = Math.max(1, Math.floor(limits.inFlightBytes / limits.requestBytes))

  const report = (): void => {
    let bytes = 0
    for (const { buffer } of arrivals.values()) bytes += buffer.length
    metrics.setInFlight(arrivals.size, bytes)
  }
  const holders = (): readonly Arrival[] => [...arrivals.values()].filter(({ slotSince }) => slotSince !== undefined)

  const makeRoom = (newcomer: Arrival): void => {
    for (;;) {
      const small = [...arrivals.values()].filter(({ slotSince }) => slotSince === undefined)
      const total = small.reduce((sum, { buffer }) => sum + buffer.length, 0)
      if (total <= bounds.smallTotal) return
      // A map keeps the order of arrival, so the first is the oldest.
      const oldest = small.find((other) => other !== newcomer && !other.isComplete)
      if (oldest === undefined) return
      oldest.fail(overloaded())
    }
  }

  const giveSlot = (): void => {
    if (waiting.length > 0 && holders().length >= slots) {
      const now = performance.now()
      holders()
        .find(({ slotSince = now, isComplete }) => !isComplete && now - slotSince > bounds.turn)
        ?.fail(slow())
    }
    while (waiting.length > 0 && holders().length < slots) {
      const next = waiting.shift()
      if (next === undefined) return
      next.slotSince = performance.now()
      next.message.resume()
    }
  }

  const end = (message: IncomingMessage): void => {
    const arrival = arrivals.get(message)
    if (arrival === undefined) return
    arrivals.delete(message)
    const place = waiting.indexOf(arrival)
    if (place !== -1) waiting.splice(place, 1)
    report()
    giveSlot()
  }

  const waitForSlot = (arrival: Arrival): void => {
    arrival.message.pause()
    waiting.push(arrival)
    setTimeout(() => {
      if (waiting.includes(arrival)) arrival.fail(overloaded())
    }, bounds.patience).unref()
    giveSlot()
    if (waiting.length > 0) ticker ??= setInterval(watchTurns, TICK_MS).unref()
  }

  let ticker: NodeJS.Timeout | undefined
  const watchTurns = (): void => {
    giveSlot()
    if (waiting.length > 0) return
    clearInterval(ticker)
    ticker = undefined
  }

  const take = (arrival: Arrival, chunk: Buffer): void => {
    const size = arrival.size + chunk.length
    if (size > limits.requestBytes) {
      arrival.fail(tooLarge(limits.requestBytes))
      return
    }
    const hasGrown = size > arrival.buffer.length
    if (hasGrown) grow(arrival, size, limits.requestBytes)
    chunk.copy(arrival.buffer, arrival.size)
    arrival.size = size
    if (!hasGrown) return
    report()
    if (arrival.slotSince !== undefined) return
    if (arrival.buffer.length <= bounds.smallBytes) makeRoom(arrival)
    else if (!waiting.includes(arrival)) waitForSlot(arrival)
  }

  return {
    async read(message) {
      const announced = Number(message.headers['content-length'] ?? 0)
      if (announced > limits.requestBytes) throw tooLarge(limits.requestBytes)
      try {
        return await new Promise<Buffer>((resolve, reject) => {
          const arrival: Arrival = {
            message,
            buffer: Buffer.alloc(0),
            size: 0,
            isComplete: false,
            slotSince: undefined,
            fail(problem) {
              clearTimeout(timer)
              end(message)
              message.removeAllListeners('data')
              reject(problem)
            },
          }
          arrivals.set(message, arrival)
          const timer = setTimeout(() => arrival.fail(slow()), bounds.deadline)
          message.once('close', () => {
            clearTimeout(timer)
            if (!arrival.isComplete) reject(new Error('the client left before the end of the body'))
          })
          message.on('data', (chunk: Buffer) => take(arrival, chunk))
          message.once('error', reject)
          message.once('end', () => {
            clearTimeout(timer)
            arrival.isComplete = true
            resolve(arrival.buffer.subarray(0, arrival.size))
          })
        })
      } catch (error) {
        end(message)
        throw error
      }
    },
    release: end,
  }
}

/**
 * Doubles, so that a body in one-byte chunks costs what it is long. The announced length is taken once half of it has come.
 */
function grow(arrival: Arrival, size: number, most: number): void {
  const announced = Number(arrival.message.headers['content-length'] ?? 0)
  const doubled = Math.max(size, Math.min(2 * arrival.buffer.length, most))
  const next = Buffer.allocUnsafeSlow(announced >= size && announced <= 2 * doubled ? announced : doubled)
  arrival.buffer.copy(next, 0, 0, arrival.size)
  arrival.buffer = next
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem('too-large', `the review is larger than ${limit} bytes`)
}

function overloaded(): HttpProblem {
  return new HttpProblem('overloaded', 'too many request bytes in flight; retry', { 'retry-after': '1' })
}

function slow(): HttpProblem {
  return new HttpProblem('slow-body', 'the request body arrived too slowly')
}
