/** `preview -o text`: a summary, then each object worth showing: changes, reasons and additions. */
import { counted } from '../kubernetes/counted.ts'
import { styleText } from 'node:util'
import { isHook, type Slot } from '../kubernetes/container.ts'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'
import { describe } from '../kubernetes/object.ts'
import { REASONS, type Reason } from '../rules/reasons.ts'
import type { Decision } from '../rules/rule.ts'
import { describeHandler } from './handler-text.ts'
import type { PreviewEntry } from './preview-entry.ts'

export type Paint = (style: 'green' | 'red' | 'yellow' | 'dim' | 'bold' | 'cyan', text: string) => string

export function createPaint(hasColor: boolean): Paint {
  return hasColor ? (style, text) => styleText(style, text) : (_style, text) => text
}

const WIDTH = 100

/** Lines have at most 100 columns, except for longer words and YAML to copy. `cost` is what its exec probes cost. */
export function renderEntry(entry: PreviewEntry, place: string, cost: string | undefined, paint: Paint): string {
  const { reference, verdict } = entry
  const name = `${reference.kind} ${reference.name}`
  const lines = [
    `${paint('bold', name)}  ${paint('dim', `(${place})`)}`,
    ...(verdict.kind === 'deny' ? [] : wrap(headline(entry), '  ').map((line) => paint(headlineStyle(entry), line))),
    ...probeLines(entry, paint),
    ...(cost === undefined ? [] : wrap(cost, '  ', '    ')),
    ...additionLines(entry, paint),
    ...remainingWarnings(entry).flatMap((warning) =>
      wrap(`warning: ${warning}`, '  ', '    ').map((line) => paint('yellow', line)),
    ),
    ...(verdict.kind === 'deny' ? denialLines(verdict.message, paint) : []),
  ]
  return lines.join('\n')
}

/** Whether the object is shown without `--all`. */
export function hasSomethingToSay(entry: PreviewEntry): boolean {
  const { verdict, role } = entry
  if (verdict.kind !== 'allow') return true
  return role === 'pods-unread' || role === 'namesake' || verdict.decisions.some(({ cause }) => cause !== undefined)
}

/** Returns the probes and hooks that change, now or in the object's pods. */
export function rewrittenIn({ verdict }: PreviewEntry): readonly Decision[] {
  return verdict.decisions.filter(
    ({ action, cause, slot }) =>
      slot !== undefined && (action === 'rewrite' || action === 'annotate' || cause !== undefined),
  )
}

function headline(entry: PreviewEntry): string {
  const { verdict, role, reference } = entry
  const postponed = verdict.decisions.find(({ cause }) => cause !== undefined)
  const rewritten = count(rewrittenIn(entry))
  if (role === 'pods-unread') return 'its template is not read here; its pods are rewritten when they are created'
  if (role === 'namesake')
    return `${reference.apiVersion} is not the API of the ${reference.kind} that the webhook reviews; left as it is`
  if (rewritten === NOTHING && (postponed !== undefined || verdict.kind === 'patch'))
    return postponed === undefined ? 'annotated' : 'annotated when its pods are created'
  if (postponed !== undefined && verdict.kind === 'patch')
    return `rewritten: ${rewritten}, some of them when its pods are created`
  if (postponed !== undefined)
    return `rewritten when its pods are created: ${rewritten}${
      postponed.reason === 'at-pod-creation' ? '' : `. ${sentence(postponed.reason)}`
    }`
  return verdict.kind === 'patch' ? `rewritten: ${rewritten}` : 'left as it is'
}

function headlineStyle({ verdict }: PreviewEntry): 'cyan' | 'green' {
  const changes = verdict.kind === 'patch' || verdict.decisions.some(({ cause }) => cause !== undefined)
  return changes ? 'cyan' : 'green'
}

function count(decisions: readonly Decision[]): string {
  const hooks = decisions.filter(({ slot }) => slot !== undefined && isHook(slot)).length
  return countText(decisions.length - hooks, hooks)
}

const NOTHING = 'nothing'

/** Returns `2 probes and 1 hook`. */
export function countText(probes: number, hooks: number): string {
  return (
    [counted(probes, 'probe'), counted(hooks, 'hook')].filter((text) => !text.startsWith('0 ')).join(' and ') || NOTHING
  )
}

