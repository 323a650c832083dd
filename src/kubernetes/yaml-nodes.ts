/** A YAML document as nodes with their positions in the text, as kubectl reads it, and for editing it in place. */
import { MOST_LEVELS, YamlError } from './yaml-cursor.ts'
import { YamlScanner } from './yaml-scanner.ts'
import type { ScalarStyle, ScalarToken, Token } from './yaml-tokens.ts'

interface Place {
  /** Includes anchor and tag. */
  readonly start: number
  /** The position after the last character; for a block collection, that of its last entry. */
  readonly end: number
  readonly anchor: string | undefined
}

export type YamlNode = MapNode | SequenceNode | AliasNode | ScalarNode

export interface MapNode extends Place {
  readonly kind: 'map'
  readonly isFlow: boolean
  readonly entries: readonly Entry[]
}

export interface SequenceNode extends Place {
  readonly kind: 'sequence'
  readonly isFlow: boolean
  readonly items: readonly YamlNode[]
}

export interface AliasNode extends Place {
  readonly kind: 'alias'
  readonly name: string
  readonly target: YamlNode
}

export interface ScalarNode extends Place {
  readonly kind: 'scalar'
  readonly text: string
  /** `absent` if the text has no value. */
  readonly style: ScalarStyle | 'absent'
  /** In full, such as `tag:yaml.org,2002:str`. */
  readonly tag: string | undefined
}

export interface Entry {
  readonly key: YamlNode
  readonly value: YamlNode
}

/**
 * Returns undefined for a document of comments only. With `isMarked`, the parser has seen `---` before the text. Throws
 * YamlError for what kubectl refuses.
 */
export function nodesOf(text: string, isMarked = false): YamlNode | undefined {
  return new NodeReader(text).read(isMarked)
}

interface Properties {
  readonly start: number
  /** The position after anchor and tag; -1 without them. */
  readonly end: number
  readonly anchor: string | undefined
  readonly tag: string | undefined
}

class NodeReader {
  readonly #scanner: YamlScanner
  readonly #length: number
  readonly #anchors = new Map<string, YamlNode | 'open'>()
  readonly #handles = new Map([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ])
  #level = 0

  constructor(text: string) {
    this.#scanner = new YamlScanner(text)
    this.#length = text.length
  }

  read(isMarked: boolean): YamlNode | undefined {
    if (this.#is('end')) return undefined
    const isExplicit = isMarked || this.#readHead()
    const { start } = this.#scanner.peek()
    const isEmpty = isExplicit && ['directive', 'document-start', 'document-end', 'end'].includes(this.#type())
    const root = isEmpty ? this.#absent(start) : this.#node(true, false)
    this.#scanner.peek()
    return root
  }

  /** Reads directives and `---`; false if the document begins with its content. */
  #readHead(): boolean {
    let token = this.#scanner.peek()
    if (token.type !== 'directive' && token.type !== 'document-start') return false
    for (; token.type === 'directive'; token = this.#scanner.peek()) {
      const { name, handle, prefix } = token.directive
      if (name === 'TAG') this.#handles.set(handle, prefix)
      this.#scanner.take()
    }
    if (token.type !== 'document-start') throw new YamlError('--- is expected after a % directive', token.start)
    this.#scanner.take()
    return true
  }

  #type(): Token['type'] {
    return this.#scanner.peek().type
  }

  #is(...types: readonly Token['type'][]): boolean {
    return types.includes(this.#type())
  }

