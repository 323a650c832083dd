/** What becomes of a request: a closed union. Only `review.ts` turns it into the wire's words. */
import type { Operation } from '../kubernetes/json-pointer.ts'
import type { Decision } from '../rules/rule.ts'
import { REASONS, type Reason } from '../rules/reasons.ts'

interface Common {
  /** The code that explains the verdict best: log field and metric label. */
  readonly reason: Reason
  readonly decisions: readonly Decision[]
  readonly warnings: readonly string[]
  /** What could not be read or is not known: each is a metric, and the log line says so. */
  readonly doubts: readonly Reason[]
}

export type Verdict =
  | (Common & { readonly kind: 'allow' })
  | (Common & { readonly kind: 'warn' })
  | (Common & { readonly kind: 'patch'; readonly operations: readonly Operation[] })
  | (Common & { readonly kind: 'deny'; readonly message: string })

/** The object passes as it is; with a text, whoever sent it is told why. */
export function pass(
  reason: Reason,
  decisions: readonly Decision[] = [],
  warnings: readonly string[] = [],
  doubts: readonly Reason[] = [],
): Verdict {
  return { kind: warnings.length === 0 ? 'allow' : 'warn', reason, decisions, warnings, doubts }
}

/** Doubt never becomes an outage: the object passes untouched, and someone hears of it. */
export function passInDoubt(what: string, reason: Reason, detail = ''): Verdict {
  const text = detail === '' ? REASONS[reason] : `${REASONS[reason]}: ${detail}`
  return pass(reason, [], [`${what}: ${text}; it passes as it is [istio-onramp/${reason}]`], [reason])
}
