/**
 * Counts the values of a JSON text before it is parsed. A few bytes of text can take a hundred bytes of memory (`{}`
 * takes 56), so the length alone is not a bound.
 */

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

export interface Count {
  /** Objects, arrays, members and elements. A member counts twice, because its key costs as much as its value. */
  readonly values: number
  /**
   * The position of the request's first key `object` or `oldObject`; everything before it is small. Undefined if there
   * is none.
   */
  readonly objectAt: number | undefined
}

/** Counts in one pass over the bytes, and stops above `most`. A text that is not JSON yields an arbitrary number. */
export function countValues(text: Buffer, most: number): Count {
  let values = 0
  let depth = 0
  let objectAt: number | undefined
  for (let index = 0; index < text.length; index++) {
    const byte = text[index]
    if (byte === QUOTE) {
      const end = endOfString(text, index + 1)
      if (depth === REQUEST_DEPTH && objectAt === undefined && isObjectKey(text, index, end)) objectAt = index
      index = end
    } else if (byte === COMMA || byte === COLON) values += 1
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      values += 1
      depth += 1
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth -= 1
    if (values > most) break
  }
  return { values, objectAt }
}

/** Returns the index of the closing quote; the text's length if there is none. */
function endOfString(text: Buffer, start: number): number {
  let index = start
  while (index < text.length && text[index] !== QUOTE) index += text[index] === BACKSLASH ? 2 : 1
  return index
}

function isObjectKey(text: Buffer, start: number, end: number): boolean {
  if (end - start > 'oldObject'.length + 1 || text[end + 1] !== COLON) return false
  const key = text.toString('latin1', start + 1, end)
  return key === 'object' || key === 'oldObject'
}
