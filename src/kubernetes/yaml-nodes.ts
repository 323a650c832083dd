/** A YAML document as nodes with their positions in the text, for editing it in place. */
import { COLLECTION_STYLE, EVENT_ID, getScalarValue, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml'
import type { YamlEvents } from './yaml-events.ts'
import { resolvePlain } from './yaml-scalar.ts'
import { trimEnd } from './trim-characters.ts'

interface Place {
  /** Includes anchor and tag. */
  readonly start: number
  /** The position after the last character; for a block collection, that of its last entry. */
  readonly end: number
  readonly anchor: string | undefined
}

export type YamlNode = MapNode | SequenceNode | (Place & { readonly kind: 'alias'; readonly name: string }) | ScalarNode

export interface MapNode extends Place {
  readonly kind: 'map'
  readonly isFlow: boolean
  readonly entries: readonly Entry[]
}

export interface SequenceNode extends Place {
  readonly kind: 'sequence'
  readonly isFlow: boolean
  readonly items: readonly YamlNode[]
}

export interface ScalarNode extends Place {
  readonly kind: 'scalar'
  readonly text: string
  /** A block scalar that keeps trailing blank lines, or includes the whole of its last line. */
  readonly isBlock: boolean
  /** The value is absent from the text. */
  readonly isAbsent: boolean
}

export interface Entry {
  readonly key: string
  readonly keyStart: number
  readonly value: YamlNode
}

/** Returns undefined for a document of comments only. */
export function nodesOf(read: YamlEvents): YamlNode | undefined {
  const cursor = { index: 1, end: 0 }
  const [, first] = read.events
  return first === undefined || first.type === EVENT_ID.POP ? undefined : nodeAt(read, cursor)
}

interface Cursor {
  index: number
  /** The end of the last node in the parsed text. */
  end: number
}

function nodeAt(read: YamlEvents, cursor: Cursor): YamlNode {
  const event = read.events[cursor.index++]
  switch (event?.type) {
    case EVENT_ID.MAPPING:
      return collection(read, cursor, event, readEntries)
    case EVENT_ID.SEQUENCE:
      return collection(read, cursor, event, readItems)
    case EVENT_ID.ALIAS: {
      cursor.end = event.anchorEnd
      const name = read.source.slice(event.anchorStart, event.anchorEnd)
      const place = { start: read.given(event.anchorStart - 1), end: read.given(event.anchorEnd), anchor: undefined }
      return { kind: 'alias', name, ...place }
    }
    case EVENT_ID.SCALAR:
      return scalar(read, cursor, event)
    default:
      throw new Error('the events of the parser end within a node')
  }
}

type CollectionEvent = Extract<Event, { readonly anchorStart: number; readonly start: number }>
type Contents = Pick<MapNode, 'kind' | 'entries'> | Pick<SequenceNode, 'kind' | 'items'>

function collection(
  read: YamlEvents,
  cursor: Cursor,
  event: CollectionEvent,
  contents: (read: YamlEvents, cursor: Cursor) => Contents,
): YamlNode {
  const isFlow = event.style === COLLECTION_STYLE.FLOW
  const isBracketed = isFlow && '[{'.includes(read.source[event.start] ?? '')
  cursor.end = event.start + (isBracketed ? 1 : 0)
  const inside = contents(read, cursor)
  cursor.index++
  if (isBracketed) cursor.end = closingBracket(read.source, cursor.end) + 1
  const start = firstOf(event.start, event.anchorStart - 1, event.tagStart)
  const anchor = event.anchorStart < 0 ? undefined : read.source.slice(event.anchorStart, event.anchorEnd)
  return { ...inside, isFlow, start: read.given(start), end: read.given(cursor.end), anchor }
}

function readEntries(read: YamlEvents, cursor: Cursor): Pick<MapNode, 'kind' | 'entries'> {
  const entries: Entry[] = []
  while (read.events[cursor.index]?.type !== EVENT_ID.POP) {
    const key = nodeAt(read, cursor)
    entries.push({ key: keyOf(key), keyStart: key.start, value: nodeAt(read, cursor) })
  }
  return { kind: 'map', entries }
}

/** Keys are text, as in the value's reader. */
function keyOf(node: YamlNode): string {
  return node.kind === 'scalar' ? node.text : ''
}

function readItems(read: YamlEvents, cursor: Cursor): Pick<SequenceNode, 'kind' | 'items'> {
  const items: YamlNode[] = []
  while (read.events[cursor.index]?.type !== EVENT_ID.POP) items.push(nodeAt(read, cursor))
  return { kind: 'sequence', items }
}

/**
 * After the last node of a flow collection there are only space, comments, commas, and the colon of an absent value.
 */
function closingBracket(source: string, from: number): number {
  let position = from
  while (position < source.length && !']}'.includes(source[position] ?? '')) {
    const isComment = source[position] === '#' && /\s/.test(source[position - 1] ?? ' ')
    position = isComment ? source.indexOf('\n', position) + 1 || source.length : position + 1
  }
  return position
}

function scalar(read: YamlEvents, cursor: Cursor, event: ScalarEvent): ScalarNode {
  const anchor = event.anchorStart < 0 ? undefined : read.source.slice(event.anchorStart, event.anchorEnd)
  const isAbsent = event.valueStart < 0
  const text = isAbsent ? '' : scalarText(read.source, event)
  const isQuoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED
  const isBlock = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK
  const properties = Math.max(event.anchorEnd, event.tagEnd)
  const valueStart = isAbsent ? Math.max(properties, afterColon(read.source, cursor.end)) : event.valueStart
  cursor.end = isAbsent ? valueStart : event.valueEnd + (isQuoted ? 1 : 0)
  const first = firstOf(valueStart - (isQuoted ? 1 : 0), event.anchorStart - 1, event.tagStart)
  return {
    kind: 'scalar',
    text,
    isBlock,
    isAbsent,
    anchor,
    start: read.given(first),
    end: read.given(isBlock ? blockEnd(read.source, event) : cursor.end),
  }
}

function scalarText(source: string, event: ScalarEvent): string {
  const text = getScalarValue(source, event)
  if (event.style !== SCALAR_STYLE.PLAIN || event.tagStart >= 0) return text
  const value = resolvePlain(text)
  return value === null ? text : String(value)
}

/** Returns the position of the value of `key:`. */
function afterColon(source: string, from: number): number {
  const found = /^[ \t]*:/.exec(source.slice(from, from + 200))
  return from + (found?.[0].length ?? 0)
}

/** Blank lines after a block scalar belong to it only if it keeps them (`|+`). */
function blockEnd(source: string, { valueStart, valueEnd, chomping }: ScalarEvent): number {
  const text = source.slice(valueStart, valueEnd)
  if (chomping === 3) return valueEnd
  return valueStart + trimEnd(text, ' \t\r\n').length
}

function firstOf(...positions: readonly number[]): number {
  return Math.min(...positions.filter((position) => position >= 0))
}
