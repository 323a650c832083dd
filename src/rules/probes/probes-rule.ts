/**
 * Probes and lifecycle hooks that STRICT mutual TLS would break are rewritten; everything else is left, with the reason.
 * Facts, then decisions, then what the template allows, then the patch.
 */
import { hasPodTemplate, readPodTemplate, type PodTemplate } from '../../kubernetes/pod-template.ts'
import { describe } from '../../kubernetes/object.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { NO_OPINION, type Decision, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { coded } from '../reasons.ts'
import { readCheckFacts } from './check-facts.ts'
import { decideCheck } from './decide-check.ts'
import { readPodFacts } from './pod-facts.ts'
import { probePatch, type DecidedCheck } from './probe-patch.ts'
import { announceFallbacks, announceMalformed, announceRewrite, announceTemplate } from './probe-warnings.ts'
import { RECEIPT } from './receipt.ts'
import { templatePolicy, type TemplatePolicy } from './template-policy.ts'

export const probesRule: Rule = { name: 'probes', handles: hasPodTemplate, apply: rewriteProbes }

function rewriteProbes(request: WriteRequest, context: RuleContext): RuleResult {
  const { reference, object } = request
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
  const pod = readPodFacts(request, template, context)
  const decided = template.containers.flatMap((container) =>
    container.checks.map((check) => {
      const facts = readCheckFacts(container, check)
      return { facts, decision: decideCheck(facts, pod) }
    }),
  )
  const policy = policyFor(request, context, template)
  const { now, postponed } = withinPolicy(decided, policy)
  const decisions = now.map(toDecision)
  const hasNothing = decided.length === 0 && template.malformed.length === 0 && !template.annotations.has(RECEIPT)
  if (hasNothing) return { ...NO_OPINION, decisions }
  const refused = [...pod.warnings, ...policy.warnings]
  const malformed = announceMalformed(reference, pod, decided)
  return {
    ...NO_OPINION,
    decisions,
    operations: policy.extent === 'nothing' ? [] : probePatch(template, now, context),
    warnings: [
      ...refused,
      ...malformed,
      ...announceFallbacks(reference, pod, decided),
      ...announceRewrite(reference, now),
      ...(policy.announces ? announceTemplate(reference, postponed, policy.reason) : []),
    ],
    failOpen: malformed.length === 0 ? [] : ['malformed'],
    refusedSettings: refused.length === 0 ? [] : ['setting-refused'],
  }
}

/** A template with parts that cannot be read is not patched: what we cannot see we cannot index. */
function policyFor(request: WriteRequest, context: RuleContext, template: PodTemplate): TemplatePolicy {
  const policy = templatePolicy(request, context)
  return template.malformed.length === 0
    ? policy
    : { ...policy, extent: 'nothing', reason: 'malformed', announces: false }
}

/** What is done now, and what is left to the pods that this template will make. */
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

function postpone({ facts, decision }: DecidedCheck, { reason }: TemplatePolicy): DecidedCheck {
  const strategy = decision.strategy ?? 'exec'
  return {
    facts,
    decision: { action: 'leave', reason, strategy, cause: decision.reason, evidence: decision.evidence ?? '' },
  }
}

function toDecision({ facts, decision }: DecidedCheck): Decision {
  const { action, reason, strategy, evidence } = decision
  const cause = decision.action === 'leave' ? decision.cause : undefined
  return {
    rule: 'probes',
    container: facts.container.name,
    slot: facts.check.slot,
    action,
    reason,
    ...(strategy === undefined ? {} : { strategy }),
    ...(cause === undefined ? {} : { cause }),
    ...(evidence === undefined ? {} : { evidence }),
  }
}
