/** A request that gets no review for an answer. To the API server each is a failed call, which failurePolicy decides. */
import type { BadRequest } from './metrics.ts'

export class HttpProblem extends Error {
  readonly code = 'HTTP_PROBLEM'
  readonly statusCode: number
  readonly reason: BadRequest
  readonly headers: Readonly<Record<string, string>>

  constructor(statusCode: number, reason: BadRequest, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.statusCode = statusCode
    this.reason = reason
    this.headers = headers
  }
}

/** A `Status`, whose message the API server repeats to whoever sent the object. */
export function statusBody(code: number, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, code }
}
