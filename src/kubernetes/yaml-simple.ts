/**
 * Reads the YAML of most manifests, several times faster than a parser that keeps positions: block maps and lists,
 * one-line scalars and flow collections, literal blocks. A text with anything else (anchors, tags, escapes, multi-line
 * scalars, tabs, other alphabets, duplicate keys, errors) is left to `nodesOf`, which reads all of YAML.
 */
import { resolvePlain } from './yaml-scalar.ts'
import { FlowReader } from './yaml-simple-flow.ts'
import type { YamlValue } from './yaml-value.ts'

/** Returns the result of `valueOf(nodesOf(text))`, or undefined for a text that is not simple. */
export function readSimpleYaml(text: string): YamlValue | undefined {
  if (!text.endsWith('\n') || NOT_PLAIN_TEXT.test(text)) return undefined
  try {
    return new SimpleReader(text).read()
  } catch (error) {
    if (error === NOT_SIMPLE) return undefined
    throw error
  }
}

/** Without a final line break, a literal block would end differently. */
const NOT_PLAIN_TEXT = /[^\x20-\x7e\n]/
const NOT_SIMPLE = new Error('the text needs the whole parser')
const MOST_LEVELS = 60

const KEY = /([A-Za-z_][\w./-]*):(?= |\n)/y
const QUOTED = /(?:"([^"\\\n]*)"|'([^'\n]*)') *(?: #[^\n]*)?\n/y
const LITERAL = /\|(-?) *(?: #[^\n]*)?\n/y
const FLOW = /[[{]/y
/**
 * Indicators that begin something else. `-`, `?` and `:` begin plain scalars if no space follows, and `-` is common.
 */
const PLAIN = /(?:[\w./$(~+^=<;\\]|-(?=[^ \n]))[^\n]*\n/y

type Members = Record<string, YamlValue>

class SimpleReader {
  readonly #text: string
  /** The start of the current line's content, its column, and the start of its line. */
  #at = 0
  #column = -1
  #level = 0

  constructor(text: string) {
    this.#text = text
    this.#toContent(0)
  }

  /** A simple document is a map. */
  read(): YamlValue {
    if (this.#column !== 0 || this.#isDash()) throw NOT_SIMPLE
    const value = this.#map(0)
    if (this.#at < this.#text.length) throw NOT_SIMPLE
    return value
  }

  /**
   * Moves from the start of a line to the next content, over blank lines and comments. At the end, the column is -1.
   */
  #toContent(lineStart: number): void {
    let start = lineStart
    for (;;) {
      let at = start
      while (this.#text.charCodeAt(at) === SPACE) at++
      const code = this.#text.charCodeAt(at)
      if (Number.isNaN(code)) {
        this.#at = this.#text.length
        this.#column = -1
        return
      }
      if (code !== LINE_BREAK && code !== HASH) {
        this.#at = at
        this.#column = at - start
        return
      }
      start = this.#text.indexOf('\n', at) + 1
    }
  }

  #isDash(): boolean {
    if (this.#text.charCodeAt(this.#at) !== DASH) return false
    const next = this.#text.charCodeAt(this.#at + 1)
    return next === SPACE || next === LINE_BREAK
  }

  #match(pattern: RegExp, at: number): RegExpExecArray | null {
    pattern.lastIndex = at
    return pattern.exec(this.#text)
  }

  #node(column: number): YamlValue {
    if (++this.#level > MOST_LEVELS) throw NOT_SIMPLE
    const value = this.#isDash() ? this.#list(column) : this.#map(column)
    this.#level--
    return value
  }

  #map(column: number): YamlValue {
    const members: Members = {}
    while (this.#column === column && !this.#isDash()) {
      const key = this.#match(KEY, this.#at)?.[1]
      if (key === undefined || key === '__proto__' || Object.hasOwn(members, key) || resolvePlain(key) !== key)
        throw NOT_SIMPLE
      members[key] = this.#valueBehind(this.#at + key.length + 1, column, true)
    }
    if (this.#column > column) throw NOT_SIMPLE
    return members
  }

  #list(column: number): YamlValue {
    const items: YamlValue[] = []
    while (this.#column === column && this.#isDash()) {
      const content = this.#skipSpace(this.#at + 1)
      const inner = column + content - this.#at
      if (this.#match(KEY, content) === null) items.push(this.#valueBehind(this.#at + 1, column, false))
      else {
        this.#at = content
        this.#column = inner
        items.push(this.#node(inner))
      }
    }
    if (this.#column > column) throw NOT_SIMPLE
    return items
  }

  #skipSpace(from: number): number {
    let at = from
    while (this.#text.charCodeAt(at) === SPACE) at++
    return at
  }

  /** Reads the value after `key:` or `-`: on the same line, or on separate lines below it. */
  #valueBehind(from: number, column: number, isMap: boolean): YamlValue {
    const at = this.#skipSpace(from)
    const code = this.#text.charCodeAt(at)
    if (code !== LINE_BREAK && code !== HASH) return this.#inline(at, column)
    this.#toContent(this.#text.indexOf('\n', at) + 1)
    if (this.#column > column) return this.#node(this.#column)
    return isMap && this.#column === column && this.#isDash() ? this.#node(column) : null
  }

  /** Reads a value on one line. If the text continues on a deeper line, its map or list finds it there. */
  #inline(at: number, column: number): YamlValue {
    const quoted = this.#match(QUOTED, at)
    if (quoted !== null) {
      this.#toContent(at + quoted[0].length)
      return quoted[1] ?? quoted[2] ?? ''
    }
    const plain = this.#match(PLAIN, at)
    if (plain !== null) return this.#plain(plain[0], at)
    const literal = this.#match(LITERAL, at)
    if (literal !== null) return this.#literal(at + literal[0].length, column, literal[1] === '-')
    if (this.#match(FLOW, at) === null) throw NOT_SIMPLE
    const flow = new FlowReader(this.#text, at)
    const value = flow.read()
    if (value === undefined) throw NOT_SIMPLE
    this.#toContent(flow.end)
    return value
  }

  #plain(line: string, at: number): YamlValue {
    const comment = line.indexOf(' #')
    const text = (comment === -1 ? line : line.slice(0, comment)).trimEnd()
    if (text.includes(': ') || text.endsWith(':')) throw NOT_SIMPLE
    this.#toContent(at + line.length)
    return valueOfPlain(text)
  }

  /** Reads the lines deeper than the key; trailing blank lines are dropped. */
  #literal(from: number, column: number, isStripped: boolean): string {
    const depth = this.#skipSpace(from) - from
    if (depth <= column || this.#text.charCodeAt(from + depth) === LINE_BREAK) throw NOT_SIMPLE
    const lines: string[] = []
    let start = from
    while (start < this.#text.length) {
      const content = this.#skipSpace(start)
      const end = this.#text.indexOf('\n', content)
      if (content === end && content - start > depth) throw NOT_SIMPLE
      if (content < end && content - start < depth) break
      lines.push(this.#text.slice(Math.min(start + depth, end), end))
      start = end + 1
    }
    this.#toContent(start)
    while (lines.at(-1) === '') lines.pop()
    return lines.join('\n') + (isStripped ? '' : '\n')
  }
}

/** Integers beyond 2^53 are numbers, as in `valueOf`. */
function valueOfPlain(text: string): YamlValue {
  try {
    const value = resolvePlain(text)
    return typeof value === 'bigint' ? Number(value) : value
  } catch {
    throw NOT_SIMPLE
  }
}

const SPACE = 0x20
const LINE_BREAK = 0x0a
const HASH = 0x23
const DASH = 0x2d
