/**
 * Reads a YAML text as tokens by the rules of libyaml, which Go's parser, and so kubectl, follows to the letter
 * (https://github.com/yaml/go-yaml/blob/v2/scannerc.go). They differ from those of YAML 1.2 and of every parser for
 * JavaScript: docs/decisions/yaml-as-kubectl-reads-it.md.
 */
import { COLON, DASH, SPACE, TAB, YamlCursor, YamlError } from './yaml-cursor.ts'
import { scanBlock } from './yaml-scan-block.ts'
import { scanPlain } from './yaml-scan-plain.ts'
import { scanAnchor, scanDirective, scanTag } from './yaml-scan-properties.ts'
import { scanQuoted } from './yaml-scan-quoted.ts'
import { ScanContext, TokenQueue, type Mark, type ScalarStyle, type Token } from './yaml-tokens.ts'

/** A token is read when it is asked for, so a mistake after the end of the document does not matter. */
export class YamlScanner {
  readonly #cursor: YamlCursor
  readonly #queue = new TokenQueue()
  readonly #context = new ScanContext()

  /** Throws YamlError. */
  constructor(text: string) {
    this.#cursor = new YamlCursor(text)
  }

  /** Returns the next token without taking it. Throws YamlError. */
  peek(): Token {
    while (this.#needsMore()) this.#fetch()
    const token = this.#queue.first()
    if (token === undefined) throw new YamlError('the text ends', this.#cursor.at)
    return token
  }

  take(): void {
    this.#queue.take()
  }

  /** A token that may become a key is not ready: a mark would be inserted before it. */
  #needsMore(): boolean {
    return this.#queue.isEmpty || this.#context.isWaiting(this.#queue.taken, this.#cursor.line, this.#cursor.at)
  }

  #fetch(): void {
    this.#skipToToken()
    const cursor = this.#cursor
    this.#closeBlocks(cursor.column)
    const character = cursor.text.charAt(cursor.at)
    if (character === '') this.#end()
    else if (cursor.column === 0 && character === '%') this.#directive()
    else if (cursor.isDocumentMark()) this.#document(character === '-' ? 'document-start' : 'document-end')
    else if (!this.#indicator(character)) this.#plain()
  }

  /** A tab separates words; at the beginning of a line it is an error. */
  #skipToToken(): void {
    const cursor = this.#cursor
    for (;;) {
      while (cursor.code() === SPACE || (cursor.code() === TAB && (this.#context.isInFlow || !this.#context.allowsKey)))
        cursor.at++
      cursor.skipComment()
      if (!cursor.isBreak()) return
      cursor.skipBreak()
      if (!this.#context.isInFlow) this.#context.allowsKey = true
    }
  }

  #closeBlocks(column: number): void {
    while (this.#context.closeBlock(column)) this.#add('block-end', 0)
  }

  #add(type: Mark, length: number): void {
    const start = this.#cursor.at
    this.#cursor.at += length
    this.#queue.add({ type, start, end: this.#cursor.at })
  }

  #end(): void {
    this.#closeBlocks(-1)
    this.#context.dropKey()
    this.#context.allowsKey = false
    this.#add('end', 0)
  }

  #directive(): void {
    this.#closeBlocks(-1)
    this.#context.dropKey()
    this.#context.allowsKey = false
    const start = this.#cursor.at
    const directive = scanDirective(this.#cursor)
    this.#queue.add({ type: 'directive', directive, start, end: this.#cursor.at })
  }

  #document(type: Mark): void {
    this.#closeBlocks(-1)
    this.#context.dropKey()
    this.#context.allowsKey = false
    this.#add(type, 3)
  }

  /** Returns false if the character begins a plain scalar. */
  #indicator(character: string): boolean {
    const { isInFlow } = this.#context
    const isWord = this.#cursor.isWordEnd(1)
    if (character === '[' || character === '{') this.#openFlow(character)
    else if (character === ']' || character === '}') this.#closeFlow(character)
    else if (character === ',') this.#comma()
    else if (character === '-' && isWord) this.#entry()
    else if (character === '?' && (isInFlow || isWord)) this.#key()
    else if (character === ':' && (isInFlow || isWord)) this.#value()
    else if (character === '*' || character === '&') this.#anchor(character === '*' ? 'alias' : 'anchor')
    else if (character === '!') this.#tag()
    else if ((character === '|' || character === '>') && !isInFlow) this.#block(character)
    else if (character === '"' || character === "'") this.#quoted(character)
    else return false
    return true
  }

