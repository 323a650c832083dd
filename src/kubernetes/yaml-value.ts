/** The value of a YAML document as kubectl reads it (go.yaml.in/yaml/v2 decode.go, then sigs.k8s.io/yaml to JSON). */
import { EVENT_ID, getScalarValue, SCALAR_STYLE, COLLECTION_STYLE, type Event, type ScalarEvent } from 'js-yaml'
import { YamlError, type YamlEvents } from './yaml-events.ts'
import { resolvePlain, type YamlScalar } from './yaml-scalar.ts'

export type YamlValue = YamlScalar | YamlValue[] | { [key: string]: YamlValue }

export interface ReadValue {
  /** Undefined for a document of comments only. */
  readonly value: YamlValue | undefined
  /** Duplicate keys of mappings; kubectl uses the last one. */
  readonly duplicates: readonly DuplicateKey[]
}

export interface DuplicateKey {
  readonly key: string
  readonly offset: number
}

interface Frame {
  readonly kind: 'sequence' | 'mapping' | 'document'
  readonly value: YamlValue[] | { [key: string]: YamlValue }
  readonly anchor: string | undefined
  readonly isFlow: boolean
  readonly start: number
  readonly own: Set<string>
  key: { readonly name: string; readonly offset: number; readonly isMerge: boolean } | undefined
  /** The number of nodes with every alias expanded. */
  size: number
}

/**
 * Returns the share of aliased nodes above which go-yaml reports excessive aliasing, by the number of nodes with every
 * alias expanded (https://github.com/yaml/go-yaml/blob/v2/decode.go, allowedAliasRatio).
 */
function allowedAliasShare(nodes: number): number {
  if (nodes <= 400_000) return 0.99
  return nodes >= 4_000_000 ? 0.1 : 0.99 - 0.89 * ((nodes - 400_000) / 3_600_000)
}

/** Throws YamlError. With `exact`, integers beyond 2^53 are returned as bigint, otherwise as numbers. */
export function valueOf(read: YamlEvents, exact = false): ReadValue {
  return new Composer(read, exact).compose()
}

class Composer {
  readonly #read: YamlEvents
  readonly #exact: boolean
  readonly #anchors = new Map<string, { readonly value: YamlValue; readonly size: number } | 'open'>()
  readonly #duplicates: DuplicateKey[] = []
  readonly #frames: Frame[] = []
  #root: YamlValue | undefined
  #nodes = 0
  #aliased = 0

  constructor(read: YamlEvents, exact: boolean) {
    this.#read = read
    this.#exact = exact
  }

  compose(): ReadValue {
    for (const event of this.#read.events) this.#take(event)
    return { value: this.#root, duplicates: this.#duplicates }
  }

  #take(event: Event): void {
    this.#nodes++
    switch (event.type) {
      case EVENT_ID.DOCUMENT:
        this.#frames.push(openFrame('document', [], undefined, false, 0))
        return
      case EVENT_ID.SEQUENCE:
      case EVENT_ID.MAPPING: {
        const anchor = this.#text(event.anchorStart, event.anchorEnd)
        if (anchor !== undefined) this.#anchors.set(anchor, 'open')
        const isMapping = event.type === EVENT_ID.MAPPING
        const isFlow = event.style === COLLECTION_STYLE.FLOW || this.#frames.at(-1)?.isFlow === true
        const value = isMapping ? {} : []
        this.#frames.push(openFrame(isMapping ? 'mapping' : 'sequence', value, anchor, isFlow, event.start))
        return
      }
      case EVENT_ID.SCALAR: {
        const value = this.#scalar(event)
        const anchor = this.#text(event.anchorStart, event.anchorEnd)
        if (anchor !== undefined) this.#anchors.set(anchor, { value, size: 1 })
        this.#add(value, 1, event.valueStart, isPlain(event) ? this.#text(event.valueStart, event.valueEnd) : undefined)
        return
      }
      case EVENT_ID.ALIAS: {
        const name = this.#text(event.anchorStart, event.anchorEnd) ?? ''
        const found = this.#anchors.get(name)
        if (found === undefined) throw this.#error(`no anchor is named ${name}`, event.anchorStart)
        if (found === 'open') throw this.#error(`anchor ${name} contains itself`, event.anchorStart)
        this.#countAlias(found.size, event.anchorStart)
        this.#add(found.value, found.size, event.anchorStart, undefined)
        return
      }
      case EVENT_ID.POP:
        this.#close()
    }
  }

  #countAlias(size: number, offset: number): void {
    this.#nodes += size
    this.#aliased += size
    const isMuch = this.#aliased > 100 && this.#nodes > 1000
    if (isMuch && this.#aliased / this.#nodes > allowedAliasShare(this.#nodes))
      throw this.#error('the document contains excessive aliasing', offset)
  }

  #close(): void {
    const frame = this.#frames.pop()
    if (frame === undefined || frame.kind === 'document') return
    if (frame.anchor !== undefined) this.#anchors.set(frame.anchor, { value: frame.value, size: frame.size })
    this.#add(frame.value, frame.size, frame.start, undefined)
  }

