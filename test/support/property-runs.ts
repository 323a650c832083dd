/**
 * How often a property test tries: one habit for all of them. Inputs are the same on every run, so a failure is repeated by
 * running the test again; fast-check prints the counterexample, the seed and the path.
 *
 * ISTIO_ONRAMP_PROPERTY_RUNS multiplies the number of inputs (default 1; .ci/run takes 10), ISTIO_ONRAMP_PROPERTY_SEED
 * replaces the seed (default 3).
 */
export interface PropertyRuns {
  readonly numRuns: number
  readonly seed: number
}

export function propertyRuns(count: number): PropertyRuns {
  return {
    numRuns: count * wholeNumber('ISTIO_ONRAMP_PROPERTY_RUNS', 1),
    seed: wholeNumber('ISTIO_ONRAMP_PROPERTY_SEED', 3),
  }
}

/** For the message of an assertion: what was tried. */
export function triedText({ numRuns, seed }: PropertyRuns, what: string): string {
  return `${numRuns} ${what} by seed ${seed}`
}

function wholeNumber(name: string, fallback: number): number {
  const text = process.env[name]
  if (text === undefined) return fallback
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`${name} is ${JSON.stringify(text)}, a whole number from 1 is required`)
  return Number(text)
}
