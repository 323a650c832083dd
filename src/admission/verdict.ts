/** The outcome of a review: a closed union. Only `review.ts` turns it into an AdmissionReview. */
import type { JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { coded, REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision, Exemption } from '../rules/rule.ts'

/** What every verdict has in addition to its outcome. */
export interface Notes {
  readonly decisions: readonly Decision[]
  /** Single lines, as `singleLines` returns them. */
  readonly warnings: readonly string[]
  /** Why the object, or a part of it, was admitted without a decision. Each is counted in a metric and logged. */
  readonly failOpen: readonly Reason[]
  /** The reason codes of refused user settings. */
  readonly refusedSettings: readonly Reason[]
  /** Annotations that loosened a rule. */
  readonly exemptions: readonly Exemption[]
}

interface Common extends Notes {
  /** The code that best explains the verdict, for the log and the metric. */
  readonly reason: Reason
}

export type Verdict =
  | (Common & { readonly kind: 'allow' })
  | (Common & { readonly kind: 'warn' })
  /** `after` is the object with the operations applied, as proved by `provePatch`. */
  | (Common & { readonly kind: 'patch'; readonly operations: readonly Operation[]; readonly after: JsonObject })
  | (Common & { readonly kind: 'deny'; readonly message: string })

/** Admits the object unchanged, with the warnings of `notes`. */
export function allow(reason: Reason, notes: Partial<Notes> = {}): Verdict {
  const { decisions = [], warnings = [], failOpen = [], refusedSettings = [], exemptions = [] } = notes
  const kind = warnings.length === 0 ? 'allow' : 'warn'
  return { kind, reason, decisions, warnings, failOpen, refusedSettings, exemptions }
}

/** Fails open: admits the object unchanged, with a warning, a metric and a log line. `what` is `Pod shop/web`. */
export function failOpen(what: string, reason: Reason, detail = ''): Verdict {
  const text = detail === '' ? REASONS[reason] : `${REASONS[reason]}: ${detail}`
  return allow(reason, { warnings: [coded(`${what}: ${text}; admitted unchanged`, reason)], failOpen: [reason] })
}