  #absent(at: number, { start = at, end = -1, anchor, tag }: Partial<Properties> = {}): ScalarNode {
    return { kind: 'scalar', text: '', style: 'absent', tag, anchor, start, end: Math.max(at, end) }
  }

  /** `isIndentless`: a list whose dashes are in the column of its key. */
  #node(isBlock: boolean, isIndentless: boolean): YamlNode {
    const token = this.#scanner.peek()
    if (token.type === 'alias') return this.#alias(token)
    const properties = this.#properties()
    const { anchor } = properties
    if (anchor !== undefined) this.#anchors.set(anchor, 'open')
    if (++this.#level > MOST_LEVELS) throw new YamlError('the document is nested too deeply', token.start)
    const node = this.#content(isBlock, isIndentless, properties)
    this.#level--
    if (anchor !== undefined) this.#anchors.set(anchor, node)
    return node
  }

  #alias({ name, start, end }: Extract<Token, { readonly name: string }>): AliasNode {
    const target = this.#anchors.get(name)
    if (target === undefined) throw new YamlError(`no anchor is named ${name}`, start)
    if (target === 'open') throw new YamlError(`anchor ${name} contains itself`, start)
    this.#scanner.take()
    return { kind: 'alias', name, target, start, end, anchor: undefined }
  }

  /** One anchor and one tag, in any order. */
  #properties(): Properties {
    const { start } = this.#scanner.peek()
    let end = -1
    let anchor: string | undefined
    let tag: string | undefined
    for (;;) {
      const token = this.#scanner.peek()
      if (token.type === 'anchor' && anchor === undefined) anchor = token.name
      else if (token.type === 'tag' && tag === undefined) tag = this.#tag(token)
      else return { start, end, anchor, tag }
      end = token.end
      this.#scanner.take()
    }
  }

  #tag({ tag: { handle, suffix }, start }: Extract<Token, { readonly type: 'tag' }>): string {
    if (handle === '') return suffix
    const prefix = this.#handles.get(handle)
    if (prefix === undefined) throw new YamlError(`no %TAG directive defines ${handle}`, start)
    return prefix + suffix
  }

  #content(isBlock: boolean, isIndentless: boolean, properties: Properties): YamlNode {
    const token = this.#scanner.peek()
    const { start, end, anchor } = properties
    switch (token.type) {
      case 'scalar':
        return this.#scalar(token, properties)
      case '[':
        return { ...this.#flowSequence(), start, anchor }
      case '{':
        return { ...this.#flowMap(), start, anchor }
      case 'entry':
        if (isIndentless) return { ...this.#indentlessSequence(), start, anchor }
        break
      case 'block-sequence':
        if (isBlock) return { ...this.#blockSequence(), start, anchor }
        break
      case 'block-mapping':
        if (isBlock) return { ...this.#blockMap(), start, anchor }
    }
    if (end >= 0) return this.#absent(end, properties)
    throw new YamlError(CONTENT_PROBLEMS.get(token.type) ?? 'a value is expected here', token.start)
  }

  #scalar({ text, style, end }: ScalarToken, { start, anchor, tag }: Properties): ScalarNode {
    this.#scanner.take()
    return { kind: 'scalar', text, style, tag, anchor, start, end: Math.min(end, this.#length) }
  }

  #blockSequence(): Unplaced<SequenceNode> {
    this.#scanner.take()
    const items: YamlNode[] = []
    let { end } = this.#scanner.peek()
    while (this.#is('entry')) {
      items.push(this.#behind(['entry', 'block-end'], true, false))
      end = items.at(-1)?.end ?? end
    }
    this.#expect('block-end', 'a list item, or a line that is indented less, is expected here')
    return { kind: 'sequence', isFlow: false, items, end }
  }

  /** Reads the node behind the next token; an absent one if a token of these types follows. */
  #behind(stops: readonly Token['type'][], isBlock: boolean, isIndentless: boolean): YamlNode {
    const { end } = this.#scanner.peek()
    this.#scanner.take()
    return stops.includes(this.#type()) ? this.#absent(end) : this.#node(isBlock, isIndentless)
  }

  #expect(type: Token['type'], problem: string): void {
    const token = this.#scanner.peek()
    if (token.type !== type) throw new YamlError(problem, token.start)
    this.#scanner.take()
  }

  #indentlessSequence(): Unplaced<SequenceNode> {
    const items: YamlNode[] = []
    let { end } = this.#scanner.peek()
    while (this.#is('entry')) {
      items.push(this.#behind(['entry', 'key', 'value', 'block-end'], true, false))
      end = items.at(-1)?.end ?? end
    }
    return { kind: 'sequence', isFlow: false, items, end }
  }

  #blockMap(): Unplaced<MapNode> {
    let { end } = this.#scanner.peek()
    this.#scanner.take()
    const entries: Entry[] = []
    while (this.#is('key')) {
      const key = this.#behind(BEYOND_ENTRY, true, true)
      const value = this.#is('value') ? this.#behind(BEYOND_ENTRY, true, true) : this.#absent(key.end)
      entries.push({ key, value })
      end = value.end
    }
    this.#expect('block-end', 'a key, or a line that is indented less, is expected here')
    return { kind: 'map', isFlow: false, entries, end }
  }

  #flowSequence(): Unplaced<SequenceNode> {
    this.#scanner.take()
    const items: YamlNode[] = []
    while (this.#hasMore(']', items.length)) items.push(this.#is('key') ? this.#pair() : this.#node(false, false))
    return { kind: 'sequence', isFlow: true, items, end: this.#close() }
  }

  /** Passes the comma before every item but the first. */
  #hasMore(bracket: ']' | '}', count: number): boolean {
    if (this.#is(bracket)) return false
    if (count > 0) this.#expect(',', `a comma or ${bracket} is expected here`)
    return !this.#is(bracket)
  }

  #close(): number {
    const { end } = this.#scanner.peek()
    this.#scanner.take()
    return end
  }

  /** `[a: b]` is a list of one map. Without a key (`[? : b]`), libyaml passes over the next token. */
  #pair(): MapNode {
    const { start, end } = this.#scanner.peek()
    this.#scanner.take()
    const isAbsent = this.#is('value', ',', ']')
    if (isAbsent) this.#scanner.take()
    const key = isAbsent ? this.#absent(end) : this.#node(false, false)
    const value = this.#is('value') ? this.#behind([',', ']'], false, false) : this.#absent(key.end)
    return { kind: 'map', isFlow: true, entries: [{ key, value }], start, end: value.end, anchor: undefined }
  }

  #flowMap(): Unplaced<MapNode> {
    this.#scanner.take()
    const entries: Entry[] = []
    while (this.#hasMore('}', entries.length)) entries.push(this.#flowEntry())
    return { kind: 'map', isFlow: true, entries, end: this.#close() }
  }

  #flowEntry(): Entry {
    if (!this.#is('key')) {
      const key = this.#node(false, false)
      return { key, value: this.#absent(key.end) }
    }
    const key = this.#behind(BEYOND_FLOW_ENTRY, false, false)
    return { key, value: this.#is('value') ? this.#behind([',', '}'], false, false) : this.#absent(key.end) }
  }
}

type Unplaced<Node extends YamlNode> = Omit<Node, 'start' | 'anchor'>

const BEYOND_ENTRY = ['key', 'value', 'block-end'] as const
const BEYOND_FLOW_ENTRY = ['value', ',', '}'] as const

const CONTENT_PROBLEMS: ReadonlyMap<Token['type'], string> = new Map([
  [',', 'a value is expected before the comma'],
  [']', 'a closing bracket without an opening one'],
  ['}', 'a closing brace without an opening one'],
  ['end', 'the text ends where a value is expected'],
  ['document-end', 'the document ends where a value is expected'],
  ['document-start', 'the document ends where a value is expected'],
  ['anchor', 'a value has two anchors'],
  ['tag', 'a value has two tags'],
])
