/** A field of an object that does not hold what it should; `field` in Kubernetes' notation. */
export interface FieldProblem {
  readonly field: string
  readonly problem: string
}
