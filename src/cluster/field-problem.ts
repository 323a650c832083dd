/** A field of an object that does not hold what it should; `field` in Kubernetes' notation. */
export interface FieldProblem {
  readonly field: string
  readonly problem: string
}

export function isFieldProblem(value: unknown): value is FieldProblem {
  return typeof value === 'object' && value !== null && 'problem' in value
}
