/**
 * Work that its caller may pause. A question about a large mesh takes up to a second, and the webhook has other reviews
 * to answer meanwhile: each `yield` is a place to do so.
 */
export type Steps<Result> = Generator<void, Result, void>

/** Takes all steps at once. */
export function finish<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
