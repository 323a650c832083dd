/** Scans a scalar without quotes. */
import { COLON, HASH, TAB, YamlError, type YamlCursor } from './yaml-cursor.ts'

export interface PlainText {
  readonly text: string
  /** The position after the last character of the text. */
  readonly end: number
  /** Whether lines were passed after it. */
  readonly isLineOver: boolean
}

/** Further lines belong to the scalar if they are indented by at least `indent`, and all of them within flow. */
export function scanPlain(cursor: YamlCursor, indent: number, isInFlow: boolean): PlainText {
  let text = ''
  let end = cursor.at
  let space = new PlainSpace()
  for (;;) {
    if (cursor.isDocumentMark() || cursor.code() === HASH) break
    const start = cursor.at
    while (!endsHere(cursor, isInFlow)) cursor.at++
    if (cursor.at > start) {
      text += space.asText() + cursor.text.slice(start, cursor.at)
      end = cursor.at
      space = new PlainSpace()
    }
    if (!cursor.isBlank() && !cursor.isBreak()) break
    space.scan(cursor, indent)
    if (!isInFlow && cursor.column < indent) break
  }
  return { text, end, isLineOver: space.isLineOver }
}

/** kubectl's parser also ends a text within brackets at a question mark. */
function endsHere(cursor: YamlCursor, isInFlow: boolean): boolean {
  if (cursor.isWordEnd()) return true
  const code = cursor.code()
  if (code === COLON) return cursor.isWordEnd(1)
  return isInFlow && ENDS_IN_FLOW.has(code)
}

const ENDS_IN_FLOW = new Set([',', '?', '[', ']', '{', '}'].map((character) => character.charCodeAt(0)))

/** The space between two words, perhaps on different lines. */
class PlainSpace {
  isLineOver = false
  #blanks = ''
  #first = ''
  #further = ''

  scan(cursor: YamlCursor, indent: number): void {
    while (cursor.isBlank() || cursor.isBreak())
      if (cursor.isBlank()) this.#addBlank(cursor, indent)
      else if (this.isLineOver) this.#further += cursor.skipBreak()
      else {
        this.#first = cursor.skipBreak()
        this.isLineOver = true
      }
  }

  #addBlank(cursor: YamlCursor, indent: number): void {
    if (!this.isLineOver) this.#blanks += cursor.text.charAt(cursor.at)
    else if (cursor.column < indent && cursor.code() === TAB)
      throw new YamlError('a tab is used as indentation; use spaces', cursor.at)
    cursor.at++
  }

  asText(): string {
    return this.isLineOver ? foldedBreaks(this.#first, this.#further) : this.#blanks
  }
}

/** One line break becomes a space; of several, the first is dropped. */
export function foldedBreaks(first: string, further: string): string {
  if (first !== '\n') return first + further
  return further === '' ? ' ' : further
}
