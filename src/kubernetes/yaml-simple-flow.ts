/**
 * Flow collections on one line, of words and quoted texts without escapes: `{httpGet: {path: /healthz, port: 8080}}`.
 */
import { resolvePlain } from './yaml-scalar.ts'
import type { YamlValue } from './yaml-value.ts'

const KEY = /([A-Za-z_][\w./-]*): +/y
const SCALAR = /(?:"([^"\\\n]*)"|'([^'\n]*)'|([\w./$(~+=*-][\w./$()+=@;*~ -]*(?::[\w/][\w./:-]*)?)) */y
const END_OF_LINE = / *(?: #[^\n]*)?\n/y

const MOST_LEVELS = 60

export class FlowReader {
  readonly #text: string
  #level = 0
  /** The start of the next line, once the collection has been read. */
  end: number

  constructor(text: string, start: number) {
    this.#text = text
    this.end = start
  }

  /** Returns undefined for anything that is not simple. */
  read(): YamlValue | undefined {
    const value = this.#value()
    return value !== undefined && this.#take(END_OF_LINE) !== null ? value : undefined
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.end
    const found = pattern.exec(this.#text)
    if (found !== null) this.end = pattern.lastIndex
    return found
  }

  #takeMark(mark: string): boolean {
    if (this.#text[this.end] !== mark) return false
    this.end++
    while (this.#text[this.end] === ' ') this.end++
    return true
  }

  #value(): YamlValue | undefined {
    if (this.#takeMark('{')) return this.#nested(() => this.#map())
    if (this.#takeMark('[')) return this.#nested(() => this.#list())
    const found = this.#take(SCALAR)
    if (found === null) return undefined
    const [, double, single, plain = ''] = found
    return double ?? single ?? plainValue(plain.trimEnd())
  }

  #nested(read: () => YamlValue | undefined): YamlValue | undefined {
    if (++this.#level > MOST_LEVELS) return undefined
    const value = read()
    this.#level--
    return value
  }

  #map(): YamlValue | undefined {
    const members: Record<string, YamlValue> = {}
    if (this.#takeMark('}')) return members
    do {
      const key = this.#take(KEY)?.[1]
      if (key === undefined || key === '__proto__' || Object.hasOwn(members, key) || resolvePlain(key) !== key)
        return undefined
      const value = this.#value()
      if (value === undefined) return undefined
      members[key] = value
    } while (this.#takeMark(','))
    return this.#takeMark('}') ? members : undefined
  }

  #list(): YamlValue | undefined {
    const items: YamlValue[] = []
    if (this.#takeMark(']')) return items
    do {
      const value = this.#value()
      if (value === undefined) return undefined
      items.push(value)
    } while (this.#takeMark(','))
    return this.#takeMark(']') ? items : undefined
  }
}

/** Words that begin like an alias, a list item or an end marker are not simple. */
function plainValue(text: string): YamlValue | undefined {
  if (/^(?:[*=]|-(?: |$)|---|\.\.\.)/.test(text)) return undefined
  try {
    const value = resolvePlain(text)
    return typeof value === 'bigint' ? Number(value) : value
  } catch {
    return undefined
  }
}
