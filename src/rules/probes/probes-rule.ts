/**
 * Rewrites the probes and lifecycle hooks that STRICT mutual TLS would break, and leaves the others with a reason. The
 * order is: facts, decisions, template policy, patch.
 */
import { hasPodTemplate, readPodTemplate, type PodTemplate } from '../../kubernetes/pod-template.ts'
import { describe } from '../../kubernetes/object.ts'
import { defined } from '../../kubernetes/json.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { NO_OPINION, type Decision, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { coded, type Reason } from '../reasons.ts'
import { readCheckFacts, type CheckFacts } from './check-facts.ts'
import { decideChecks, type DecidedCheck } from './choose-strategy.ts'
import { readPodFacts } from './pod-facts.ts'
import { probePatch } from './probe-patch.ts'
import {
  announceBlind,
  announceMalformed,
  announceRewrite,
  announceTemplate,
  announceUnknown,
  announceUnmet,
} from './probe-warnings.ts'
import { RECEIPT } from './receipt.ts'
import { keepsTemplate, templatePolicy, type TemplatePolicy } from './template-policy.ts'

export const probesRule: Rule = { name: 'probes', handles: hasPodTemplate, apply: rewriteProbes }

function rewriteProbes(request: WriteRequest, context: RuleContext): RuleResult {
  const { reference, object } = request
  // Most updates of workloads: status, scale, labels.
  if (reference.kind !== 'Pod' && keepsTemplate(request))
    return { ...NO_OPINION, decisions: [{ rule: 'probes', action: 'leave', reason: 'template-unchanged' }] }
  const template = readPodTemplate(reference.kind, object)
  if (isProblem(template))
    return {
      ...NO_OPINION,
      decisions: [
        { rule: 'probes', action: 'leave', reason: 'malformed', evidence: `${template.field} ${template.problem}` },
      ],
      warnings: [coded(`${describe(reference)}: ${template.field} ${template.problem}; left as it is`, 'malformed')],
      failOpen: ['malformed'],
    }
  const checks = factsOf(template)
  // Most pods of a cluster.
  if (checks.length === 0 && template.malformed.length === 0 && !template.annotations.has(RECEIPT)) return NO_OPINION
  const pod = readPodFacts(request, template, context)
  const decided = decideChecks(checks, pod)
  const policy = policyFor(request, context, template)
  const { now, postponed } = withinPolicy(decided, policy)
  const decisions = now.map(toDecision)
  const refused = [...pod.own.warnings, ...policy.warnings]
  const malformed = announceMalformed(reference, pod, decided)
  return {
    decisions,
    operations: policy.extent === 'nothing' ? [] : probePatch(template, now, context),
    warnings: [
      ...refused,
      ...malformed,
      ...announceUnknown(reference, now),
      ...(policy.extent === 'nothing' ? [] : announceUnmet(reference, decided)),
      ...announceRewrite(reference, now),
      ...(policy.announces ? announceTemplate(reference, postponed, policy.reason) : []),
      ...(policy.announces || policy.extent === 'all' ? announceBlind(reference, now) : []),
    ],
    failOpen: failures(malformed, decided),
    refusedSettings: refused.length === 0 ? [] : ['setting-refused'],
    exemptions: [],
  }
}

function factsOf({ containers }: PodTemplate): readonly CheckFacts[] {
  const facts: CheckFacts[] = []
  for (const container of containers) for (const check of container.checks) facts.push(readCheckFacts(container, check))
  return facts
}

function failures(malformed: readonly string[], decided: readonly DecidedCheck[]): readonly Reason[] {
  const isUnknown = decided.some(({ decision }) => decision.reason === 'unknown-field')
  return [...(malformed.length === 0 ? [] : ['malformed' as const]), ...(isUnknown ? ['unknown-field' as const] : [])]
}

/** A template with malformed parts is not patched, because their indexes are unknown. */
function policyFor(request: WriteRequest, context: RuleContext, template: PodTemplate): TemplatePolicy {
  const policy = templatePolicy(request, context)
  return template.malformed.length === 0
    ? policy
    : { ...policy, extent: 'nothing', reason: 'malformed', announces: false }
}

/** Splits the decisions into those applied now and those left to the pods of this template. */
function withinPolicy(
  decided: readonly DecidedCheck[],
  policy: TemplatePolicy,
): { readonly now: readonly DecidedCheck[]; readonly postponed: readonly DecidedCheck[] } {
  if (policy.extent === 'all') return { now: decided, postponed: [] }
  const isPostponed = ({ decision }: DecidedCheck) =>
    decision.action !== 'leave' && !(policy.extent === 'clean' && decision.strategy === 'port')
  const now = decided.map((entry) => (isPostponed(entry) ? postpone(entry, policy) : entry))
  return { now, postponed: decided.filter(isPostponed) }
}

/** A Pod has no later pods, so a change that is not made now is never made. */
function postpone({ facts, decision }: DecidedCheck, { reason, hasPods }: TemplatePolicy): DecidedCheck {
  const evidence = decision.evidence ?? ''
  if (!hasPods) return { facts, decision: { action: 'leave', reason, evidence } }
  const { strategy = 'exec', reason: cause, port } = decision
  const left = { action: 'leave', reason, evidence, strategy, cause } as const
  return { facts, decision: port === undefined ? left : { ...left, port } }
}

function toDecision({ facts, decision }: DecidedCheck): Decision {
  const { action, reason, strategy, evidence, port } = decision
  const cause = decision.action === 'leave' ? decision.cause : undefined
  const { container, check } = facts
  const [name, slot] = [container.name, check.slot]
  return defined<Decision>({ rule: 'probes', container: name, slot, action, reason, strategy, cause, evidence, port })
}
