/**
 * The transcript of an admission: kubectl's line, the warnings, and a diff of the probes with the receipt's reasons.
 */
import { HANDLER_KINDS } from '../kubernetes/handler.ts'
import { equalJson, member, type JsonObject } from '../kubernetes/json.ts'
import { describe, type ObjectReference } from '../kubernetes/object.ts'
import { hasPodTemplate, readPodTemplate } from '../kubernetes/pod-template.ts'
import { REASONS, type Reason } from '../rules/reasons.ts'
import { parseReceipt, type ReceiptEntry } from '../rules/probes/receipt.ts'
import { REWRITE_PROBES } from '../istio/annotations.ts'
import type { Check } from '../kubernetes/container.ts'
import { isProblem } from '../kubernetes/problem.ts'
import { describeHandler } from '../commands/handler-text.ts'
import type { Paint } from '../commands/preview-text.ts'
import type { Answer } from './webhook-client.ts'

export interface Admitted {
  readonly reference: ObjectReference
  /** The object as sent, and as the API server stores it. */
  readonly before: JsonObject
  readonly after: JsonObject
  readonly answer: Answer
}

export function transcript(admitted: Admitted, paint: Paint): string {
  const { reference, answer } = admitted
  const lines = [
    ...answer.warnings.map((warning) => `${paint('yellow', 'Warning:')} ${warning}`),
    answer.allowed ? created(reference, answer, paint) : denied(reference, answer, paint),
    ...(answer.allowed ? probeLines(admitted, paint) : []),
  ]
  return lines.join('\n')
}

function created(reference: ObjectReference, { operations }: Answer, paint: Paint): string {
  const verdict =
    operations.length === 0
      ? paint('green', 'created unchanged')
      : paint('cyan', `created, ${count(operations.length)} by istio-onramp`)
  return `${paint('bold', describe(reference))} ${verdict}`
}

function count(operations: number): string {
  return operations === 1 ? '1 operation' : `${operations} operations`
}

function denied(reference: ObjectReference, { message }: Answer, paint: Paint): string {
  return `${paint('bold', describe(reference))} ${paint('red', 'denied')}\nError from server (Forbidden): admission webhook "ingress.istio-onramp.io" denied the request: ${message}`
}

function probeLines({ reference, before, after }: Admitted, paint: Paint): readonly string[] {
  if (!hasPodTemplate(reference.kind)) return []
  const old = readPodTemplate(reference.kind, before)
  const now = readPodTemplate(reference.kind, after)
  if ('problem' in old || 'problem' in now) return []
  const receipt = parseReceipt(now.annotations)
  return old.containers.flatMap((container) =>
    container.checks.flatMap((check) => {
      const found = now.containers.find(({ name, init }) => name === container.name && init === container.init)
      const changed = found?.checks.find(({ slot }) => slot === check.slot)?.raw
      const label = `  ${container.name} ${check.slot}`
      const entry = receipt?.get(container.name)?.get(check.slot)
      if (sameHandlers(check.raw, changed)) {
        const kept = keptBecause(check, entry, now.annotations.get(REWRITE_PROBES))
        return [`${label}: ${describeHandler(check.raw)} ${paint('dim', `(${kept})`)}`]
      }
      return [
        `${label}:`,
        `    ${paint('red', `- ${describeHandler(check.raw)}`)}`,
        `    ${paint('green', `+ ${describeHandler(changed)}`)}`,
        `    ${paint('dim', `why ${why(entry)}`)}`,
      ]
    }),
  )
}

/** Istio moves what its agent serves when it injects the pod, after this webhook. */
function keptBecause({ handler }: Check, entry: ReceiptEntry | undefined, annotation: string | undefined): string {
  if (entry?.strategy === 'agent') return "agent: Istio's agent asks it from now on"
  const isMoved = annotation === 'true' && !isProblem(handler) && handler.kind !== 'exec' && handler.kind !== 'sleep'
  return isMoved && entry === undefined ? "leave: Istio's agent asks it already" : 'unchanged'
}

function sameHandlers(left: JsonObject, right: JsonObject | undefined): boolean {
  return HANDLER_KINDS.every((kind) => equalJson(member(left, kind), member(right, kind)))
}

function why(entry: ReceiptEntry | undefined): string {
  if (entry === undefined) return 'not in the receipt'
  const sentence = Object.hasOwn(REASONS, entry.reason) ? REASONS[entry.reason as Reason] : ''
  return `${entry.reason}: ${sentence} (${entry.strategy})`
}
