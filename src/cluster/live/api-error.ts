/**
 * A response of the API server other than success. `status` is the HTTP status; it is 200 if the body was unexpected.
 */
export class ApiError extends Error {
  readonly code = 'api-server'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404
}

/** Whether the resourceVersion to watch from is older than the API server's history. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410
}
