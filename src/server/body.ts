/**
 * Reads request bodies, each within its limit and all of them together within theirs. The API server sends up to 27 MB for
 * a legal object; more than the bound at once is answered 503 with `Retry-After`, which it repeats on a new connection, and
 * so probably to another replica (docs/facts/operations.md#overload, docs/facts/admission-requests.md#retries).
 */
import type { IncomingMessage } from 'node:http'
import { HttpProblem } from './http-problem.ts'
import type { Metrics } from './metrics.ts'

export interface BodyReader {
  read(message: IncomingMessage): Promise<Buffer>
  /** Gives back the room of a body when its request has been answered. */
  release(message: IncomingMessage): void
}

export function createBodyReader(
  limits: { readonly requestBytes: number; readonly inFlightBytes: number },
  metrics: Metrics,
): BodyReader {
  const held = new Map<IncomingMessage, number>()
  let total = 0

  const hold = (message: IncomingMessage, bytes: number): void => {
    total += bytes - (held.get(message) ?? 0)
    held.set(message, bytes)
    metrics.setInFlight(held.size, total)
    if (bytes > limits.requestBytes) throw tooLarge(limits.requestBytes)
    if (total > limits.inFlightBytes) throw overloaded()
  }

  return {
    async read(message) {
      const announced = Number(message.headers['content-length'] ?? 0)
      hold(message, announced)
      const chunks: Buffer[] = []
      let size = 0
      for await (const chunk of message as AsyncIterable<Buffer>) {
        chunks.push(chunk)
        size += chunk.length
        if (size > announced) hold(message, size)
      }
      return Buffer.concat(chunks, size)
    },
    release(message) {
      total -= held.get(message) ?? 0
      held.delete(message)
      metrics.setInFlight(held.size, total)
    },
  }
}

function tooLarge(limit: number): HttpProblem {
  return new HttpProblem('too-large', `the review is larger than ${limit} bytes`)
}

function overloaded(): HttpProblem {
  return new HttpProblem('overloaded', 'too many request bytes in flight; retry', {
    'retry-after': '1',
  })
}
