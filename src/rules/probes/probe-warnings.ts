/** What whoever applies the object is told: one line each, naming the object, because kubectl prints a text only once. */
import { fieldPath } from '../../kubernetes/pod-template.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import type { DecidedCheck } from './probe-patch.ts'
import type { PodFacts } from './pod-facts.ts'
import { coded, type Reason } from '../reasons.ts'

/** `2 probes rewritten ...: web livenessProbe (exec), web readinessProbe (exec)`. */
export function announceRewrite(reference: ObjectReference, checks: readonly DecidedCheck[]): readonly string[] {
  const changed = checks.filter(({ decision }) => decision.action !== 'leave')
  const [first] = changed
  if (first === undefined) return []
  const reason = first.decision.reason
  return [coded(`${describe(reference)}: ${count(changed)} rewritten: ${list(changed)}`, reason)]
}

/** One line that says why the stored object and its pods will differ. */
export function announceTemplate(
  reference: ObjectReference,
  postponed: readonly DecidedCheck[],
  reason: Reason,
): readonly string[] {
  if (postponed.length === 0) return []
  return [
    coded(
      `${describe(reference)}: ${count(postponed)} rewritten in its pods, not in this template: ${list(postponed)}`,
      reason,
    ),
  ]
}

function count(checks: readonly DecidedCheck[]): string {
  return checks.length === 1 ? '1 check' : `${checks.length} checks`
}

function list(checks: readonly DecidedCheck[]): string {
  const shown = checks.slice(0, 3).map(({ facts, decision }) => {
    const strategy = decision.strategy === undefined ? '' : ` (${decision.strategy})`
    return `${facts.container.name} ${facts.check.slot}${strategy}`
  })
  return checks.length > 3 ? `${shown.join(', ')} and ${checks.length - 3} more` : shown.join(', ')
}

export function announceMalformed(
  reference: ObjectReference,
  pod: PodFacts,
  checks: readonly DecidedCheck[],
): readonly string[] {
  const fields = [
    ...pod.template.malformed.map(({ field, problem }) => `${field} ${problem}`),
    ...checks
      .filter(({ decision }) => decision.reason === 'malformed')
      .map(
        ({ facts, decision }) =>
          `${fieldPath(facts.check.pointer)}${separator(decision.evidence)}${decision.evidence ?? ''}`,
      ),
  ]
  return fields.map((text) => coded(`${describe(reference)}: ${text}; left as it is`, 'malformed'))
}

/** A problem with the check as a whole follows a space, one of its fields a dot. */
function separator(evidence: string | undefined): string {
  return /^(has|must) /.test(evidence ?? '') ? ' ' : '.'
}

/** A wish that could not be granted as it was written. */
export function announceFallbacks(
  reference: ObjectReference,
  pod: PodFacts,
  checks: readonly DecidedCheck[],
): readonly string[] {
  const execs = checks.filter(({ decision }) => decision.action === 'rewrite' && decision.strategy === 'exec')
  const disappointed = execs.filter(({ facts }) => wish(facts, pod) !== undefined)
  const [first] = disappointed
  if (first === undefined) return []
  return [
    coded(
      `${describe(reference)}: ${wish(first.facts, pod) ?? ''}: exec is used for ${list(disappointed)}`,
      'strict-mtls',
    ),
  ]
}

/** What was asked for and why it cannot be; undefined where exec is what was asked for. */
function wish({ container, handler }: DecidedCheck['facts'], { setting, probePorts }: PodFacts): string | undefined {
  const port = probePorts.forContainer(container.name)
  if (setting === 'exec') return undefined
  if (setting === 'agent') return "Istio's agent cannot serve it"
  if (port === undefined) return setting === 'port' ? 'annotation istio-onramp.io/probe-port names no port' : undefined
  if (!isProblem(handler) && handler.kind === 'tcpSocket')
    return `the proxy would answer a tcpSocket check on probe-port ${port}`
  return `probe-port ${port} takes only mutual TLS itself`
}
