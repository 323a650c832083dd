/**
 * JSON Patch operations as edits of a YAML or JSON text: what no operation touches stays to the byte. Every operation is
 * found in the document as it came, as the patches of this product allow (only the last one may move indexes).
 */
import type { Json } from './json.ts'
import { parsePointer, type Operation } from './json-pointer.ts'
import { entryText, flowText, itemText, scalarText, type FragmentStyle } from './yaml-fragment.ts'
import type { Entry, MapNode, SequenceNode, YamlNode } from './yaml-nodes.ts'

export interface TextEdit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Why a document cannot be edited where it stands: a change there would show in another place. */
export type NotEditable = { readonly problem: string }

interface Change {
  readonly operation: Operation
  readonly key: string
}

type Container = MapNode | SequenceNode

/** Edits in the order of the text. The operations' paths are those of the whole document. */
export function planEdits(
  text: string,
  root: YamlNode,
  operations: readonly Operation[],
): readonly TextEdit[] | NotEditable {
  const shared = sharedAnchors(root)
  const byParent = new Map<Container, Change[]>()
  for (const operation of operations) {
    const path = parsePointer(operation.path)
    const parent = containerAt(root, path.slice(0, -1), shared)
    if ('problem' in parent) return parent
    const key = path.at(-1) ?? ''
    byParent.set(parent, [...(byParent.get(parent) ?? []), { operation, key }])
  }
  const page: Page = { text, style: isJson(text) ? 'json' : 'flow', lineEnd: lineEndOf(text), shared, root }
  const edits: TextEdit[] = []
  for (const [parent, changes] of byParent) {
    const planned = parent.kind === 'map' ? editMap(page, parent, changes) : editSequence(page, parent, changes)
    if ('problem' in planned) return planned
    edits.push(...planned)
  }
  return edits.toSorted((left, right) => left.start - right.start || left.end - right.end)
}

/** Edits must not overlap and be in the order of the text. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let position = 0
  let result = ''
  for (const { start, end, text: inserted } of edits) {
    result += text.slice(position, start) + inserted
    position = end
  }
  return result + text.slice(position)
}

interface Page {
  readonly text: string
  readonly style: FragmentStyle
  readonly lineEnd: string
  readonly shared: ReadonlySet<string>
  readonly root: YamlNode
}

function isJson(text: string): boolean {
  return /^\s*[{[]/.test(text) && /^\s*[{[]\s*(?:["{}\]]|$)/.test(text)
}

function lineEndOf(text: string): string {
  const [first] = /\r?\n/.exec(text) ?? ['\n']
  return first
}

/** Anchors that an alias names. */
function sharedAnchors(root: YamlNode): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: YamlNode): void => {
    if (node.kind === 'alias') names.add(node.name)
    if (node.kind === 'map') for (const { value } of node.entries) visit(value)
    if (node.kind === 'sequence') for (const item of node.items) visit(item)
  }
  visit(root)
  return names
}

function containerAt(root: YamlNode, path: readonly string[], shared: ReadonlySet<string>): Container | NotEditable {
  let node: YamlNode = root
  for (const [depth, segment] of ['', ...path].entries()) {
    const next: YamlNode | undefined = depth === 0 ? root : childOf(node, segment)
    if (next === undefined) return { problem: `/${path.join('/')} comes from a merge key` }
    if (next.kind === 'alias') return { problem: `alias *${next.name}` }
    if (next.anchor !== undefined && shared.has(next.anchor)) return { problem: `anchor &${next.anchor}` }
    node = next
  }
  return node.kind === 'map' || node.kind === 'sequence' ? node : { problem: `/${path.join('/')} holds nothing yet` }
}

function childOf(node: YamlNode, segment: string): YamlNode | undefined {
  if (node.kind === 'sequence') return node.items[Number(segment)]
  return node.kind === 'map' ? lastEntry(node, segment)?.value : undefined
}

/** Of a key that is there twice, the last one counts. */
function lastEntry(map: MapNode, key: string): Entry | undefined {
  return map.entries.findLast((entry) => entry.key === key)
}

