/** Turns the decisions about a template's probes and hooks into JSON Patch operations, with the receipt. */
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import { isHook, type Slot } from '../../kubernetes/container.ts'
import { equalJson, isObject, member, memberAt, type JsonObject } from '../../kubernetes/json.ts'
import { pointer, setEntries, type Operation } from '../../kubernetes/json-pointer.ts'
import { MOST_ANNOTATION_BYTES } from '../../kubernetes/object.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import type { CheckFacts } from './check-facts.ts'
import type { CheckDecision, DecidedCheck } from './choose-strategy.ts'
import { deliverProber, removeProber } from './prober-delivery.ts'
import { proberCommand } from './prober-command.ts'
import { formatReceipt, handlersOf, parseReceipt, RECEIPT, type Receipt, type ReceiptEntry } from './receipt.ts'
import type { RuleContext } from '../rule.ts'

/**
 * | decision | prober's exec | effect                                         |
 * |----------|---------------|------------------------------------------------|
 * | exec     | absent        | the user's handler is replaced by exec         |
 * | exec     | beside        | the user's handler is removed, exec is updated |
 * | port     | absent        | the same handler on another port               |
 * | port     | beside        | exec is removed, the handler gets another port |
 * | leave    | beside        | exec is removed: two handlers are never valid  |
 * | leave    | otherwise     | unchanged                                      |
 *
 * If the user replaced or removed a rewritten probe or hook, the prober's other parts are removed as well. The
 * user's own apply would never remove them, because the manifest does not name them.
 */
export function probePatch(
  template: PodTemplate,
  checks: readonly DecidedCheck[],
  { configuration, mesh }: RuleContext,
): readonly Operation[] {
  const changes = checks.flatMap(changeCheck)
  const annotates = checks.some(({ decision }) => decision.action === 'annotate')
  const receipt = receiptAfter(template, checks)
  if (changes.length === 0 && !annotates && !isTakenBack(template, receipt)) return []
  const text = formatReceipt(receipt)
  const annotations = annotationOperations(template, text, annotates)
  // The proof refuses them, whatever else the patch changes.
  if (text !== undefined && text.length > MOST_ANNOTATION_BYTES) return annotations
  const users = checks.filter(({ facts, decision }) => runsProber(facts, decision))
  return [
    ...annotations,
    ...changes,
    ...(users.length === 0
      ? removeProber(template, parseReceipt(template.annotations) ?? new Map<string, never>())
      : deliverProber({
          template,
          containers: [...new Set(users.map(({ facts }) => facts.container))],
          prober: configuration.prober,
          hasImageVolumes: mesh.hasImageVolumes,
        })),
  ]
}

/** Whether the receipt contains a probe or hook that is no longer rewritten. */
function isTakenBack(template: PodTemplate, receipt: Receipt): boolean {
  const before = parseReceipt(template.annotations) ?? new Map<string, never>()
  return [...before].some(([name, slots]) => [...slots.keys()].some((slot) => receipt.get(name)?.has(slot) !== true))
}

function runsProber(facts: CheckFacts, decision: CheckDecision): boolean {
  return facts.prober === 'alone' || (decision.action === 'rewrite' && decision.strategy === 'exec')
}

function changeCheck({ facts, decision }: DecidedCheck): readonly Operation[] {
  const at = facts.check.pointer
  const dropOurs: readonly Operation[] = facts.prober === 'beside' ? [{ op: 'remove', path: pointer(at, 'exec') }] : []
  if (decision.action !== 'rewrite' || isProblem(facts.handler)) return dropOurs
  const kind = facts.handler.kind
  if (decision.strategy === 'port')
    return [...dropOurs, { op: 'replace', path: pointer(at, kind, 'port'), value: decision.port }]
  return [{ op: 'remove', path: pointer(at, kind) }, ...putExec(facts, { command: commandFor(facts) })]
}

/** Returns nothing if the same exec is present: an operation without effect still counts as a mutation. */
function putExec({ check, prober }: CheckFacts, exec: JsonObject): readonly Operation[] {
  const path = pointer(check.pointer, 'exec')
  if (prober !== 'beside') return [{ op: 'add', path, value: exec }]
  return equalJson(member(check.raw, 'exec'), exec) ? [] : [{ op: 'replace', path, value: exec }]
}

function commandFor({ handler, port, check }: CheckFacts): readonly string[] {
  if (isProblem(handler) || handler.kind === 'exec' || handler.kind === 'sleep' || port === undefined) return []
  return proberCommand({ handler, port, timeoutSeconds: check.timeoutSeconds, isHook: isHook(check.slot) })
}

function annotationOperations(
  template: PodTemplate,
  receipt: string | undefined,
  annotates: boolean,
): readonly Operation[] {
  const wanted = { [RECEIPT]: receipt, ...(annotates ? { [REWRITE_PROBES]: 'true' } : {}) }
  const metadata = memberAt(template.raw, 'metadata')
  const present = memberAt(template.raw, 'metadata', 'annotations')
  const at = pointer(template.pointer, 'metadata')
  if (isObject(metadata)) return setEntries(pointer(at, 'annotations'), isObject(present) ? present : undefined, wanted)
  const annotations = setEntries('', undefined, wanted)
  const [add] = annotations
  return add?.op === 'add' ? [{ op: 'add', path: at, value: { annotations: add.value } as JsonObject }] : []
}

/** Keeps the entries of probes and hooks that are still rewritten; the other entries record this decision. */
function receiptAfter(template: PodTemplate, checks: readonly DecidedCheck[]): Receipt {
  const before = parseReceipt(template.annotations)
  const after = new Map<string, Map<Slot, ReceiptEntry>>()
  for (const { facts, decision } of checks) {
    const known = before?.get(facts.container.name)?.get(facts.check.slot)
    const entry = entryFor(facts, decision, known, template.annotations.get(REWRITE_PROBES))
    if (entry === undefined) continue
    const slots = after.get(facts.container.name) ?? new Map<Slot, ReceiptEntry>()
    after.set(facts.container.name, slots.set(facts.check.slot, entry))
  }
  return after
}

function entryFor(
  { check, prober }: CheckFacts,
  decision: CheckDecision,
  before: ReceiptEntry | undefined,
  annotation: string | undefined,
): ReceiptEntry | undefined {
  if (prober === 'alone') return before
  const original = handlersOf(check.raw, prober === 'beside' ? 'exec' : undefined)
  if (decision.action === 'rewrite') return { original, strategy: decision.strategy, reason: decision.reason }
  if (decision.action === 'annotate')
    return { original, strategy: decision.strategy, reason: decision.reason, annotation: annotation ?? null }
  // Istio has moved the probe to its agent since we asked for it. Our webhook is called again after that change.
  if (decision.reason === 'served-by-agent' && before?.strategy === 'agent') return before
  if (decision.reason === 'istio-rewrites' && before?.strategy === 'agent') return before
  if (decision.reason === 'istio-rewrites') return { original, strategy: 'leave', reason: decision.reason }
  return before?.strategy === 'port' && prober === 'absent' ? before : undefined
}
