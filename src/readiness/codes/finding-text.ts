export const SEVERITIES = ['error', 'warn', 'info'] as const
/**
 * `error`: something breaks. `warn`: a setting is wrong, or something breaks only when it is used. `info`: good to
 * know.
 */
export type Severity = (typeof SEVERITIES)[number]

/** The texts of a finding. Its page in docs/reference/findings and `check --explain` are made of them. */
export interface FindingText {
  readonly severity: Severity
  /** The step of the migration that it belongs to. */
  readonly area: 'inject' | 'probes' | 'egress' | 'ingress' | 'strict'
  readonly title: string
  /** What happens and why, in one to three sentences. */
  readonly meaning: string
  readonly remedy: string
}
