/**
 * Decides a request: runs the rules that handle its kind, stops at the first denial, adds up patches and warnings, and
 * proves the patch. The command line and the webhook both come through here, so they give the same answer.
 */
import { messageOf } from '../errors.ts'
import { isDeeperThan, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { describe, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { coded, REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision, RuleContext, RuleResult, WriteRequest } from '../rules/rule.ts'
import { RULES } from '../rules/rules.ts'
import { provePatch } from './prove-patch.ts'
import type { AdmissionRequest } from './review.ts'
import { singleLines } from './warning-text.ts'
import { allow, failOpen, type Notes, type Verdict } from './verdict.ts'

/** Real objects nest about twenty levels; JSON of 3 MiB can nest so deep that recursion exhausts the stack. */
const MAX_DEPTH = 200

/** Total: whatever goes wrong inside becomes a verdict that admits the object unchanged. */
export function admit(request: AdmissionRequest, context: RuleContext): Verdict {
  try {
    return runRules(request, context)
  } catch (error) {
    const detail = messageOf(error)
    return failOpen(nameOf(request), 'internal-error', singleLines([detail])[0])
  }
}

/** `Pod shop/web`, the way warnings name the object of a request; `*` where the name is still to be generated. */
export function nameOf({ kind, namespace, name }: AdmissionRequest): string {
  return `${kind} ${namespace}/${name === '' ? '*' : name}`
}

function runRules(request: AdmissionRequest, context: RuleContext): Verdict {
  const { object, oldObject, operation, kind } = request
  const rules = RULES.filter((rule) => rule.handles(kind))
  if (rules.length === 0) return failOpen(nameOf(request), 'no-rule')
  if (operation === 'DELETE' || operation === 'CONNECT') return allow('nothing-to-decide')
  if (!isObject(object)) return failOpen(nameOf(request), 'malformed', 'request.object must be an object')
  if (isDeeperThan(object, MAX_DEPTH) || isDeeperThan(oldObject, MAX_DEPTH))
    return failOpen(nameOf(request), 'too-deep')
  const reference = referenceOf(request, object)
  const write: WriteRequest = { operation, reference, object, oldObject: objectOrNone(oldObject), user: request.user }
  return combine(
    write,
    rules.map((rule) => rule.apply(write, context)),
    context,
  )
}

/** The request's own kind and namespace win over what the object says. */
function referenceOf({ kind, namespace }: AdmissionRequest, object: JsonObject): ObjectReference {
  const written = referenceTo(object, namespace === '' ? undefined : namespace)
  return { ...written, kind, namespace: namespace === '' ? written.namespace : namespace }
}

function objectOrNone(value: Json): JsonObject | undefined {
  return isObject(value) ? value : undefined
}

/** One verdict from the answers of all rules. */
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

/** `default` exists in every cluster, whether a manifest declares it or not. */
function isUndeclared({ namespace }: ObjectReference, { mesh }: RuleContext): boolean {
  return namespace !== 'default' && !mesh.namespace(namespace).isDeclared
}

function undeclaredText({ namespace }: ObjectReference): string {
  return coded(`namespace ${namespace}: ${REASONS[UNDECLARED]}`, UNDECLARED)
}

/** What was done explains a request better than what was left. */
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