function sentence(reason: Reason): string {
  const text = REASONS[reason]
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** Groups probes by their reason, which is printed once. */
function probeLines(entry: PreviewEntry, paint: Paint): readonly string[] {
  const shown = entry.verdict.decisions.filter(({ action }) => action !== 'deny')
  const groups = new Map<string, Decision[]>()
  for (const decision of shown) {
    const code = `${verbOf(decision)} ${decision.cause ?? decision.reason}`
    groups.set(code, [...(groups.get(code) ?? []), decision])
  }
  return [...groups.values()].flatMap((decisions) => [
    ...wrap(whyOf(decisions), '  ', '    ').map((line) => paint('dim', line)),
    ...decisions.flatMap((decision) => probeDiff(decision, entry, paint)),
  ])
}

function verbOf({ action, cause, slot }: Decision): string {
  if (slot === undefined) return cause === undefined ? action : 'annotate'
  return cause === undefined && action === 'leave' ? 'left' : 'why'
}

function whyOf(decisions: readonly Decision[]): string {
  const [first] = decisions
  if (first === undefined) return ''
  const code = first.cause ?? first.reason
  const evidence = [...new Set(decisions.flatMap((decision) => decision.evidence ?? []))].filter((text) => text !== '')
  return `${verbOf(first)}: ${REASONS[code]}${evidence.length === 0 ? '' : ` (${evidence.join('; ')})`} [${code}]`
}

const BY_AGENT = "served by Istio's agent, on the pod's status port"

function probeDiff(decision: Decision, entry: PreviewEntry, paint: Paint): readonly string[] {
  const { container, slot, action, cause, strategy } = decision
  if (container === undefined || slot === undefined) return []
  const label = `    ${container} ${slot}`
  const before = describeHandler(handlerOf(givenPod(entry), entry.before, entry, container, slot))
  if (action === 'leave' && cause === undefined) return wrap(`${label.trim()}: ${before}`, '    ', '        ')
  const isPod = cause !== undefined && entry.pod !== undefined
  const after =
    action === 'annotate' || strategy === 'agent'
      ? BY_AGENT
      : describeHandler(handlerOf(isPod ? entry.pod.after : undefined, entry.after, entry, container, slot))
  return [
    `${label}:`,
    ...wrap(`- ${before}`, '      ', '        ').map((line) => paint('red', line)),
    ...wrap(`+ ${after}`, '      ', '        ').map((line) => paint('green', line)),
  ]
}

function handlerOf(
  pod: JsonObject | undefined,
  object: JsonObject,
  { reference }: PreviewEntry,
  container: string,
  slot: Slot,
): JsonObject | undefined {
  const spec = pod === undefined ? member(rawTemplate(reference.kind, object), 'spec') : member(pod, 'spec')
  const all: readonly Json[] = [...arrayMember(spec, 'initContainers'), ...arrayMember(spec, 'containers')]
  const found = all.find((entry) => stringMember(entry, 'name') === container)
  const handler = isHook(slot) ? memberAt(found, 'lifecycle', slot) : member(found, slot)
  return isObject(handler) ? handler : undefined
}

/** For a workload of another API, only its pod is read. */
function givenPod({ role, pod }: PreviewEntry): JsonObject | undefined {
  return role === 'pods-shown' ? pod?.before : undefined
}

/** Returns the patch's additions other than probes, in one line. */
function additionLines(entry: PreviewEntry, paint: Paint): readonly string[] {
  const before = givenPod(entry) ?? podSpecOwner(entry, entry.before)
  const after = entry.pod?.after ?? podSpecOwner(entry, entry.after)
  const parts = ['initContainers', 'volumes'].flatMap((list) => {
    const known = new Set(namesIn(before, list))
    return namesIn(after, list)
      .filter((name) => !known.has(name))
      .map((name) => `${list === 'volumes' ? 'volume' : 'init container'} ${name}`)
  })
  if (parts.length === 0) return []
  const image = imageIn(after)
  const text = `also adds: ${parts.join(', ')}${image === undefined ? '' : `, image ${image}`}`
  return wrap(text, '  ', '    ').map((line) => paint('dim', line))
}

function podSpecOwner({ reference }: PreviewEntry, object: JsonObject): JsonObject | undefined {
  return rawTemplate(reference.kind, object)
}

function namesIn(pod: JsonObject | undefined, list: string): readonly string[] {
  return arrayMember(member(pod, 'spec'), list).map((entry) => stringMember(entry, 'name') ?? '')
}

function imageIn(pod: JsonObject | undefined): string | undefined {
  const spec = member(pod, 'spec')
  const isOurs = (entry: Json) => stringMember(entry, 'name') === 'istio-onramp-prober'
  return (
    stringMember(arrayMember(spec, 'initContainers').find(isOurs), 'image') ??
    (memberAt(arrayMember(spec, 'volumes').find(isOurs), 'image', 'reference') as string | undefined)
  )
}

/** Drops the warnings that repeat the diff of rewritten probes, and from the others what the lines above say. */
function remainingWarnings(entry: PreviewEntry): readonly string[] {
  const isOfDiff = (warning: string) => /: \d+ (?:check|probe|hook)/.test(warning) && warning.includes(' rewritten')
  const warnings =
    rewrittenIn(entry).length === 0
      ? entry.verdict.warnings
      : entry.verdict.warnings.filter((warning) => !isOfDiff(warning))
  return warnings.map((warning) => shortened(warning, entry))
}

function shortened(warning: string, { reference, verdict }: PreviewEntry): string {
  const object = `${describe(reference)}: `
  const text = warning.startsWith(object) ? warning.slice(object.length) : warning
  return verdict.decisions.reduce((rest, { reason }) => rest.replace(`${REASONS[reason]}; `, ''), text)
}

/** The YAML in it stays at the beginning of the line, so that it can be copied. */
function denialLines(message: string, paint: Paint): readonly string[] {
  const lines = message.trimEnd().split('\n')
  const [first, last] = [lines.indexOf('---'), lines.lastIndexOf('---')]
  return lines.flatMap((line, index) => {
    if (first !== -1 && index >= first && index <= last) return [line]
    return wrap(line, '').map((part) => (index === 0 ? paint('red', part) : part))
  })
}

/** Lines of at most 100 columns; the first starts with `indent`, the others with `hanging`. */
export function wrap(text: string, indent: string, hanging = indent): readonly string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    const isStart = line.trim() === ''
    if (!isStart && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = hanging + word
    } else line += isStart ? word : ` ${word}`
  }
  return [...lines, line]
}
