/** A field of an object that does not hold what Kubernetes or Istio allows there. */
export interface Problem {
  /** In Kubernetes' notation, relative to what was read: `spec.ports[0].port`. Empty for the whole of it. */
  readonly field: string
  /** What is wrong, as it follows the field: `must be a string, not null`. */
  readonly problem: string
}

/** Tells a problem from the value that would have been read in its place. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value
}
