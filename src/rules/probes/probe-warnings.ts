/**
 * The warnings about probes and hooks. Each line names the object, because kubectl prints identical warnings only once.
 */
import { isHook } from '../../kubernetes/container.ts'
import { fieldPath } from '../../kubernetes/pod-template.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { coded, REASONS, type Reason } from '../reasons.ts'
import type { DecidedCheck } from './choose-strategy.ts'
import type { PodFacts } from './pod-facts.ts'

/** Returns `2 probes rewritten: web livenessProbe (exec), web readinessProbe (exec)`, with a line for each reason. */
export function announceRewrite(reference: ObjectReference, checks: readonly DecidedCheck[]): readonly string[] {
  const changed = checks.filter(({ decision }) => decision.action !== 'leave')
  return byReason(changed).map(([reason, group]) =>
    coded(`${describe(reference)}: ${count(group)} rewritten: ${list(group)}`, reason),
  )
}

/** Returns one line that says why the stored object and its pods will differ. */
export function announceTemplate(
  reference: ObjectReference,
  postponed: readonly DecidedCheck[],
  reason: Reason,
): readonly string[] {
  if (postponed.length === 0) return []
  const text = `${count(postponed)} will be rewritten when its pods are created; the template is stored unchanged: ${list(postponed)}`
  return [coded(`${describe(reference)}: ${text}`, reason)]
}

/** Warns about fields that could not be read. */
export function announceMalformed(
  reference: ObjectReference,
  pod: PodFacts,
  checks: readonly DecidedCheck[],
): readonly string[] {
  const fields = [
    ...pod.own.template.malformed.map(({ field, problem }) => `${field} ${problem}`),
    ...checks
      .filter(({ decision }) => decision.reason === 'malformed')
      .map(
        ({ facts, decision }) =>
          `${fieldPath(facts.check.pointer)}${separator(decision.evidence)}${decision.evidence ?? ''}`,
      ),
  ]
  return fields.map((text) => coded(`${describe(reference)}: ${text}; left as it is`, 'malformed'))
}

/** A problem with the probe or hook as a whole follows a space, a problem with one of its fields a dot. */
function separator(evidence: string | undefined): string {
  return /^(has|must) /.test(evidence ?? '') ? ' ' : '.'
}

/** Names fields of a later Kubernetes that a rewrite would lose. */
export function announceUnknown(reference: ObjectReference, checks: readonly DecidedCheck[]): readonly string[] {
  return checks
    .filter(({ decision }) => decision.reason === 'unknown-field')
    .map(({ facts }) => {
      const fields = facts.check.unknownFields.map((field) => `${fieldPath(facts.check.pointer)}.${field}`).join(', ')
      return coded(`${describe(reference)}: ${fields} is not known to this version; left as it is`, 'unknown-field')
    })
}

/** Warns about probes that always pass, in every mode. */
export function announceBlind(reference: ObjectReference, checks: readonly DecidedCheck[]): readonly string[] {
  const blind = checks.filter(({ decision }) => decision.reason === 'tcp-always-passes')
  if (blind.length === 0) return []
  const text = `${list(blind)} (tcpSocket): ${REASONS['tcp-always-passes']}; use httpGet, grpc or exec`
  return [coded(`${describe(reference)}: ${text}`, 'tcp-always-passes')]
}

/** Warns if exec replaces a requested strategy, and about its cost compared with the agent. */
export function announceUnmet(reference: ObjectReference, checks: readonly DecidedCheck[]): readonly string[] {
  const unmet = checks.flatMap((check) =>
    check.decision.action === 'rewrite' && check.decision.unmet !== undefined
      ? [{ check, why: check.decision.unmet }]
      : [],
  )
  return [...new Set(unmet.map(({ why }) => why))].flatMap((why) => {
    const same = unmet.filter((entry) => entry.why === why).map(({ check }) => check)
    return byReason(same).map(([reason, group]) =>
      coded(`${describe(reference)}: ${why}; using the exec strategy for ${list(group)}`, reason),
    )
  })
}

function byReason(checks: readonly DecidedCheck[]): readonly (readonly [Reason, readonly DecidedCheck[]])[] {
  const reasons = new Set(checks.map(({ decision }) => decision.reason))
  return [...reasons].map((reason) => [reason, checks.filter(({ decision }) => decision.reason === reason)])
}

function count(checks: readonly DecidedCheck[]): string {
  const noun = checks.some(({ facts }) => isHook(facts.check.slot)) ? 'probe or hook' : 'probe'
  return checks.length === 1 ? `1 ${noun}` : `${checks.length} ${noun === 'probe' ? 'probes' : 'probes and hooks'}`
}

function list(checks: readonly DecidedCheck[]): string {
  const shown = checks.slice(0, 3).map(({ facts, decision }) => {
    const strategy = decision.strategy === undefined ? '' : ` (${decision.strategy})`
    return `${facts.container.name} ${facts.check.slot}${strategy}`
  })
  return checks.length > 3 ? `${shown.join(', ')} and ${checks.length - 3} more` : shown.join(', ')
}
