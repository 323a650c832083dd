/** Edits the entries of a map in its text. */
import type { Json } from './json.ts'
import { entryText, flowText, scalarText } from './yaml-fragment.ts'
import type { Entry, MapNode, ScalarNode } from './yaml-nodes.ts'
import { keyOf } from './yaml-value.ts'
import { block, columnOf, indentAt, isCompact, type Page } from './yaml-page.ts'
import {
  appendFlow,
  emptied,
  insertLines,
  prettyFlow,
  removeParts,
  touchesShared,
  type Change,
  type NotEditable,
  type Part,
  type TextEdit,
} from './yaml-parts.ts'

/**
 * | change in one map            | edit                                                     |
 * |------------------------------|----------------------------------------------------------|
 * | one key replaces another     | the new entry takes the place of the old one             |
 * | an existing key gets a value | the value is replaced                                    |
 * | a new key                    | added after the last entry                               |
 * | a removed key                | its lines, or its part of a flow collection, are removed |
 * | all keys removed             | the map becomes `{}`                                     |
 */
export function editMap(page: Page, map: MapNode, changes: readonly Change[]): readonly TextEdit[] | NotEditable {
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
      const all = map.entries.filter((entry) => keyOf(entry) === key)
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

/** If a key is duplicated, the last one counts. */
export function lastEntry(map: MapNode, key: string): Entry | undefined {
  return map.entries.findLast((entry) => keyOf(entry) === key)
}

function partOf({ key, value }: Entry): Part {
  return { start: key.start, end: value.end }
}

function replaceEntry(page: Page, map: MapNode, entry: Entry, key: string, value: Json): TextEdit {
  const { start, end } = partOf(entry)
  if (map.isFlow) return { start, end, text: flowEntry(page, key, value, start) }
  return { start, end, text: block(page, entryText(key, value, indentAt(page, start), page.sequenceIndent)) }
}

function replaceValue(page: Page, map: MapNode, entry: Entry, value: Json): TextEdit {
  const { value: old } = entry
  const keyStart = entry.key.start
  const key = keyOf(entry) ?? ''
  const isScalar = typeof value !== 'object' || value === null
  if (old.kind === 'scalar' && isScalar && isOnKeyLine(old))
    return {
      start: old.start,
      end: old.end,
      text: page.style === 'json' ? JSON.stringify(value) : scalarIn(map, value),
    }
  if (map.isFlow) {
    const text = prettyFlow(page, value, keyStart)
    return { start: old.start, end: old.end, text: old.start === old.end ? ` ${text}` : text }
  }
  const whole = entryText(key, value, indentAt(page, keyStart), page.sequenceIndent)
  return { start: keyStart, end: old.end, text: block(page, whole) }
}

function isOnKeyLine({ style }: ScalarNode): boolean {
  return style === 'plain' || style === 'single' || style === 'double'
}

function scalarIn(map: MapNode, value: Json): string {
  return map.isFlow ? flowText(value, 'flow') : scalarText(value)
}

function flowEntry(page: Page, key: string, value: Json, at: number): string {
  const name = page.style === 'json' ? JSON.stringify(key) : flowText(key, 'flow')
  return `${name}:${page.style === 'json' && isCompact(page) ? '' : ' '}${prettyFlow(page, value, at)}`
}

function appendEntries(page: Page, map: MapNode, added: readonly { key: string; value: Json }[]): readonly TextEdit[] {
  if (added.length === 0) return []
  const last = map.entries.at(-1)
  if (map.isFlow) {
    const at = last?.key.start ?? map.start
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
  const indent = ' '.repeat(columnOf(page, map.entries[0]?.key.start ?? last.key.start))
  const lines = added.map(({ key, value }) => indent + entryText(key, value, indent, page.sequenceIndent))
  return [insertLines(page, last.value, lines)]
}
