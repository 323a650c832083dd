/**
 * Decides a request: runs the rules for its kind, stops at the first denial, combines patches and warnings, and proves
 * the patch. The command line and the webhook both call it, so they give the same answer.
 */
import { messageOf } from '../errors.ts'
import { isDeeperThan, isObject, MAX_DEPTH, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { finish, type Steps } from '../kubernetes/steps.ts'
import { describe, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { coded, REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision, RuleContext, RuleResult, WriteRequest } from '../rules/rule.ts'
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
  const { object, oldObject, operation, kind } = request
  const rules = RULES.filter((rule) => rule.handles(kind))
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
  return { ...written, kind, namespace: namespace === '' ? written.namespace : namespace }
}

function objectOrNone(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** Combines the results of all rules into one verdict. */
function combine({ object, reference }: WriteRequest, results: readonly RuleResult[], context: RuleContext): Verdict {
  const notes = notesOf(reference, results, context)
  const reason = leadingReason(notes.decisions)
  const denial = results.find((result) => result.denial !== undefined)?.denial
  if (denial !== undefined) return { ...notes, kind: 'deny', reason, message: denial }
  const operations = results.flatMap((result) => result.operations)
  return operations.length === 0 ? allow(reason, notes) : patch(object, operations, reason, notes, reference)
}

function notesOf(reference: ObjectReference, results: readonly RuleResult[], context: RuleContext): Notes {
  const undeclared = isUndeclared(reference, context)
  return {
    decisions: results.flatMap(({ decisions }) => decisions),
    warnings: singleLines([
      ...(undeclared ? [undeclaredText(reference)] : []),
      ...results.flatMap(({ warnings }) => warnings),
    ]),
    failOpen: unique([...(undeclared ? [UNDECLARED] : []), ...results.flatMap((result) => result.failOpen)]),
    refusedSettings: unique(results.flatMap((result) => result.refusedSettings)),
    exemptions: results.flatMap(({ exemptions }) => exemptions),
  }
}

function unique(reasons: readonly Reason[]): readonly Reason[] {
  return [...new Set(reasons)]
}

const UNDECLARED: Reason = 'namespace-not-declared'

/** `default` exists in every cluster, with or without a manifest. */
function isUndeclared({ namespace }: ObjectReference, { mesh }: RuleContext): boolean {
  return namespace !== 'default' && !mesh.namespace(namespace).isDeclared
}

function undeclaredText({ namespace }: ObjectReference): string {
  return coded(`namespace ${namespace}: ${REASONS[UNDECLARED]}`, UNDECLARED)
}

/** A change explains a request better than something left unchanged. */
function leadingReason(decisions: readonly Decision[]): Reason {
  const order = ['deny', 'rewrite', 'annotate', 'warn', 'leave', 'allow']
  const [first] = decisions.toSorted((left, right) => order.indexOf(left.action) - order.indexOf(right.action))
  return first?.reason ?? 'no-rule'
}

function patch(
  object: JsonObject,
  operations: readonly Operation[],
  reason: Reason,
  notes: Notes,
  reference: ObjectReference,
): Verdict {
  const proof = provePatch(object, operations)
  if ('problem' in proof) return failOpen(describe(reference), 'patch-not-applicable', proof.problem)
  return { ...notes, kind: 'patch', reason, operations, after: proof.result }
}
