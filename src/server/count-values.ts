/**
 * How many values a JSON text holds, counted before it is parsed: a few bytes of text can be a hundred bytes of memory
 * (`{}` is 56), so the length alone bounds nothing.
 */

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/** An AdmissionReview is `{"request":{"object":...`: keys of the request are at this depth. */
const REQUEST_DEPTH = 2

export interface Count {
  /** Objects, arrays, members and elements. A member counts twice, as its key costs as much as its value. */
  readonly values: number
  /** Where the key `object` or `oldObject` of the request begins: all before it is small. Undefined without one. */
  readonly objectAt: number | undefined
}

/** One pass over the bytes; a text that is not JSON gets some number. Stops counting above `most`. */
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

/** The index of the closing quote; the text's length without one. */
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
