/** The tokens of a YAML text, and the state from which the scanner knows which context a token is in. */
import { MOST_LEVELS, YamlError } from './yaml-cursor.ts'
import type { Directive, Tag } from './yaml-scan-properties.ts'

interface Place {
  readonly start: number
  readonly end: number
}

export type ScalarStyle = 'plain' | 'single' | 'double' | 'literal' | 'folded'

export interface ScalarToken extends Place {
  readonly type: 'scalar'
  readonly text: string
  readonly style: ScalarStyle
}

export type Token =
  | (Place & { readonly type: Mark })
  | (Place & { readonly type: 'anchor' | 'alias'; readonly name: string })
  | (Place & { readonly type: 'tag'; readonly tag: Tag })
  | (Place & { readonly type: 'directive'; readonly directive: Directive })
  | ScalarToken

/** `entry` is the `-` of an item; `key` stands before every key, also before one without a `?`. */
export type Mark =
  | 'document-start'
  | 'document-end'
  | 'end'
  | 'block-sequence'
  | 'block-mapping'
  | 'block-end'
  | '['
  | ']'
  | '{'
  | '}'
  | ','
  | 'entry'
  | 'key'
  | 'value'

/** A token that is a key if a `:` follows on its line, within 1024 characters. */
export interface PossibleKey {
  readonly token: number
  readonly at: number
  readonly line: number
  readonly column: number
  /** Whether nothing but a key can be here: the token begins a line of a block map. */
  readonly isRequired: boolean
}

/** Tokens are taken from the front, while marks are inserted before a token that turns out to be a key. */
export class TokenQueue {
  readonly #tokens: Token[] = []
  #head = 0
  /** The number of tokens taken so far; the number of the first one here. */
  taken = 0

  get isEmpty(): boolean {
    return this.#head === this.#tokens.length
  }

  /** The number of the next token. */
  get next(): number {
    return this.taken + this.#tokens.length - this.#head
  }

  first(): Token | undefined {
    return this.#tokens[this.#head]
  }

  add(token: Token): void {
    this.#tokens.push(token)
  }

  /** Before a token that is gone, libyaml inserts at the end. */
  insert(number: number, token: Token): void {
    if (number < this.taken) this.#tokens.push(token)
    else this.#tokens.splice(this.#head + number - this.taken, 0, token)
  }

  take(): void {
    this.#head++
    this.taken++
    if (this.#head < 64) return
    this.#tokens.splice(0, this.#head)
    this.#head = 0
  }
}

/** The indentation of the open block collections, and the possible key of each open flow collection. */
export class ScanContext {
  /** -1 outside of every collection. */
  indent = -1
  /** Whether a key may begin at the cursor. */
  allowsKey = true
  readonly #indents: number[] = []
  readonly #keys: (PossibleKey | undefined)[] = [undefined]
  /** The number of the last possible key of each level, or of its bracket. */
  readonly #numbers: number[] = [-1]
  /** Tokens that wait in the queue until it is known whether they are keys, with their level. */
  readonly #waiting = new Map<number, number>()

  get isInFlow(): boolean {
    return this.#keys.length > 1
  }

  openFlow(token: number, at: number): void {
    this.#keys.push(undefined)
    this.#numbers.push(token)
    if (this.#keys.length > MOST_LEVELS) throw new YamlError('the document is nested too deeply', at)
  }

  /** As in libyaml, a bracket without any possible key inside does not wait to become a key itself. */
  closeFlow(): void {
    if (!this.isInFlow) return
    this.#keys.pop()
    this.#waiting.delete(this.#numbers.pop() ?? -1)
  }

  /** Opens a block collection at this column; false if one is open there. */
  openBlock(column: number, at: number): boolean {
    if (this.isInFlow || this.indent >= column) return false
    this.#indents.push(this.indent)
    this.indent = column
    if (this.#indents.length > MOST_LEVELS) throw new YamlError('the document is nested too deeply', at)
    return true
  }

  /** Closes one block collection that is indented more than the column; false if none is. */
  closeBlock(column: number): boolean {
    if (this.isInFlow || this.indent <= column) return false
    this.indent = this.#indents.pop() ?? -1
    return true
  }

  key(): PossibleKey | undefined {
    return this.#keys.at(-1)
  }

  setKey(key: PossibleKey): void {
    const level = this.#keys.length - 1
    this.#keys[level] = key
    this.#numbers[level] = key.token
    this.#waiting.set(key.token, level)
  }

  /** Nothing that was read on this level can be a key any more. Throws YamlError if one was required. */
  dropKey(): void {
    const key = this.key()
    if (key?.isRequired === true) throw missingColon(key)
    this.useKey()
  }

  /** The key has been found, or given up. */
  useKey(): void {
    const key = this.key()
    if (key !== undefined) this.#waiting.delete(key.token)
    this.#keys[this.#keys.length - 1] = undefined
  }

  /** Whether the token may still turn out to be a key. Throws YamlError if it must, and cannot. */
  isWaiting(token: number, line: number, at: number): boolean {
    const level = this.#waiting.get(token)
    return level !== undefined && this.#isPossible(level, line, at)
  }

  /** Returns the key on this level that a colon here follows. Throws YamlError if one was required before. */
  keyBefore(line: number, at: number): PossibleKey | undefined {
    this.#isPossible(this.#keys.length - 1, line, at)
    return this.key()
  }

  #isPossible(level: number, line: number, at: number): boolean {
    const key = this.#keys[level]
    if (key === undefined) return false
    if (key.line === line && at <= key.at + 1024) return true
    if (key.isRequired) throw missingColon(key)
    this.#keys[level] = undefined
    return false
  }
}

function missingColon({ at }: PossibleKey): YamlError {
  return new YamlError('a key without a colon: could not find expected ":"', at)
}
