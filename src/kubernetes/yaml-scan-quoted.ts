/** Scans a scalar in quotes. The cursor is on the opening quote, and afterwards behind the closing one. */
import { YamlError, type YamlCursor } from './yaml-cursor.ts'
import { foldedBreaks } from './yaml-scan-plain.ts'

export function scanQuoted(cursor: YamlCursor): string {
  const start = cursor.at
  const quote = cursor.code()
  let text = ''
  cursor.at++
  for (;;) {
    if (cursor.isDocumentMark()) throw new YamlError('a document separator is inside of quotes', start)
    if (Number.isNaN(cursor.code())) throw new YamlError('the closing quote is missing', start)
    const words = scanWords(cursor, quote)
    text += words.text
    if (cursor.code() === quote) break
    text += scanSpace(cursor, words.isLineOver)
  }
  cursor.at++
  return text
}

interface Words {
  readonly text: string
  /** Whether a backslash at the end of the line joined it with the next. */
  readonly isLineOver: boolean
}

/** Reads up to space, a line break or the closing quote. */
function scanWords(cursor: YamlCursor, quote: number): Words {
  let text = ''
  let start = cursor.at
  const taken = () => text + cursor.text.slice(start, cursor.at)
  while (!cursor.isWordEnd()) {
    const code = cursor.code()
    if (code === quote) {
      if (quote === DOUBLE_QUOTE || cursor.code(1) !== quote) break
      text = `${taken()}'`
      start = cursor.at += 2
    } else if (quote === DOUBLE_QUOTE && code === BACKSLASH) {
      text = taken()
      cursor.at++
      if (cursor.isBreak()) {
        cursor.skipBreak()
        return { text, isLineOver: true }
      }
      text += scanEscape(cursor)
      start = cursor.at
    } else cursor.at++
  }
  return { text: taken(), isLineOver: false }
}

const DOUBLE_QUOTE = 0x22
const BACKSLASH = 0x5c

/** The escapes of YAML 1.1, and of JSON; a slash is not among them. */
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ...['0\0', 'a\x07', 'b\b', 't\t', '\t\t', 'n\n', 'v\v', 'f\f', 'r\r', 'e\x1b'].map(pairOf),
  ...['  ', '""', "''", '\\\\', 'N\x85', '_\xa0', 'L\u2028', 'P\u2029'].map(pairOf),
])
const HEXADECIMAL_LENGTH: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
])

function pairOf(pair: string): readonly [string, string] {
  return [pair.charAt(0), pair.charAt(1)]
}

/** The cursor is behind the backslash. */
function scanEscape(cursor: YamlCursor): string {
  const name = cursor.text.charAt(cursor.at)
  const start = cursor.at - 1
  cursor.at++
  const length = HEXADECIMAL_LENGTH.get(name)
  if (length !== undefined) return scanCodePoint(cursor, length, start)
  const found = ESCAPES.get(name)
  if (found === undefined)
    throw new YamlError(`\\${name} is no escape; write \\\\ for a backslash, or use single quotes`, start)
  return found
}

function scanCodePoint(cursor: YamlCursor, length: number, start: number): string {
  const digits = cursor.text.slice(cursor.at, cursor.at + length)
  const code = Number.parseInt(digits, 16)
  if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits))
    throw new YamlError(`${length} hexadecimal digits are expected after \\${cursor.text.charAt(start + 1)}`, start)
  if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
    throw new YamlError(`\\${cursor.text.charAt(start + 1)}${digits} is no Unicode character`, start)
  cursor.at += length
  return String.fromCodePoint(code)
}

/** Space at the ends of lines does not count. */
function scanSpace(cursor: YamlCursor, isJoined: boolean): string {
  let blanks = ''
  let first = ''
  let further = ''
  let isLineOver = isJoined
  while (cursor.isBlank() || cursor.isBreak())
    if (cursor.isBlank()) {
      if (!isLineOver) blanks += cursor.text.charAt(cursor.at)
      cursor.at++
    } else if (isLineOver) further += cursor.skipBreak()
    else {
      first = cursor.skipBreak()
      isLineOver = true
    }
  return isLineOver ? foldedBreaks(first, further) : blanks
}
