/** Scans a block scalar: `|` or `>` with its indicators, and the lines below. */
import { SPACE, TAB, YamlError, type YamlCursor } from './yaml-cursor.ts'

export interface BlockText {
  readonly text: string
  /** The position after the last line that has text; after the blank lines, if the scalar keeps them (`|+`). */
  readonly end: number
}

/** `parentIndent` is the indentation of the surrounding collection, -1 for none. */
export function scanBlock(cursor: YamlCursor, parentIndent: number): BlockText {
  const start = cursor.at
  const isLiteral = cursor.text[start] === '|'
  const { chomping, increment } = scanIndicators(cursor)
  let end = cursor.at
  cursor.skipBreak()
  const given = increment === 0 ? 0 : Math.max(parentIndent, 0) + increment
  const first = scanBlankLines(cursor, given)
  const indent = given === 0 ? Math.max(first.column, parentIndent + 1, 1) : given
  let text = ''
  let lineBreak = ''
  let blankLines = first.breaks
  let kept = first.end
  let wasIndented = false
  while (cursor.column === indent && !Number.isNaN(cursor.code())) {
    const isIndented = cursor.isBlank()
    const isFolded = !isLiteral && !wasIndented && !isIndented && lineBreak === '\n'
    text += (isFolded ? (blankLines === '' ? ' ' : '') : lineBreak) + blankLines
    wasIndented = isIndented
    const from = cursor.at
    while (!cursor.isBreakOrEnd()) cursor.at++
    text += cursor.text.slice(from, cursor.at)
    end = cursor.at
    lineBreak = cursor.skipBreak()
    const blank = scanBlankLines(cursor, indent)
    blankLines = blank.breaks
    kept = blank.end
  }
  if (chomping !== '-') text += lineBreak
  return chomping === '+' ? { text: text + blankLines, end: kept } : { text, end }
}

interface Indicators {
  readonly chomping: '+' | '-' | ''
  /** The indentation beyond that of the parent; 0 if it is that of the first line. */
  readonly increment: number
}

function scanIndicators(cursor: YamlCursor): Indicators {
  const start = cursor.at
  INDICATORS.lastIndex = start + 1
  const found = INDICATORS.exec(cursor.text)
  const indicators = found?.[0] ?? ''
  if (indicators.includes('0')) throw new YamlError('an indentation indicator must be 1 to 9', start)
  cursor.at += 1 + indicators.length
  cursor.skipBlanks()
  cursor.skipComment()
  if (!cursor.isBreakOrEnd())
    throw new YamlError('after | or >, only -, +, a digit and a comment may be on the line', cursor.at)
  const chomping = indicators.includes('+') ? '+' : indicators.includes('-') ? '-' : ''
  return { chomping, increment: Number(/\d/.exec(indicators)?.[0] ?? 0) }
}

const INDICATORS = /[+-][0-9]?|[0-9][+-]?|/y

interface BlankLines {
  readonly breaks: string
  /** The position after the last of them. */
  readonly end: number
  /** The widest indentation that was seen. */
  readonly column: number
}

/** Reads blank lines, and the indentation of the next line up to `indent`; 0 for an unknown indentation. */
function scanBlankLines(cursor: YamlCursor, indent: number): BlankLines {
  let breaks = ''
  let end = cursor.at
  let column = 0
  for (;;) {
    while (isWithin(cursor, indent) && cursor.code() === SPACE) cursor.at++
    column = Math.max(column, cursor.column)
    if (isWithin(cursor, indent) && cursor.code() === TAB)
      throw new YamlError('a tab is used as indentation; use spaces', cursor.at)
    if (!cursor.isBreak()) return { breaks, end, column }
    breaks += cursor.skipBreak()
    end = cursor.at
  }
}

function isWithin(cursor: YamlCursor, indent: number): boolean {
  return indent === 0 || cursor.column < indent
}
