/** A position in a YAML text, and the classes of characters that YAML 1.1 distinguishes (https://yaml.org/spec/1.1/#id868742). */

/** A problem in a text; `offset` counts from the start of the document's text. */
export class YamlError extends Error {
  readonly offset: number

  constructor(problem: string, offset: number) {
    super(problem)
    this.offset = offset
  }
}

/** Deeper documents would exhaust the stack; kubectl's own limit is 10000. */
export const MOST_LEVELS = 200

/** A mutable position. `code()` is NaN at the end of the text. */
export class YamlCursor {
  readonly text: string
  at = 0
  line = 0
  #lineStart = 0

  /** Throws YamlError for a character that YAML does not allow. A missing last line break is added, as kubectl does. */
  constructor(text: string) {
    const forbidden = FORBIDDEN.exec(text)
    if (forbidden !== null) throw new YamlError(forbiddenText(forbidden[0]), forbidden.index)
    this.text = text.endsWith('\n') ? text : `${text}\n`
    this.at = this.#lineStart = BYTE_ORDER_MARKS.exec(text)?.[0].length ?? 0
  }

  get column(): number {
    return this.at - this.#lineStart
  }

  code(ahead = 0): number {
    return this.text.charCodeAt(this.at + ahead)
  }

  isBlank(ahead = 0): boolean {
    const code = this.code(ahead)
    return code === SPACE || code === TAB
  }

  isBreak(ahead = 0): boolean {
    return isLineBreak(this.code(ahead))
  }

  isBreakOrEnd(ahead = 0): boolean {
    const code = this.code(ahead)
    return isLineBreak(code) || Number.isNaN(code)
  }

  /** Whether a word ends here: at space, a line break or the end of the text. */
  isWordEnd(ahead = 0): boolean {
    return this.isBlank(ahead) || this.isBreakOrEnd(ahead)
  }

  /** Whether the line begins with `---` or `...` as a word. */
  isDocumentMark(): boolean {
    if (this.column !== 0) return false
    const code = this.code()
    if ((code !== DASH && code !== DOT) || this.code(1) !== code || this.code(2) !== code) return false
    return this.isWordEnd(3)
  }

  /** Moves to the next line and returns the break as it counts within a scalar; empty if there is no break. */
  skipBreak(): string {
    if (!this.isBreak()) return ''
    const code = this.code()
    this.at += code === CARRIAGE_RETURN ? this.#returnLength() : 1
    this.line++
    this.#lineStart = this.at
    return code === 0x2028 || code === 0x2029 ? String.fromCharCode(code) : '\n'
  }

  /** kubectl takes `\r\n` from the end of each line before the parser sees it, which may leave another `\r`. */
  #returnLength(): number {
    if (this.code(1) === LINE_FEED) return 2
    return this.code(1) === CARRIAGE_RETURN && this.code(2) === LINE_FEED ? 3 : 1
  }

  skipBlanks(): void {
    while (this.isBlank()) this.at++
  }

  skipComment(): void {
    if (this.code() === HASH) while (!this.isBreakOrEnd()) this.at++
  }
}

/** YAML 1.1 has five line breaks, four of them of one character. */
function isLineBreak(code: number): boolean {
  return code === LINE_FEED || code === CARRIAGE_RETURN || code === 0x85 || code === 0x2028 || code === 0x2029
}

/** kubectl's parser also passes over a second one. */
const BYTE_ORDER_MARKS = /^\ufeff{0,2}/

/** What is not printable (https://yaml.org/spec/1.1/#id868524). */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u

function forbiddenText(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
  return `YAML does not allow the control character U+${code}; write it as an escape in double quotes`
}

export const SPACE = 0x20
export const TAB = 0x09
export const LINE_FEED = 0x0a
export const CARRIAGE_RETURN = 0x0d
export const HASH = 0x23
export const DASH = 0x2d
export const DOT = 0x2e
export const COLON = 0x3a
