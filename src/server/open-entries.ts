/** The lists and objects that are still open while a JSON text is parsed in slices (parse-in-slices.ts). */
import type { Json } from '../kubernetes/json.ts'

/** An open list or object. The text from `start` is not parsed yet. */
export interface Open {
  readonly isList: boolean
  /** The position of its bracket. */
  readonly at: number
  start: number
  /** The last comma between its entries behind `start`; -1 if there is none. */
  comma: number
  /** Commas between its entries. */
  count: number
  /** The entries that are parsed; undefined until the first slice ends inside it. */
  entries: Json[] | Record<string, Json> | undefined
  /** The key under which the next open list or object will be added. */
  key: string
  /** `entry`: a comma came before. `inside`: waits for an entry that is itself open. `end`: after such an entry. */
  expects: 'any' | 'entry' | 'inside' | 'end'
}

export function open(isList: boolean, at: number): Open {
  return { isList, at, start: at + 1, comma: -1, count: 0, entries: undefined, key: '', expects: 'any' }
}

/** Parses all complete entries of everything that is open, from the outside in. `end` is the position of a comma. */
export function parseEntries(text: Buffer, stack: readonly Open[], end: number): void {
  for (const [depth, outer] of stack.entries()) {
    const inner = stack[depth + 1]
    outer.entries ??= outer.isList ? [] : {}
    if (inner === undefined) addEntries(text, outer, end)
    else if (outer.expects !== 'inside') {
      if (outer.comma >= outer.start) addEntries(text, outer, outer.comma)
      outer.key = keyBefore(text.toString('utf8', outer.start, inner.at), outer)
      outer.expects = 'inside'
    }
  }
}

/** Adds a list or object that is complete to the one around it. `end` is the position of its closing bracket. */
export function closeEntry(text: Buffer, closed: Open, outer: Open, end: number): void {
  if (closed.entries === undefined) return
  const isEmpty = BLANK.test(text.toString('utf8', closed.start, end))
  if (closed.expects === 'entry' && isEmpty) throw unexpected()
  if (!isEmpty) addEntries(text, closed, end)
  addEntry(outer, outer.key, closed.entries)
  outer.start = end + 1
  outer.comma = -1
  outer.expects = 'end'
}

/** Returns the only entry of the list around the whole text. */
export function onlyEntry(text: Buffer, root: Open): Json {
  if (root.entries === undefined) return JSON.parse(text.toString('utf8')) as Json
  if (root.expects !== 'end' || !BLANK.test(text.toString('utf8', root.start))) throw unexpected()
  const [value, second] = root.entries as Json[]
  if (value === undefined || second !== undefined) throw unexpected()
  return value
}

export function unexpected(): SyntaxError {
  return new SyntaxError('unexpected text')
}

/** Parses the entries up to `end`, where a comma or the closing bracket is. */
function addEntries(text: Buffer, to: Open, end: number): void {
  const part = text.toString('utf8', to.start, end)
  if (to.expects !== 'end') addAll(to, part)
  else if (FIRST_COMMA.test(part)) addAll(to, part.slice(part.indexOf(',') + 1))
  else if (!BLANK.test(part)) throw unexpected()
  to.start = end + 1
  to.comma = -1
  to.expects = 'entry'
}

const BLANK = /^[ \t\r\n]*$/
/** Between an entry that was open and the next one. */
const FIRST_COMMA = /^[ \t\r\n]*,/

/** Returns the key in `"key":`, the text between the last comma and an open entry; a list has nothing there. */
function keyBefore(part: string, { isList, expects }: Open): string {
  if (expects === 'end' || (isList && !BLANK.test(part))) throw unexpected()
  if (isList) return ''
  const [key, second] = Object.keys(JSON.parse(`{${part}[]}`) as object)
  if (key === undefined || second !== undefined) throw unexpected()
  return key
}

/** `part` has at least one entry, without a comma in front. */
function addAll(to: Open, part: string): void {
  if (BLANK.test(part)) throw unexpected()
  if (Array.isArray(to.entries)) {
    for (const value of JSON.parse(`[${part}]`) as Json[]) to.entries.push(value)
    return
  }
  const parsed = JSON.parse(`{${part}}`) as Record<string, Json>
  for (const [key, value] of Object.entries(parsed)) addEntry(to, key, value)
}

/** Defines the member, because an assignment to `__proto__` would not make one. */
function addEntry({ entries }: Open, key: string, value: Json): void {
  if (Array.isArray(entries)) entries.push(value)
  else if (key !== '__proto__') (entries as Record<string, Json>)[key] = value
  else Object.defineProperty(entries, key, { value, enumerable: true, writable: true, configurable: true })
}
