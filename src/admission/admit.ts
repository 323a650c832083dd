/**
 * Decides a request: runs the rules for its kind, stops at the first denial, combines patches and warnings, and proves
 * the patch. The command line and the webhook both call it, so they give the same answer.
 */
import { messageOf } from '../errors.ts'
import { isDeeperThan, isObject, MAX_DEPTH, type Json, type JsonObject } from '../kubernetes/json.ts'
import { mergeAdded, type Operation } from '../kubernetes/json-pointer.ts'
import { finish, type Steps } from '../kubernetes/steps.ts'
import { describe, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { coded, REASONS, type Reason } from '../rules/reasons.ts'
import { isReviewedKind } from '../rules/reviewed-kinds.ts'
import type { Action, Decision, RuleContext, RuleResult, WriteRequest } from '../rules/rule.ts'
import { RULES } from '../rules/rules.ts'
import { provePatch } from './prove-patch.ts'
import type { AdmissionRequest } from './review.ts'
import { singleLines } from './warning-text.ts'
import { allow, failOpen, type Notes, type Verdict } from './verdict.ts'

/** Total: every internal failure becomes a verdict that admits the object unchanged. */
export function admit(request: AdmissionRequest, context: RuleContext): Verdict {
  return finish(admitInSteps(request, context))
}

/** The same, for a caller that pauses where a rule takes long. */
export function* admitInSteps(request: AdmissionRequest, context: RuleContext): Steps<Verdict> {
  try {
    return yield* runRules(request, context)
  } catch (error) {
    const detail = messageOf(error)
    return failOpen(nameOf(request), 'internal-error', singleLines([detail])[0])
  }
}

/** Returns `Pod shop/web`, the object's name in warnings; `*` if the name is still to be generated. */
export function nameOf({ kind, namespace, name }: AdmissionRequest): string {
  return `${kind} ${namespace}/${name === '' ? '*' : name}`
}

function* runRules(request: AdmissionRequest, context: RuleContext): Steps<Verdict> {
  const { object, oldObject, operation, kind, group } = request
  const rules = isReviewedKind(group, kind) ? RULES.filter((rule) => rule.handles(kind)) : []
  if (rules.length === 0) return failOpen(nameOf(request), 'no-rule')
  if (operation === 'DELETE' || operation === 'CONNECT') return allow('nothing-to-decide')
  if (!isObject(object)) return failOpen(nameOf(request), 'malformed', 'request.object must be an object')
  if (request.isShallow !== true && [object, oldObject].some((value) => isDeeperThan(value, MAX_DEPTH)))
    return failOpen(nameOf(request), 'too-deep')
  const reference = referenceOf(request, object)
  const write: WriteRequest = { operation, reference, object, oldObject: objectOrNone(oldObject), user: request.user }
  const results: RuleResult[] = []
  for (const rule of rules)
    results.push(
      rule.applyInSteps === undefined ? rule.apply(write, context) : yield* rule.applyInSteps(write, context),
    )
  return combine(write, results, context)
}

/** The request's own kind and namespace take precedence over the object's. */
function referenceOf({ kind, namespace }: AdmissionRequest, object: JsonObject): ObjectReference {
  const written = referenceTo(object, namespace === '' ? undefined : namespace)
  const { apiVersion, name } = written
  return { apiVersion, kind, namespace: namespace === '' ? written.namespace : namespace, name }
}

function objectOrNone(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** Combines the results of all rules into one verdict. */
function combine({ object, reference }: WriteRequest, results: readonly RuleResult[], context: RuleContext): Verdict {
  const joined = join(results)
  const notes = notesOf(reference, joined, context)
  const reason = leadingReason(notes.decisions)
  const { denial } = joined
  const operations = mergeAdded(joined.operations)
  if (denial !== undefined) return { ...notes, kind: 'deny', reason, message: denial }
  return operations.length === 0 ? allow(reason, notes) : patch(object, operations, reason, notes, reference)
}

function notesOf(reference: ObjectReference, joined: RuleResult, context: RuleContext): Notes {
  const { decisions, warnings, failOpen, refusedSettings, exemptions } = joined
  const undeclared = isUndeclared(reference, context)
  return {
    decisions,
    warnings: singleLines(undeclared ? [undeclaredText(reference), ...warnings] : warnings),
    failOpen: unique(undeclared ? [UNDECLARED, ...failOpen] : failOpen),
    refusedSettings: unique(refusedSettings),
    exemptions,
  }
}

/** Most kinds have one rule, whose result needs no copy. */
function join(results: readonly RuleResult[]): RuleResult {
  const [only, second] = results
  if (only !== undefined && second === undefined) return only
  const denial = results.find((result) => result.denial !== undefined)?.denial
  return {
    ...(denial === undefined ? {} : { denial }),
    decisions: results.flatMap((result) => result.decisions),
    operations: results.flatMap((result) => result.operations),
    warnings: results.flatMap((result) => result.warnings),
    failOpen: results.flatMap((result) => result.failOpen),
    refusedSettings: results.flatMap((result) => result.refusedSettings),
    exemptions: results.flatMap((result) => result.exemptions),
  }
}

function unique(reasons: readonly Reason[]): readonly Reason[] {
  return reasons.length < 2 ? reasons : [...new Set(reasons)]
}

const UNDECLARED: Reason = 'namespace-not-declared'

/** `default` exists in every cluster, with or without a manifest. */
function isUndeclared({ namespace }: ObjectReference, { mesh }: RuleContext): boolean {
  return namespace !== 'default' && !mesh.namespace(namespace).isDeclared
}

function undeclaredText({ namespace }: ObjectReference): string {
  return coded(`namespace ${namespace}: ${REASONS[UNDECLARED]}`, UNDECLARED)
}

/** A change explains a request better than something left unchanged. The first of several counts. */
function leadingReason(decisions: readonly Decision[]): Reason {
  let leading: Decision | undefined
  for (const decision of decisions)
    if (leading === undefined || RANKS[decision.action] < RANKS[leading.action]) leading = decision
  return leading?.reason ?? 'no-rule'
}

const RANKS: Readonly<Record<Action, number>> = { deny: 0, rewrite: 1, annotate: 2, warn: 3, leave: 4, allow: 5 }

function patch(
  object: JsonObject,
  operations: readonly Operation[],
  reason: Reason,
  notes: Notes,
  reference: ObjectReference,
): Verdict {
  const proof = provePatch(object, operations)
  if ('problem' in proof) return failOpen(describe(reference), 'patch-not-applicable', proof.problem)
  const { decisions, warnings, failOpen: failures, refusedSettings, exemptions } = notes
  const { result: after } = proof
  return {
    kind: 'patch',
    reason,
    operations,
    after,
    decisions,
    warnings,
    failOpen: failures,
    refusedSettings,
    exemptions,
  }
}