function touchesShared(node: YamlNode, shared: ReadonlySet<string>): string | undefined {
  if (node.anchor !== undefined && shared.has(node.anchor)) return node.anchor
  const inside =
    node.kind === 'map' ? node.entries.map(({ value }) => value) : node.kind === 'sequence' ? node.items : []
  for (const child of inside) {
    const found = touchesShared(child, shared)
    if (found !== undefined) return found
  }
  return undefined
}

/**
 * | removed and added in one map                 | edit                                                  |
 * |----------------------------------------------|-------------------------------------------------------|
 * | a key goes and another comes                 | the new entry in the place of the old one             |
 * | a key that is there gets a value             | the value is replaced                                 |
 * | a key comes                                  | behind the last entry                                 |
 * | a key goes                                   | its lines, or its part of a flow collection           |
 * | every key goes                               | the map becomes `{}`                                  |
 */
function editMap(page: Page, map: MapNode, changes: readonly Change[]): readonly TextEdit[] | NotEditable {
  const gone: Entry[] = []
  const added: { key: string; value: Json }[] = []
  const edits: TextEdit[] = []
  for (const { operation, key } of changes) {
    const present = lastEntry(map, key)
    if (present !== undefined) {
      const anchor = touchesShared(present.value, page.shared)
      if (anchor !== undefined) return { problem: `anchor &${anchor}` }
    }
    if (operation.op === 'remove') {
      const all = map.entries.filter((entry) => entry.key === key)
      if (all.length === 0) return { problem: `${key} comes from a merge key` }
      gone.push(...all)
    } else if (present === undefined) added.push({ key, value: operation.value })
    else edits.push(replaceValue(page, map, present, operation.value))
  }
  const swapped = gone.slice(0, added.length)
  for (const [index, entry] of swapped.entries()) {
    const next = added[index]
    if (next !== undefined) edits.push(replaceEntry(page, map, entry, next.key, next.value))
  }
  const rest = gone.slice(swapped.length)
  if (rest.length > 0 && rest.length === map.entries.length) return [emptied(page, map, '{}')]
  edits.push(
    ...removeParts(page, map, map.entries.map(partOf), new Set(rest.map((entry) => map.entries.indexOf(entry)))),
  )
  return [...edits, ...appendEntries(page, map, added.slice(swapped.length))]
}

interface Part {
  readonly start: number
  readonly end: number
}

function partOf({ keyStart, value }: Entry): Part {
  return { start: keyStart, end: value.end }
}

function replaceEntry(page: Page, map: MapNode, entry: Entry, key: string, value: Json): TextEdit {
  const { start, end } = partOf(entry)
  if (map.isFlow) return { start, end, text: flowEntry(page, key, value, start) }
  return { start, end, text: block(page, entryText(key, value, indentAt(page, start), sequenceIndent(page))) }
}

function replaceValue(page: Page, map: MapNode, { key, keyStart, value: old }: Entry, value: Json): TextEdit {
  const isScalar = typeof value !== 'object' || value === null
  if (old.kind === 'scalar' && isScalar && !old.isBlock && !old.isAbsent)
    return {
      start: old.start,
      end: old.end,
      text: page.style === 'json' ? JSON.stringify(value) : scalarIn(map, value),
    }
  if (map.isFlow) {
    const text = prettyFlow(page, value, keyStart)
    return { start: old.start, end: old.end, text: old.start === old.end ? ` ${text}` : text }
  }
  const whole = entryText(key, value, indentAt(page, keyStart), sequenceIndent(page))
  return { start: keyStart, end: old.end, text: block(page, whole) }
}

function scalarIn(map: MapNode, value: Json): string {
  return map.isFlow ? flowText(value, 'flow') : scalarText(value)
}

function flowEntry(page: Page, key: string, value: Json, at: number): string {
  const name = page.style === 'json' ? JSON.stringify(key) : flowText(key, 'flow')
  return `${name}:${page.style === 'json' && isCompact(page) ? '' : ' '}${prettyFlow(page, value, at)}`
}

/** JSON on many lines stays so; everything else is put on one line. */
function prettyFlow(page: Page, value: Json, at: number): string {
  if (page.style !== 'json' || isCompact(page)) return flowText(value, page.style)
  if (!isAloneInLine(page, at)) return flowText(value, 'json')
  const lines = JSON.stringify(value, null, jsonStep(page)).split('\n')
  return lines.join(`${page.lineEnd}${lineStartSpace(page, at)}`)
}