  #openFlow(bracket: '[' | '{'): void {
    this.#saveKey()
    this.#context.openFlow(this.#queue.next, this.#cursor.at)
    this.#context.allowsKey = true
    this.#add(bracket, 1)
  }

  /** Remembers that the next token is a key if a colon follows. */
  #saveKey(): void {
    if (!this.#context.allowsKey) return
    const { at, line, column } = this.#cursor
    const isRequired = !this.#context.isInFlow && this.#context.indent === column
    this.#context.dropKey()
    this.#context.setKey({ token: this.#queue.next, at, line, column, isRequired })
  }

  #closeFlow(bracket: ']' | '}'): void {
    this.#context.dropKey()
    this.#context.closeFlow()
    this.#context.allowsKey = false
    this.#add(bracket, 1)
  }

  #comma(): void {
    this.#context.dropKey()
    this.#context.allowsKey = true
    this.#add(',', 1)
  }

  #entry(): void {
    this.#openBlock('block-sequence', 'a list item cannot begin here')
    this.#context.dropKey()
    this.#context.allowsKey = true
    this.#add('entry', 1)
  }

  #openBlock(type: Mark, problem: string): void {
    if (this.#context.isInFlow) return
    const { at, column } = this.#cursor
    if (!this.#context.allowsKey) throw new YamlError(problem, at)
    if (this.#context.openBlock(column, at)) this.#add(type, 0)
  }

  #key(): void {
    this.#openBlock('block-mapping', 'a key cannot begin here')
    this.#context.dropKey()
    this.#context.allowsKey = !this.#context.isInFlow
    this.#add('key', 1)
  }

  #value(): void {
    const key = this.#context.keyBefore(this.#cursor.line, this.#cursor.at)
    if (key === undefined) {
      this.#openBlock('block-mapping', 'a colon cannot be here: mapping values are not allowed in this context')
      this.#context.allowsKey = !this.#context.isInFlow
    } else {
      const { token, at, column } = key
      this.#queue.insert(token, { type: 'key', start: at, end: at })
      if (this.#context.openBlock(column, at)) this.#queue.insert(token, { type: 'block-mapping', start: at, end: at })
      this.#context.useKey()
      this.#context.allowsKey = false
    }
    this.#add('value', 1)
  }

  #anchor(type: 'anchor' | 'alias'): void {
    this.#saveKey()
    this.#context.allowsKey = false
    const start = this.#cursor.at
    const name = scanAnchor(this.#cursor)
    this.#queue.add({ type, name, start, end: this.#cursor.at })
  }

  #tag(): void {
    this.#saveKey()
    this.#context.allowsKey = false
    const start = this.#cursor.at
    const tag = scanTag(this.#cursor)
    this.#queue.add({ type: 'tag', tag, start, end: this.#cursor.at })
  }

  #block(indicator: '|' | '>'): void {
    this.#context.dropKey()
    this.#context.allowsKey = true
    const start = this.#cursor.at
    const { text, end } = scanBlock(this.#cursor, this.#context.indent)
    this.#scalar(text, indicator === '|' ? 'literal' : 'folded', start, end)
  }

  #scalar(text: string, style: ScalarStyle, start: number, end: number): void {
    this.#queue.add({ type: 'scalar', text, style, start, end })
  }

  #quoted(quote: '"' | "'"): void {
    this.#saveKey()
    this.#context.allowsKey = false
    const start = this.#cursor.at
    const text = scanQuoted(this.#cursor)
    this.#scalar(text, quote === '"' ? 'double' : 'single', start, this.#cursor.at)
  }

  #plain(): void {
    const cursor = this.#cursor
    if (!this.#beginsPlain())
      throw new YamlError(
        cursor.code() === TAB
          ? 'a tab is used as indentation; use spaces'
          : `${cursor.text.charAt(cursor.at)} cannot begin a value; quote the text`,
        cursor.at,
      )
    this.#saveKey()
    this.#context.allowsKey = false
    const start = cursor.at
    const { text, end, isLineOver } = scanPlain(cursor, this.#context.indent + 1, this.#context.isInFlow)
    if (isLineOver) this.#context.allowsKey = true
    this.#scalar(text, 'plain', start, end)
  }

  #beginsPlain(): boolean {
    const cursor = this.#cursor
    const code = cursor.code()
    if (code === DASH) return !cursor.isBlank(1)
    if (code === COLON || code === QUESTION_MARK) return !this.#context.isInFlow && !cursor.isWordEnd(1)
    return !cursor.isBlank() && !',[]{}#&*!|>\'"%@`'.includes(cursor.text.charAt(cursor.at))
  }
}

const QUESTION_MARK = 0x3f
