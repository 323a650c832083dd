/** The value of a YAML document as kubectl reads it (go.yaml.in/yaml/v2 decode.go, then sigs.k8s.io/yaml to JSON). */
import { YamlError } from './yaml-cursor.ts'
import type { Entry, MapNode, ScalarNode, YamlNode } from './yaml-nodes.ts'
import { isNotFinite, keyText, resolvePlain, resolveTagged, type YamlScalar } from './yaml-scalar.ts'

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

/** Throws YamlError. With `exact`, integers beyond 2^53 are returned as bigint, otherwise as numbers. */
export function valueOf(root: YamlNode | undefined, exact = false): ReadValue {
  const decoder = new Decoder(exact)
  return { value: root === undefined ? undefined : decoder.decode(root), duplicates: decoder.duplicates }
}

/** Returns an entry's key as the member's name in JSON; undefined for one that kubectl refuses, and for a merge key. */
export function keyOf({ key }: Entry): string | undefined {
  if (isMerge(key)) return undefined
  const node = key.kind === 'alias' ? key.target : key
  try {
    return node.kind === 'scalar' ? textOfKey(node) : undefined
  } catch {
    return undefined
  }
}

class Decoder {
  readonly duplicates: DuplicateKey[] = []
  readonly #exact: boolean
  readonly #shared = new Map<YamlNode, { readonly value: YamlValue; readonly size: number }>()
  /** The numbers of decoded nodes with every alias expanded, and of those within aliases. */
  #nodes = 0
  #aliased = 0

  constructor(exact: boolean) {
    this.#exact = exact
  }

  decode(node: YamlNode): YamlValue {
    this.#nodes++
    if (node.kind === 'alias') return this.#expand(node.target, node.start)
    const before = this.#nodes
    const value = this.#content(node)
    if (node.anchor !== undefined) this.#shared.set(node, { value, size: this.#nodes - before + 1 })
    return value
  }

  /** An anchor precedes its aliases, so its value is known. */
  #expand(target: YamlNode, offset: number): YamlValue {
    const { value, size } = this.#shared.get(target) ?? { value: null, size: 1 }
    this.#nodes += size
    this.#aliased += size
    const isMuch = this.#aliased > 100 && this.#nodes > 1000
    if (isMuch && this.#aliased / this.#nodes > allowedAliasShare(this.#nodes))
      throw new YamlError('the document contains excessive aliasing', offset)
    return value
  }

  #content(node: Exclude<YamlNode, { readonly kind: 'alias' }>): YamlValue {
    if (node.kind === 'sequence') return node.items.map((item) => this.decode(item))
    return node.kind === 'map' ? this.#map(node) : this.#scalar(node)
  }

  #scalar(node: ScalarNode): YamlScalar {
    const value = orYamlError(node, () => scalarOf(node))
    return typeof value === 'bigint' && !this.#exact ? Number(value) : value
  }

  /** Merged members override members above, and are overridden by members below, as in go-yaml v2. */
  #map({ entries }: MapNode): YamlValue {
    const members: { [key: string]: YamlValue } = {}
    const own = new Set<string>()
    for (const { key, value } of entries) {
      if (isMerge(key)) {
        this.#merge(members, value)
        continue
      }
      const name = this.#key(key)
      if (own.has(name)) this.duplicates.push({ key: name, offset: key.start })
      own.add(name)
      put(members, name, this.decode(value))
    }
    return members
  }

  #key(node: YamlNode): string {
    this.#nodes++
    if (node.kind === 'scalar' && node.anchor !== undefined) this.decode(node)
    const key = node.kind === 'alias' ? node.target : node
    if (key.kind !== 'scalar') throw new YamlError('invalid map key: a key must be a string', node.start)
    return orYamlError(node, () => textOfKey(key))
  }

  /** If several are merged, the first one wins. */
  #merge(members: { [key: string]: YamlValue }, node: YamlNode): void {
    const sources = node.kind === 'sequence' ? node.items.toReversed() : [node]
    for (const source of sources) {
      const target = source.kind === 'alias' ? source.target : source
      if (target.kind !== 'map')
        throw new YamlError('map merge requires map or sequence of maps as the value', source.start)
      for (const [key, member] of Object.entries(this.decode(source) ?? {})) put(members, key, member as YamlValue)
    }
  }
}

/**
 * Returns the share of aliased nodes above which go-yaml reports excessive aliasing, by the number of nodes with every
 * alias expanded (https://github.com/yaml/go-yaml/blob/v2/decode.go, allowedAliasRatio).
 */
function allowedAliasShare(nodes: number): number {
  if (nodes <= 400_000) return 0.99
  return nodes >= 4_000_000 ? 0.1 : 0.99 - 0.89 * ((nodes - 400_000) / 3_600_000)
}

/** An unquoted `<<`. */
function isMerge(node: YamlNode): boolean {
  if (node.kind !== 'scalar' || node.text !== '<<') return false
  return node.tag === undefined ? node.style === 'plain' : node.tag === '!' || node.tag === 'tag:yaml.org,2002:merge'
}

function scalarOf({ text, style, tag }: ScalarNode): YamlScalar {
  if (tag !== undefined) return resolveTagged(tag, text)
  return style === 'plain' || style === 'absent' ? resolvePlain(text) : text
}

/** A key may be infinite, which a value in JSON cannot. */
function textOfKey(node: ScalarNode): string {
  const { text, style, tag } = node
  if (style === 'plain' && tag === undefined && isNotFinite(text)) return text.replace('+', '').toLowerCase()
  return keyText(scalarOf(node), text)
}

/** Calls a function that throws RangeError for a value that JSON does not have. */
function orYamlError<Result>({ start }: YamlNode, resolve: () => Result): Result {
  try {
    return resolve()
  } catch (error) {
    if (error instanceof RangeError) throw new YamlError(error.message, start)
    throw error
  }
}

/** Assigning a key of that name would set the prototype. */
function put(target: { [key: string]: YamlValue }, key: string, value: YamlValue): void {
  if (key === '__proto__')
    Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true })
  else target[key] = value
}
