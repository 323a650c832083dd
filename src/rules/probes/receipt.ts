/**
 * The receipt of a rewrite: the annotation `istio-onramp.io/rewritten` on the pod or template. It makes re-application
 * idempotent, lets `preview` explain the rewrite, and makes `restore` possible.
 *
 *     {"web": {"livenessProbe": {"original": {"httpGet": {...}}, "strategy": "exec", "reason": "strict-mtls"}}}
 */
import { SLOTS, type Slot } from '../../kubernetes/container.ts'
import { handlerKinds } from '../../kubernetes/handler.ts'
import { isObject, member, parseJson, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'

export const RECEIPT = 'istio-onramp.io/rewritten'

export interface ReceiptEntry {
  /** The original handler: an object with `httpGet`, `tcpSocket` or `grpc`. */
  readonly original: JsonObject
  readonly strategy: string
  readonly reason: string
  /** Only with `agent`: the annotation's previous value, or null if it was absent. */
  readonly annotation?: string | null
}

export type Receipt = ReadonlyMap<string, ReadonlyMap<Slot, ReceiptEntry>>

/** Returns undefined if there is no receipt, or if it is not in our format; nothing is then read from it. */
export function parseReceipt(annotations: ReadonlyMap<string, string>): Receipt | undefined {
  const text = annotations.get(RECEIPT)
  const parsed = text === undefined ? undefined : parseJson(text)
  if (!isObject(parsed)) return undefined
  return new Map(Object.keys(parsed).map((container) => [container, parseSlots(member(parsed, container))]))
}

const STRATEGIES: ReadonlySet<string> = new Set(['exec', 'port', 'agent', 'leave'])
const NETWORK: ReadonlySet<string> = new Set(['httpGet', 'tcpSocket', 'grpc'])

/** Users can write a receipt as well: `restore` must not copy anything else from it into a probe. */
function holdsNetworkHandlers(original: JsonObject): boolean {
  const handlers = Object.entries(original)
  return handlers.length > 0 && handlers.every(([kind, handler]) => NETWORK.has(kind) && isObject(handler))
}

function parseSlots(value: Json | undefined): ReadonlyMap<Slot, ReceiptEntry> {
  const slots = new Map<Slot, ReceiptEntry>()
  for (const slot of SLOTS) {
    const entry = member(value, slot)
    const original = member(entry, 'original')
    const strategy = stringMember(entry, 'strategy')
    const annotation = member(entry, 'annotation')
    const kept = typeof annotation === 'string' || annotation === null ? { annotation } : {}
    if (isObject(original) && holdsNetworkHandlers(original) && STRATEGIES.has(strategy ?? ''))
      slots.set(slot, { original, strategy: strategy ?? '', reason: stringMember(entry, 'reason') ?? '', ...kept })
  }
  return slots
}

/** Orders containers by name and slots in a fixed order, so that equal decisions yield equal bytes. */
export function formatReceipt(receipt: Receipt): string | undefined {
  const containers = [...receipt]
    .filter(([, slots]) => slots.size > 0)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  if (containers.length === 0) return undefined
  return `{${containers.map(([name, slots]) => `${JSON.stringify(name)}:${formatSlots(slots)}`).join()}}`
}

function formatSlots(slots: ReadonlyMap<Slot, ReceiptEntry>): string {
  const present = SLOTS.filter((slot) => slots.has(slot))
  return `{${present.map((slot) => `"${slot}":${JSON.stringify(slots.get(slot))}`).join()}}`
}

/** Returns the handlers of a probe or hook without its timing, as the receipt stores them. */
export function handlersOf(check: JsonObject, except?: string): JsonObject {
  const kinds = handlerKinds(check).filter((kind) => kind !== except)
  return Object.fromEntries(kinds.map((kind) => [kind, member(check, kind)]))
}
