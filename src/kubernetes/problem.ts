/** A field whose value Kubernetes or Istio does not allow. */
export interface Problem {
  /** In Kubernetes' notation, relative to the value that was read: `spec.ports[0].port`. Empty for the value itself. */
  readonly field: string
  /** The problem, worded to follow the field: `must be a string, not null`. */
  readonly problem: string
}

/** Distinguishes a problem from a successfully read value. */
export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'problem' in value
}