  #add(value: YamlValue, size: number, offset: number, plain: string | undefined): void {
    const frame = this.#frames.at(-1)
    if (frame === undefined) return
    frame.size += size
    if (frame.kind === 'document') this.#root = value
    else if (Array.isArray(frame.value)) frame.value.push(value)
    else if (frame.key === undefined) frame.key = this.#key(value, offset, plain)
    else this.#pair(frame, frame.value, value)
  }

  #key(value: YamlValue, offset: number, plain: string | undefined): Frame['key'] {
    if (value === null) throw this.#error('a key is null, which kubectl refuses', offset)
    if (typeof value === 'object') throw this.#error('invalid map key: a key must be a string', offset)
    return { name: keyText(value), offset, isMerge: plain === '<<' }
  }

  #pair(frame: Frame, target: { [key: string]: YamlValue }, value: YamlValue): void {
    const { key } = frame
    frame.key = undefined
    if (key === undefined) return
    if (key.isMerge) {
      this.#merge(target, value, key.offset)
      return
    }
    if (frame.own.has(key.name)) this.#duplicates.push({ key: key.name, offset: this.#read.given(key.offset) })
    frame.own.add(key.name)
    put(target, key.name, value)
  }

  /** If several are merged, the first one wins. Merged members override members above, as in go-yaml v2. */
  #merge(target: { [key: string]: YamlValue }, value: YamlValue, offset: number): void {
    for (const source of Array.isArray(value) ? value.toReversed() : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source))
        throw this.#error('map merge requires map or sequence of maps as the value', offset)
      for (const [key, member] of Object.entries(source)) put(target, key, member)
    }
  }

  #scalar(event: ScalarEvent): YamlScalar {
    const text = this.#content(event)
    const tag = this.#text(event.tagStart, event.tagEnd)
    if (tag === '!!binary') return decodeBase64(text)
    if (tag === '!!str' || tag === '!' || (tag !== undefined && !tag.startsWith('!!'))) return text
    if (!isPlain(event) && tag === undefined) return text
    if (isPlain(event)) this.#refuseQuestionMark(event)
    try {
      const value = resolvePlain(text)
      return typeof value === 'bigint' && !this.#exact ? Number(value) : value
    } catch (error) {
      throw this.#error(error instanceof Error ? error.message : String(error), event.valueStart)
    }
  }

  /** As libyaml reads it: a block that the end of the text cuts off has no line break there. */
  #content(event: ScalarEvent): string {
    if (event.valueStart < 0) return ''
    const { source } = this.#read
    const text = getScalarValue(source, event)
    if (isQuoted(event) && BEHIND_QUOTES.test(source[event.valueEnd + 1] ?? ''))
      throw this.#error('did not find expected key: a quoted text ends before the value does', event.valueEnd)
    const isCutOff = isBlock(event) && event.valueEnd >= source.length && !source.endsWith('\n')
    return isCutOff ? text.replace(/\n$/, '') : text
  }

  /** libyaml ends a plain scalar at a question mark inside `{}` and `[]`. */
  #refuseQuestionMark({ valueStart, valueEnd }: ScalarEvent): void {
    if (this.#frames.at(-1)?.isFlow !== true) return
    const mark = this.#read.source.slice(valueStart, valueEnd).indexOf('?')
    if (mark >= 0)
      throw this.#error('kubectl does not read an unquoted ? within {} or []; quote the text', valueStart + mark)
  }

  #text(start: number, end: number): string | undefined {
    return start < 0 ? undefined : this.#read.source.slice(start, end)
  }

  #error(problem: string, position: number): YamlError {
    return new YamlError(problem, this.#read.given(Math.max(position, 0)))
  }
}

function openFrame(
  kind: Frame['kind'],
  value: Frame['value'],
  anchor: string | undefined,
  isFlow: boolean,
  start: number,
): Frame {
  return { kind, value, anchor, isFlow, start, own: new Set(), key: undefined, size: 1 }
}

/** Decodes `!!binary` as go-yaml does, treating the bytes as UTF-8. */
function decodeBase64(text: string): string {
  const bytes = Uint8Array.from(atob(text.replaceAll(/\s/g, '')), (character) => character.charCodeAt(0))
  return new TextDecoder().decode(bytes)
}

/** What cannot stand directly behind the closing quote; js-yaml reads it as the next key. */
const BEHIND_QUOTES = /[^\s:,\]}]/

function isQuoted({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED
}

function isBlock({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.LITERAL_BLOCK || style === SCALAR_STYLE.FOLDED_BLOCK
}

function isPlain({ style }: ScalarEvent): boolean {
  return style === SCALAR_STYLE.PLAIN
}

function keyText(value: YamlScalar): string {
  return typeof value === 'string' ? value : String(value)
}

/** Assigning a key of that name would set the prototype. */
function put(target: { [key: string]: YamlValue }, key: string, value: YamlValue): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