function isCompact({ text }: Page): boolean {
  return !text.trim().includes('\n')
}

/** The white space of one level of a JSON text. */
function jsonStep({ text }: Page): string {
  return /^[{[][ \t]*\r?\n([ \t]+)/.exec(text.trimStart())?.[1] ?? '  '
}

function appendEntries(page: Page, map: MapNode, added: readonly { key: string; value: Json }[]): readonly TextEdit[] {
  if (added.length === 0) return []
  const last = map.entries.at(-1)
  if (map.isFlow) {
    const at = last?.keyStart ?? map.start
    return [
      appendFlow(
        page,
        map,
        last?.value.end,
        at,
        added.map(({ key, value }) => flowEntry(page, key, value, at)),
      ),
    ]
  }
  if (last === undefined) return []
  const indent = ' '.repeat(columnOf(page, map.entries[0]?.keyStart ?? last.keyStart))
  const lines = added.map(({ key, value }) => indent + entryText(key, value, indent, sequenceIndent(page)))
  return [insertLines(page, last.value, lines)]
}

function appendFlow(
  page: Page,
  node: Container,
  lastEnd: number | undefined,
  lastStart: number,
  texts: readonly string[],
): TextEdit {
  if (lastEnd === undefined) {
    const inside = page.text.indexOf(node.kind === 'map' ? '{' : '[', node.start) + 1
    return { start: inside, end: inside, text: texts.join(', ') }
  }
  const separator = isAloneInLine(page, lastStart)
    ? `,${page.lineEnd}${lineStartSpace(page, lastStart)}`
    : page.style === 'json' && isCompact(page)
      ? ','
      : ', '
  return { start: lastEnd, end: lastEnd, text: texts.map((text) => separator + text).join('') }
}

function editSequence(page: Page, list: SequenceNode, changes: readonly Change[]): readonly TextEdit[] | NotEditable {
  const gone = new Set<number>()
  const appended: Json[] = []
  const first: Json[] = []
  for (const { operation, key } of changes) {
    if (operation.op === 'remove') gone.add(Number(key))
    else if (operation.op === 'replace') return { problem: `/${key} of a list is replaced` }
    else if (key === '-' || Number(key) === list.items.length) appended.push(operation.value)
    else if (key === '0') first.push(operation.value)
    else return { problem: `an entry in the middle of a list` }
  }
  for (const index of gone) {
    const anchor = list.items[index] && touchesShared(list.items[index], page.shared)
    if (anchor !== undefined) return { problem: `anchor &${anchor}` }
  }
  if (gone.size > 0 && gone.size === list.items.length) return [emptied(page, list, '[]')]
  const parts = list.items.map((item) => ({
    start: list.isFlow ? item.start : dashBefore(page, item.start),
    end: item.end,
  }))
  return [
    ...removeParts(page, list, parts, gone),
    ...prependItems(page, list, first),
    ...appendItems(page, list, appended),
  ]
}

function appendItems(page: Page, list: SequenceNode, values: readonly Json[]): readonly TextEdit[] {
  if (values.length === 0) return []
  const last = list.items.at(-1)
  if (list.isFlow) {
    const at = last?.start ?? list.start
    return [
      appendFlow(
        page,
        list,
        last?.end,
        at,
        values.map((value) => prettyFlow(page, value, at)),
      ),
    ]
  }
  if (last === undefined) return []
  const indent = ' '.repeat(columnOf(page, dashBefore(page, list.items[0]?.start ?? last.start)))
  const lines = values.map((value) => indent + itemText(value, indent, sequenceIndent(page)))
  return [insertLines(page, last, lines)]
}

function prependItems(page: Page, list: SequenceNode, values: readonly Json[]): readonly TextEdit[] {
  const [first] = list.items
  if (values.length === 0) return []
  if (first === undefined) return appendItems(page, list, values)
  if (list.isFlow) {
    const separator = isAloneInLine(page, first.start)
      ? `,${page.lineEnd}${lineStartSpace(page, first.start)}`
      : page.style === 'json' && isCompact(page)
        ? ','
        : ', '
    const text = values.map((value) => prettyFlow(page, value, first.start) + separator).join('')
    return [{ start: first.start, end: first.start, text }]
  }
  const at = dashBefore(page, first.start)
  const indent = ' '.repeat(columnOf(page, at))
  const text = values
    .map((value) => block(page, itemText(value, indent, sequenceIndent(page))) + page.lineEnd + indent)
    .join('')
  return [{ start: at, end: at, text }]
}

/** Whole lines where the part has them for itself, else up to its neighbour. */
function removeParts(
  page: Page,
  node: Container,
  parts: readonly Part[],
  gone: ReadonlySet<number>,
): readonly TextEdit[] {
  return [...gone].map((index) => {
    const part = parts[index] ?? { start: 0, end: 0 }
    if (!node.isFlow && isAloneInLine(page, part.start)) {
      const start = lineStart(page, part.start)
      return { start, end: lineAfter(page, part.end), text: '' }
    }
    const next = parts.findIndex((_, other) => other > index && !gone.has(other))
    const after = parts[index + 1]
    if (after !== undefined && (next >= 0 || !node.isFlow)) return { start: part.start, end: after.start, text: '' }
    const previous = parts[index - 1]
    return { start: previous?.end ?? part.start, end: part.end, text: '' }
  })
}

function emptied(page: Page, node: Container, text: string): TextEdit {
  const isOnKeyLine = page.text.slice(lineStart(page, node.start), node.start).trim() !== ''
  if (node.isFlow || isOnKeyLine) return { start: node.start, end: node.end, text }
  const key = page.text.slice(0, node.start).trimEnd().length
  return { start: key, end: node.end, text: ` ${text}` }
}

/** New lines behind the one on which a node ends, so that a comment there stays where it is. */
function insertLines(page: Page, last: YamlNode, lines: readonly string[]): TextEdit {
  const at = lineAfter(page, last.end)
  const text = lines.map((line) => block(page, line) + page.lineEnd).join('')
  if (at > 0 && page.text[at - 1] !== '\n')
    return { start: at, end: at, text: page.lineEnd + text.slice(0, -page.lineEnd.length) }
  return { start: at, end: at, text }
}

function block({ lineEnd }: Page, text: string): string {
  return lineEnd === '\n' ? text : text.replaceAll('\n', lineEnd)
}

function lineStart({ text }: Page, position: number): number {
  return text.lastIndexOf('\n', position - 1) + 1
}

/** The start of the next line; a block scalar ends with its line already. */
function lineAfter({ text }: Page, position: number): number {
  if (position > 0 && text[position - 1] === '\n') return position
  const end = text.indexOf('\n', position)
  return end === -1 ? text.length : end + 1
}

function columnOf(page: Page, position: number): number {
  return position - lineStart(page, position) - (page.text.charCodeAt(lineStart(page, position)) === 0xfeff ? 1 : 0)
}

/** The white space under which lines of a block go on that begins at this column. */
function indentAt(page: Page, position: number): string {
  return ' '.repeat(columnOf(page, position))
}

function lineStartSpace(page: Page, position: number): string {
  return page.text.slice(lineStart(page, position), position)
}

function isAloneInLine(page: Page, position: number): boolean {
  return /^[ \t]*$/.test(lineStartSpace(page, position))
}

function dashBefore({ text }: Page, position: number): number {
  return text.lastIndexOf('-', position - 1)
}

/** What the file puts before the dashes of a list, beyond the indentation of its key. */
function sequenceIndent(page: Page): string {
  const found = /^( *)(?:- )?([^\s#'"-][^\n]*:)[ \t]*(?:#[^\n]*)?\r?\n(?:[ \t]*(?:#[^\n]*)?\r?\n)*( *)- /m.exec(
    page.text,
  )
  if (found === null) return ''
  const [whole, before = '', , dashes = ''] = found
  const keyColumn = before.length + (whole.startsWith(`${before}- `) ? 2 : 0)
  return ' '.repeat(Math.max(0, Math.min(4, dashes.length - keyColumn)))
}
