/**
 * Parses a large JSON text in slices, so that other requests are answered between them. One `JSON.parse` of a 32 MiB
 * review keeps the only thread for up to a second.
 *
 * The scan finds the entries of every list and object that is still open. Whenever a slice of text is complete, its
 * entries are parsed and added to their lists and objects. So each byte is scanned once and parsed once.
 */
import type { Json } from '../kubernetes/json.ts'
import { closeEntry, onlyEntry, open, parseEntries, unexpected } from './open-entries.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** An AdmissionReview is `{"request":{"object":...`: the request's keys are at this depth. */
const REQUEST_DEPTH = 2
/** Slices' worth of text. */
const SCANNED_AT_ONCE = 10

/** A text beyond one of these is not parsed. */
export interface SliceLimits {
  /** Objects, lists, members and elements. A member counts twice, because its key costs as much as its value. */
  readonly values: number
  readonly depth: number
  /** Bytes of one string, with its escapes. */
  readonly stringBytes: number
  /** Members of one object. */
  readonly members: number
}

export type Excess = 'too-many-values' | 'too-deep'

export type Sliced =
  | { readonly value: Json }
  /**
   * `objectAt` is the position of the request's first key `object` or `oldObject`; everything before it is small.
   * Undefined if the text went beyond a limit earlier.
   */
  | { readonly excess: Excess; readonly objectAt: number | undefined }

export interface Slicing {
  /** Bytes. */
  readonly size: number
  /** Called after each slice; the parser goes on when it resolves. */
  readonly pause: () => Promise<void>
}

/** Measures the text before it parses any of it. Throws SyntaxError if it is not JSON. */
export async function parseInSlices(text: Buffer, limits: SliceLimits, slicing: Slicing): Promise<Sliced> {
  const measured = await scanInSlices(text, limits, slicing, false)
  return 'excess' in measured ? measured : await scanInSlices(text, limits, slicing, true)
}

async function scanInSlices(
  text: Buffer,
  limits: SliceLimits,
  { size, pause }: Slicing,
  parses: boolean,
): Promise<Sliced> {
  const scan = startScan(text, limits, size, parses)
  for (;;) {
    const outcome = scan.next()
    if (outcome !== undefined) return outcome
    await pause()
  }
}

/** Without `parses`, the value is null, and slices are longer, because a scan is faster. */
function startScan(text: Buffer, limits: SliceLimits, size: number, parses: boolean): { next(): Sliced | undefined } {
  const pace = parses ? size : SCANNED_AT_ONCE * size
  const root = open(true, -1)
  const stack = [root]
  let index = 0
  let values = 0
  let objectAt: number | undefined
  let parsedTo = 0

  const readString = (): boolean => {
    const end = endOfString(text, index + 1, limits.stringBytes)
    if (stack.length === REQUEST_DEPTH + 1 && objectAt === undefined && isObjectKey(text, index, end)) objectAt = index
    const fits = end - index <= limits.stringBytes
    index = end
    return fits
  }

  /** Returns whether the object around it may have another member. */
  const readComma = (): boolean => {
    const inside = stack.at(-1) ?? root
    inside.comma = index
    inside.count += 1
    return inside.isList || inside.count <= limits.members
  }

  const readClose = (isList: boolean): void => {
    const closed = stack.pop() ?? root
    if (closed === root || closed.isList !== isList) throw unexpected()
    closeEntry(text, closed, stack.at(-1) ?? root, index)
    if (closed.entries !== undefined) parsedTo = index
  }

  /** Returns undefined at the end of a slice. */
  const next = (): Sliced | undefined => {
    for (; index < text.length; index++) {
      const byte = text[index]
      let fits = true
      if (byte === QUOTE) fits = readString()
      else if (byte === COMMA || byte === COLON) values += 1
      else if (isEmptyAt(text, index) && stack.length < limits.depth) {
        values += 1
        index += 1
      } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
        values += 1
        stack.push(open(byte === OPEN_BRACKET, index))
        if (stack.length > limits.depth) return { excess: 'too-deep', objectAt }
      } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) readClose(byte === CLOSE_BRACKET)
      if (byte === COMMA) fits = readComma()
      if (!fits || values > limits.values) return { excess: 'too-many-values', objectAt }
      if (byte !== COMMA || index - parsedTo < pace) continue
      if (parses) parseEntries(text, stack, index)
      parsedTo = index
      index += 1
      return undefined
    }
    if (stack.length > 1) throw unexpected()
    return { value: parses ? onlyEntry(text, root) : null }
  }
  return { next }
}

/** Returns the index of the closing quote; the text's length if there is none, or a later index than `most` bytes on. */
function endOfString(text: Buffer, start: number, most: number): number {
  const last = Math.min(text.length, start + most + 1)
  let index = start
  while (index < last && text[index] !== QUOTE) index += text[index] === BACKSLASH ? 2 : 1
  return index
}

function isObjectKey(text: Buffer, start: number, end: number): boolean {
  if (end - start > 'oldObject'.length + 1 || text[end + 1] !== COLON) return false
  const key = text.toString('latin1', start + 1, end)
  return key === 'object' || key === 'oldObject'
}

/** `{}` or `[]`, which ends in the slice in which it begins. */
function isEmptyAt(text: Buffer, index: number): boolean {
  const byte = text[index]
  if (byte === OPEN_BRACE) return text[index + 1] === CLOSE_BRACE
  return byte === OPEN_BRACKET && text[index + 1] === CLOSE_BRACKET
}
