/** A request body while it arrives. */
import type { IncomingMessage } from 'node:http'

/** A body's buffer has room for this many times the bytes that have arrived, at most. */
const MOST_SPARE = 4

/** Chunks, and their average size in bytes. */
const MOST_SMALL_CHUNKS = 1000
const SMALL_CHUNK = 64

export class Arrival {
  readonly message: IncomingMessage
  readonly #most: number
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0
  #chunks = 0
  #isComplete = false
  /** Settles the promise of `receive`, once it has been called. */
  #reject: (error: Error) => void = () => undefined

  /** `most` is the size of the largest accepted body, in bytes. */
  constructor(message: IncomingMessage, most: number) {
    this.message = message
    this.#most = most
  }

  /** The body's memory in bytes: up to four times the bytes that have arrived. */
  get memory(): number {
    return Math.min(this.#buffer.length, MOST_SPARE * this.#size)
  }

  /** Moves the body into a larger buffer of the caller's, which has room for the largest body. */
  moveTo(buffer: Buffer): void {
    this.#buffer.copy(buffer, 0, 0, this.#size)
    this.#buffer = buffer
  }

  /** Whether its chunks cost far more time than its bytes do. Clients of any kind send kilobytes at once. */
  get isCrumbled(): boolean {
    return this.#chunks > MOST_SMALL_CHUNKS && this.#size < SMALL_CHUNK * this.#chunks
  }

  get isComplete(): boolean {
    return this.#isComplete
  }

  /** Passes each chunk to `take` and resolves with the whole body. Rejects if the client leaves before the end. */
  receive(take: (chunk: Buffer) => void): Promise<Buffer> {
    return new Promise<Buffer>((resolve, reject) => {
      this.#reject = reject
      this.message.on('data', take)
      this.message.once('error', reject)
      this.message.once('close', () => {
        if (!this.#isComplete) reject(new Error('the client left before the end of the body'))
      })
      this.message.once('end', () => {
        this.#isComplete = true
        resolve(this.#buffer.subarray(0, this.#size))
      })
    })
  }

  /** Stops reading and rejects with the error. */
  fail(error: Error): void {
    this.message.removeAllListeners('data')
    this.#reject(error)
  }

  /** Appends the chunk. Returns whether that took more memory. */
  append(chunk: Buffer): boolean {
    const size = this.sizeWith(chunk)
    this.#chunks += 1
    if (this.#size === 0 && size === announcedBytes(this.message)) return this.#keep(chunk)
    const hasGrown = size > this.#buffer.length
    if (hasGrown) this.#grow(size)
    chunk.copy(this.#buffer, this.#size)
    this.#size = size
    return hasGrown
  }

  /** Most bodies arrive whole, and need no copy. */
  #keep(chunk: Buffer): boolean {
    const hasGrown = chunk.length > this.#buffer.length
    this.#buffer = chunk
    this.#size = chunk.length
    return hasGrown
  }

  sizeWith(chunk: Buffer): number {
    return this.#size + chunk.length
  }

  /**
   * Doubles the buffer, so that a body in one-byte chunks costs linear time. Once a quarter of the body has arrived, the
   * announced length is used.
   */
  #grow(size: number): void {
    const announced = announcedBytes(this.message)
    const doubled = Math.max(size, Math.min(2 * this.#buffer.length, this.#most))
    const next = Buffer.allocUnsafeSlow(announced >= size && announced <= MOST_SPARE * size ? announced : doubled)
    this.#buffer.copy(next, 0, 0, this.#size)
    this.#buffer = next
  }
}

/** Returns the announced length in bytes; 0 for a chunked body. */
export function announcedBytes(message: IncomingMessage): number {
  return Number(message.headers['content-length'] ?? 0)
}
