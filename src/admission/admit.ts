/**
 * Decides a request: runs the rules that handle its kind, stops at the first denial, adds up patches and warnings, and
 * proves the patch. The command line and the webhook both come through here, so that they say the same.
 */
import { isDeeperThan, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import { describe, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision, RuleContext, WriteRequest } from '../rules/rule.ts'
import { RULES } from '../rules/rules.ts'
import { provePatch } from './prove-patch.ts'
import type { AdmissionRequest } from './review.ts'
import { singleLines } from './warning-text.ts'
import { pass, passInDoubt, type Verdict } from './verdict.ts'

/** Far below what our recursion could not bear, far above any real object. */
const MAX_DEPTH = 200

/** Kinds of the contract whose rule is still to be written; sending them is no mistake. */
const WITHOUT_RULE_YET = new Set(['PeerAuthentication'])

/** Total: whatever goes wrong inside becomes a verdict that lets the object pass. */
export function admit(request: AdmissionRequest, context: RuleContext): Verdict {
  try {
    return decide(request, context)
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    return passInDoubt(nameOf(request), 'internal-error', singleLines([detail])[0])
  }
}

/** `Pod shop/web`, the way warnings name what a request is about. */
export function nameOf({ kind, namespace, name }: AdmissionRequest): string {
  return `${kind} ${namespace}/${name === '' ? '*' : name}`
}

function decide(request: AdmissionRequest, context: RuleContext): Verdict {
  const { object, oldObject, operation, kind } = request
  const rules = RULES.filter((rule) => rule.handles(kind))
  if (rules.length === 0) return WITHOUT_RULE_YET.has(kind) ? pass('no-rule') : passInDoubt(nameOf(request), 'no-rule')
  if (operation === 'DELETE' || operation === 'CONNECT') return pass('nothing-to-decide')
  if (!isObject(object)) return passInDoubt(nameOf(request), 'malformed', 'request.object must be an object')
  if (isDeeperThan(object, MAX_DEPTH) || isDeeperThan(oldObject, MAX_DEPTH))
    return passInDoubt(nameOf(request), 'too-deep')
  const write = writeRequest(request, object, oldObject)
  const results = rules.map((rule) => rule.decide(write, context))
  const decisions = results.flatMap((result) => result.decisions)
  const undeclared = isUndeclared(write.reference, context)
  const warnings = singleLines([
    ...(undeclared ? [undeclaredText(write.reference)] : []),
    ...results.flatMap((result) => result.warnings),
  ])
  const doubts = new Set<Reason>(undeclared ? ['namespace-not-declared'] : [])
  for (const result of results) for (const doubt of result.doubts) doubts.add(doubt)
  const common = { decisions, warnings, doubts: [...doubts] }
  const denial = results.find((result) => result.denial !== undefined)?.denial
  const reason = leadingReason(decisions)
  if (denial !== undefined) return { ...common, kind: 'deny', reason, message: denial }
  const operations = results.flatMap((result) => result.operations)
  if (operations.length === 0) return pass(reason, decisions, warnings, common.doubts)
  return proven(object, operations, { ...common, reason }, write.reference)
}

function writeRequest(request: AdmissionRequest, object: JsonObject, oldObject: Json): WriteRequest {
  const own = referenceTo(object, request.namespace === '' ? undefined : request.namespace)
  return {
    operation: request.operation,
    reference: { ...own, kind: request.kind, namespace: request.namespace === '' ? own.namespace : request.namespace },
    object,
    oldObject: isObject(oldObject) ? oldObject : undefined,
    user: request.user,
  }
}

/** `default` exists in every cluster, whether a manifest says so or not. */
function isUndeclared({ namespace }: ObjectReference, { mesh }: RuleContext): boolean {
  return namespace !== 'default' && !mesh.namespace(namespace).isDeclared
}

function undeclaredText({ namespace }: ObjectReference): string {
  const reason: Reason = 'namespace-not-declared'
  return `namespace ${namespace}: ${REASONS[reason]} [istio-onramp/${reason}]`
}

/** What was done explains a request better than what was left. */
function leadingReason(decisions: readonly Decision[]): Reason {
  const order = ['deny', 'rewrite', 'annotate', 'warn', 'leave', 'allow']
  const [first] = decisions.toSorted((left, right) => order.indexOf(left.action) - order.indexOf(right.action))
  return first?.reason ?? 'no-rule'
}

function proven(
  object: JsonObject,
  operations: readonly Operation[],
  common: Omit<Extract<Verdict, { kind: 'patch' }>, 'kind' | 'operations'>,
  reference: ObjectReference,
): Verdict {
  const proof = provePatch(object, operations)
  if ('problem' in proof) return passInDoubt(describe(reference), 'patch-not-applicable', proof.problem)
  return { ...common, kind: 'patch', operations }
}
