/**
 * Switches to STRICT in the last day that caused a warning or a denial. Nobody reads a warning if a GitOps controller
 * applies the policy. Records who, when, which policy and counts; no hosts, workloads or secrets.
 */
import type { AdmissionRequest } from '../admission/review.ts'
import type { Verdict } from '../admission/verdict.ts'

const DAY = 86_400_000
const MOST = 1000

export interface RecordedSwitch {
  /** RFC 3339. */
  readonly time: string
  readonly user: string
  readonly namespace: string
  readonly name: string
  readonly operation: string
  readonly action: string
  /** Counts as text, such as `7 errors in 3 objects`. */
  readonly counts: string
}

export interface SwitchLog {
  record(request: AdmissionRequest, verdict: Verdict): void
  list(): readonly RecordedSwitch[]
}

/** `now` returns milliseconds since the epoch. */
export function createSwitchLog(now: () => number): SwitchLog {
  let entries: readonly (RecordedSwitch & { readonly at: number })[] = []
  const recent = () => entries.filter(({ at }) => now() - at < DAY).slice(-MOST)
  return {
    record({ kind, user, namespace, name, operation, dryRun }, { decisions }) {
      if (kind !== 'PeerAuthentication' || dryRun) return
      const decision = decisions.find(({ rule, action }) => rule === 'strict-switch' && action !== 'allow')
      if (decision === undefined) return
      const at = now()
      const counts = decision.evidence ?? ''
      const time = new Date(at).toISOString()
      entries = [
        ...recent(),
        { at, time, user: user.slice(0, 253), namespace, name, operation, action: decision.action, counts },
      ]
    },
    list: () =>
      recent().map(({ time, user, namespace, name, operation, action, counts }) => ({
        time,
        user,
        namespace,
        name,
        operation,
        action,
        counts,
      })),
  }
}
