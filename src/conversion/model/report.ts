/** The report of a conversion: what became of each field and annotation. */

/**
 * | outcome       | the field or annotation ...                                                  |
 * |---------------|------------------------------------------------------------------------------|
 * | converted     | has its equal in the objects                                                 |
 * | not-needed    | asks for what Istio does anyway, or does nothing                             |
 * | platform-step | needs somebody with rights in the gateway's namespace or in the mesh's configuration |
 * | approximate   | is in the objects, with a difference that the message names                  |
 * | unsupported   | is not in the objects                                                        |
 * | foreign       | is read by something else than the Ingress' controller                       |
 */
export type Outcome = 'converted' | 'not-needed' | 'platform-step' | 'approximate' | 'unsupported' | 'foreign'

/** `error`: security, or traffic that is no longer served; `warn`: behaviour that changes; `info`: for the record. */
export type Level = 'info' | 'warn' | 'error'

export interface ReportLine {
  /** `namespace/name` */
  readonly ingress: string
  readonly level: Level
  /** A field's path, `spec.rules[0].http.paths[1]`, or an annotation's key. */
  readonly about: string
  readonly outcome: Outcome
  /** One line. */
  readonly message: string
}

/** The result of a stage: a value, and what the report says about it. */
export interface Reported<Value, Line = ReportLine> {
  readonly value: Value
  readonly lines: readonly Line[]
}

export function collect<Value, Line>(parts: readonly Reported<Value, Line>[]): Reported<readonly Value[], Line> {
  return { value: parts.map(({ value }) => value), lines: parts.flatMap(({ lines }) => lines) }
}

/** The line of an annotation that is true only if a later stage grants what the annotation asks for. */
export interface Claim {
  readonly decidedBy: 'https-redirect'
  /** If it is granted. */
  readonly line: ReportLine
}

const SEVERITY: Readonly<Record<Level, number>> = { error: 0, warn: 1, info: 2 }

/** Errors first; negative where `left` is the graver one. */
export function byLevel(left: { readonly level: Level }, right: { readonly level: Level }): number {
  return SEVERITY[left.level] - SEVERITY[right.level]
}

export function isAtLeast(level: Level, least: Level): boolean {
  return SEVERITY[level] <= SEVERITY[least]
}

/** Lines that a reader has to act on: what is lost or differs, and what somebody else has to do. */
export function needsAttention({ level, outcome }: ReportLine): boolean {
  return level !== 'info' || outcome === 'platform-step' || outcome === 'unsupported'
}
