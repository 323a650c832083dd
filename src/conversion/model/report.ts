/** The lines of a conversion's report: one or more for each field and annotation. */

/** What happened to a field or an annotation. */
export const OUTCOMES = {
  converted: 'The objects have an exact equivalent.',
  'not-needed': 'It asks for what Istio does anyway, or it has no effect.',
  'platform-step': 'Someone with rights in the gateway’s namespace, or in the mesh’s configuration, has to act.',
  approximate: 'The objects have it, with a difference that the message names.',
  unsupported: 'The objects do not have it.',
  foreign: 'Something other than the controller of this Ingress reads it.',
} as const

export type Outcome = keyof typeof OUTCOMES

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
