/** The lines of a conversion's report: at least one for each field and annotation. */

/** The possible outcomes of a field or an annotation. */
export const OUTCOMES = {
  converted: 'The objects have an exact equivalent.',
  'not-needed': 'Istio does it by default, or it has no effect.',
  'platform-step': 'The owner of the gateway’s namespace or of the mesh configuration must act.',
  approximate: 'The objects have an equivalent, with a difference that the message names.',
  unsupported: 'The objects have no equivalent.',
  foreign: 'Only something other than the controller of this Ingress reads it.',
} as const

export type Outcome = keyof typeof OUTCOMES

/** `error`: security, or traffic that is no longer served. `warn`: changed behaviour. `info`: for the record. */
export type Level = 'info' | 'warn' | 'error'

export interface ReportLine {
  /** `namespace/name` */
  readonly ingress: string
  readonly level: Level
  /** A field path such as `spec.rules[0].http.paths[1]`, or an annotation key. */
  readonly about: string
  readonly outcome: Outcome
  /** A single line. */
  readonly message: string
}

/** A line about the whole conversion, not about one Ingress. */
export type Note = Omit<ReportLine, 'ingress'>

/** The result of a stage: a value and its report lines. */
export interface Reported<Value, Line = ReportLine> {
  readonly value: Value
  readonly lines: readonly Line[]
}

export function collect<Value, Line>(parts: readonly Reported<Value, Line>[]): Reported<readonly Value[], Line> {
  return { value: parts.map(({ value }) => value), lines: parts.flatMap(({ lines }) => lines) }
}

/** The line of an annotation that holds only if a later stage grants the annotation's request. */
export interface Claim {
  readonly decidedBy: 'https-redirect' | 'client-certificate'
  /** The line if it is granted. */
  readonly line: ReportLine
}

const SEVERITY: Readonly<Record<Level, number>> = { error: 0, warn: 1, info: 2 }

/** Sorts errors first; negative if `left` is worse. */
export function byLevel(left: { readonly level: Level }, right: { readonly level: Level }): number {
  return SEVERITY[left.level] - SEVERITY[right.level]
}

export function isAtLeast(level: Level, least: Level): boolean {
  return SEVERITY[level] <= SEVERITY[least]
}

/** Whether a reader must act on the line: something is lost, differs, or needs the platform team. */
export function needsAttention({ level, outcome }: Note): boolean {
  return level !== 'info' || outcome === 'platform-step' || outcome === 'unsupported'
}
