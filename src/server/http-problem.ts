/** A request that gets no review as an answer. To the API server it is a failed call, and failurePolicy decides. */
import { HTTP_ERRORS, withErrorCode, type HttpErrorCode } from '../errors.ts'

export class HttpProblem extends Error {
  readonly code: HttpErrorCode
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>

  constructor(code: HttpErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.code = code
    this.statusCode = HTTP_ERRORS[code].status
    this.headers = headers
  }
}

/** Returns a `Status`, whose message the API server passes on to the user who sent the object. */
export function statusBody({ code, statusCode, message }: HttpProblem): object {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: withErrorCode(message, code),
    code: statusCode,
  }
}
