/** `preview -o text` and the demo: for each object the verdict, a diff of every probe with its reason, the messages. */
import { styleText } from 'node:util'
import type { Slot } from '../kubernetes/container.ts'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { describe } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'
import { REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision } from '../rules/rule.ts'
import { describeHandler } from './handler-text.ts'
import type { PreviewEntry } from './preview-entry.ts'

export type Paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export function createPaint(hasColor: boolean): Paint {
  return hasColor ? (style, text) => styleText(style, text) : (_style, text) => text
}

export function renderEntry(entry: PreviewEntry, paint: Paint): string {
  const { reference, verdict } = entry
  const lines = [
    `${paint('bold', describe(reference))}  ${headline(entry, paint)}`,
    ...verdict.decisions.flatMap((decision) => renderDecision(decision, entry, paint)),
    ...verdict.warnings.map((warning) => `  ${paint('yellow', 'warning:')} ${warning}`),
    ...(verdict.kind === 'deny' ? verdict.message.split('\n').map((line) => `  ${paint('red', '|')} ${line}`) : []),
  ]
  return lines.join('\n')
}

function headline({ verdict }: PreviewEntry, paint: Paint): string {
  switch (verdict.kind) {
    case 'deny':
      return paint('red', 'denied')
    case 'patch':
      return paint('cyan', `allowed, patched (${verdict.operations.length} operations)`)
    case 'warn':
    case 'allow':
      return paint(
        'green',
        verdict.decisions.some(({ cause }) => cause !== undefined)
          ? 'allowed as it is, pods are rewritten'
          : 'allowed as it is',
      )
  }
}

function explain(reason: Reason, evidence: string | undefined): string {
  return `${reason}: ${REASONS[reason]}${evidence === undefined || evidence === '' ? '' : ` (${evidence})`}`
}

function renderDecision(decision: Decision, entry: PreviewEntry, paint: Paint): readonly string[] {
  const { container, slot, action, reason, cause, evidence } = decision
  const why = explain(cause ?? reason, evidence)
  if (container === undefined || slot === undefined)
    return action === 'deny' ? [] : [`  ${paint('dim', `${action}  ${why}`)}`]
  const label = `  ${container} ${slot}`
  const before = describeHandler(checkOf(entry.before, entry.reference.kind, container, slot))
  if (cause !== undefined)
    return [
      ...diff(label, before, podHandler(entry, container, slot), why, paint),
      `    ${paint('dim', `when    the pods are created; ${explain(reason, undefined)}`)}`,
    ]
  if (action === 'leave') return [`${label}: ${before}`, `    ${paint('dim', `left    ${why}`)}`]
  const after =
    action === 'annotate'
      ? "served by Istio's agent on port 15020"
      : describeHandler(checkOf(entry.after, entry.reference.kind, container, slot))
  return diff(label, before, after, why, paint)
}

function diff(label: string, before: string, after: string, why: string, paint: Paint): readonly string[] {
  return [
    `${label}:`,
    `    ${paint('red', `- ${before}`)}`,
    `    ${paint('green', `+ ${after}`)}`,
    `    ${paint('dim', `why     ${why}`)}`,
  ]
}

function podHandler({ pod, verdict }: PreviewEntry, container: string, slot: Slot): string {
  const strategy = verdict.decisions.find(
    (decision) => decision.container === container && decision.slot === slot,
  )?.strategy
  if (strategy === 'agent') return "served by Istio's agent on port 15020"
  return describeHandler(pod === undefined ? undefined : checkOf(pod.after, 'Pod', container, slot))
}

function checkOf(object: JsonObject, kind: string, container: string, slot: Slot): JsonObject | undefined {
  const spec = memberAt(rawTemplate(kind, object), 'spec')
  const all: readonly Json[] = [...arrayMember(spec, 'initContainers'), ...arrayMember(spec, 'containers')]
  const found = all.find((entry) => stringMember(entry, 'name') === container)
  const check = slot === 'preStop' || slot === 'postStart' ? memberAt(found, 'lifecycle', slot) : member(found, slot)
  return isObject(check) ? check : undefined
}
