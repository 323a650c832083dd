/**
 * A response of the API server other than success. `status` is the HTTP status; 200 where the body is not what was asked
 * for.
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

/** The version to watch from is older than what the API server keeps. */
export function isGone(error: unknown): boolean {
  return error instanceof ApiError && error.status === 410
}
