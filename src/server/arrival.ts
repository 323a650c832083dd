/** A request body while it arrives. */
import type { IncomingMessage } from 'node:http'

export class Arrival {
  readonly message: IncomingMessage
  readonly #most: number
  #buffer: Buffer = Buffer.alloc(0)
  #size = 0
  #isComplete = false
  /** Settles the promise of `receive`, once it has been called. */
  #reject: (error: Error) => void = () => undefined

  /** `most` is the size of the largest accepted body, in bytes. */
  constructor(message: IncomingMessage, most: number) {
    this.message = message
    this.#most = most
  }

  /** The body's memory in bytes: up to twice the bytes that have arrived. */
  get memory(): number {
    return Math.min(this.#buffer.length, 2 * this.#size)
  }

  /** Moves the body into a larger buffer of the caller's, which has room for the largest body. */
  moveTo(buffer: Buffer): void {
    this.#buffer.copy(buffer, 0, 0, this.#size)
    this.#buffer = buffer
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
    const hasGrown = size > this.#buffer.length
    if (hasGrown) this.#grow(size)
    chunk.copy(this.#buffer, this.#size)
    this.#size = size
    return hasGrown
  }

  sizeWith(chunk: Buffer): number {
    return this.#size + chunk.length
  }

  /**
   * Doubles the buffer, so that a body in one-byte chunks costs linear time. Once half of the body has arrived, the
   * announced length is used.
   */
  #grow(size: number): void {
    const announced = announcedBytes(this.message)
    const doubled = Math.max(size, Math.min(2 * this.#buffer.length, this.#most))
    const next = Buffer.allocUnsafeSlow(announced >= size && announced <= 2 * doubled ? announced : doubled)
    this.#buffer.copy(next, 0, 0, this.#size)
    this.#buffer = next
  }
}

/** Returns the announced length in bytes; 0 for a chunked body. */
export function announcedBytes(message: IncomingMessage): number {
  return Number(message.headers['content-length'] ?? 0)
}
