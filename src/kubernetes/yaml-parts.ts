/** Edits shared by maps and lists: removed parts, and added lines and flow entries. */
import type { Json } from './json.ts'
import type { Operation } from './json-pointer.ts'
import { flowText } from './yaml-fragment.ts'
import type { MapNode, SequenceNode, YamlNode } from './yaml-nodes.ts'
import {
  block,
  isAloneInLine,
  isCompact,
  jsonStep,
  lineAfter,
  lineStart,
  lineStartSpace,
  type Page,
} from './yaml-page.ts'

export interface TextEdit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** Why a document cannot be edited in place: the change would also appear elsewhere. */
export type NotEditable = { readonly problem: string }

export interface Change {
  readonly operation: Operation
  readonly key: string
}

export type Container = MapNode | SequenceNode

export interface Part {
  readonly start: number
  readonly end: number
}

/** Removes whole lines if the part has them to itself, otherwise the text up to its neighbour. */
export function removeParts(
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

export function emptied(page: Page, node: Container, text: string): TextEdit {
  const isOnKeyLine = page.text.slice(lineStart(page, node.start), node.start).trim() !== ''
  if (node.isFlow || isOnKeyLine) return { start: node.start, end: node.end, text }
  const key = page.text.slice(0, node.start).trimEnd().length
  return { start: key, end: node.end, text: ` ${text}` }
}

/** Inserts lines after the line on which a node ends, so that a comment there stays in place. */
export function insertLines(page: Page, last: YamlNode, lines: readonly string[]): TextEdit {
  const at = lineAfter(page, last.end)
  const text = lines.map((line) => block(page, line) + page.lineEnd).join('')
  if (at > 0 && page.text[at - 1] !== '\n')
    return { start: at, end: at, text: page.lineEnd + text.slice(0, -page.lineEnd.length) }
  return { start: at, end: at, text }
}

export function appendFlow(
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

/** Multi-line JSON stays multi-line; everything else is put on one line. */
export function prettyFlow(page: Page, value: Json, at: number): string {
  if (page.style !== 'json' || isCompact(page)) return flowText(value, page.style)
  if (!isAloneInLine(page, at)) return flowText(value, 'json')
  const lines = JSON.stringify(value, null, jsonStep(page)).split('\n')
  return lines.join(`${page.lineEnd}${lineStartSpace(page, at)}`)
}

export function touchesShared(node: YamlNode, shared: ReadonlySet<string>): string | undefined {
  if (node.anchor !== undefined && shared.has(node.anchor)) return node.anchor
  const inside =
    node.kind === 'map' ? node.entries.map(({ value }) => value) : node.kind === 'sequence' ? node.items : []
  for (const child of inside) {
    const found = touchesShared(child, shared)
    if (found !== undefined) return found
  }
  return undefined
}
