/** Parses Kubernetes objects from YAML or JSON, each with its source, so that every error can name it. */
import { InputError, messageOf } from '../errors.ts'
import {
  arrayMember,
  isObject,
  member,
  stringMember,
  typeName,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { duplicateKeys } from '../kubernetes/json-duplicates.ts'
import { readPlainJson } from '../kubernetes/plain-json.ts'
import { YamlError } from '../kubernetes/yaml-cursor.ts'
import { nodesOf, type YamlNode } from '../kubernetes/yaml-nodes.ts'
import { blockItems } from '../kubernetes/yaml-list.ts'
import { readBlockList } from '../kubernetes/yaml-list-value.ts'
import { readSimpleYaml } from '../kubernetes/yaml-simple.ts'
import { keyOf, valueOf, type DuplicateKey, type ReadValue, type YamlValue } from '../kubernetes/yaml-value.ts'
import { itemOffsets } from './json-items.ts'
import { isHelmTemplate, notAnObject } from './manifest-kinds.ts'
import { splitDocuments, type DocumentText } from './manifest-documents.ts'
import { WHOLE, type PieceStart } from './manifest-pieces.ts'

export interface Manifest {
  readonly object: JsonObject
  readonly source: Source
}

export interface Source {
  /** A path, or `-` for standard input. */
  readonly file: string
  /** Counts from 1. */
  readonly document: number
  readonly line: number
  /** The object's path in the document: empty, or `['items', 3]` in a List. */
  readonly path: readonly (string | number)[]
}

/** A document of a file with its parsed objects. */
export interface ManifestDocument extends DocumentText {
  /** Counts from 1. */
  readonly document: number
  readonly manifests: readonly Manifest[]
  /** Warnings for the user about text that kubectl reads differently than it looks, with file and line. */
  readonly warnings: readonly string[]
  /** Problems that make the document unusable, with file and line. */
  readonly problems: readonly string[]
  /** Why it has no object: it belongs to another tool. */
  readonly skipped?: string
}

export function describeSource({ file, document, line }: Pick<Source, 'file' | 'document' | 'line'>): string {
  return `${nameOfFile(file)}, document ${document}, line ${line}`
}

export function nameOfFile(file: string): string {
  return file === '-' ? 'standard input' : file
}

/** Returns every object of a text, with the items of Lists and without empty documents. Throws InputError. */
export function parseManifests(text: string, file: string): readonly Manifest[] {
  const documents = [...readDocuments({ file, text, isInFolder: false })]
  const problems = documents.flatMap((document) => document.problems)
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
  return documents.flatMap(({ manifests }) => manifests)
}

export interface ManifestText {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly text: string
  /** Whether only the folder was named; files of other tools are then no mistake. */
  readonly isInFolder: boolean
  /** Whether every object must have a name, as required to apply it. */
  readonly needsNames?: boolean
  /** Where the text begins in its file; absent for the whole of it. */
  readonly start?: PieceStart
}

/**
 * Yields the documents of a text one at a time, so that none must stay in memory. Documents that are not needed are not
 * parsed.
 */
export function* readDocuments(
  file: ManifestText,
  isNeeded: (text: string) => boolean = () => true,
): Generator<ManifestDocument> {
  const { line, documents } = file.start ?? WHOLE
  let document = documents
  for (const part of splitDocuments(file.text, line)) {
    document++
    yield isNeeded(part.text) ? readDocument(part, file, document) : { ...part, document, ...NOTHING }
  }
}

const NOTHING = { manifests: [], warnings: [], problems: [] } as const

/** Never throws: errors become problems. */
function readDocument(part: DocumentText, manifestText: ManifestText, document: number): ManifestDocument {
  const { file } = manifestText
  const at = (offset: number) => describeSource({ file, document, line: lineAt(part, offset) })
  if (part.problem !== undefined) return { ...part, document, ...NOTHING, problems: [`${at(-1)}: ${part.problem}`] }
  try {
    const { value, warnings } = readValue(part, at)
    if (value === undefined || value === null) return { ...part, document, ...NOTHING, warnings }
    const source = { file, document, line: lineAt(part, contentStart(part.text)), path: [] }
    return { ...part, document, warnings, ...objectsOf(value, source, part, manifestText) }
  } catch (error) {
    if (isHelmTemplate(part.text, undefined))
      return { ...part, document, ...NOTHING, problems: [`${at(helmAt(part))}: ${helmText(file)}`] }
    const offset = error instanceof YamlError ? error.offset : 0
    return { ...part, document, ...NOTHING, problems: [`${at(offset)}: ${problemText(messageOf(error))}`] }
  }
}

function helmAt({ text }: DocumentText): number {
  return Math.max(0, text.indexOf('{{'))
}

/** A template in a folder `templates` belongs to the chart one folder up. */
function helmText(file: string): string {
  const chart = /^(.*?)\/?templates\//.exec(file)?.[1]
  const folder = chart === undefined ? 'CHART' : chart === '' ? '.' : chart
  return `this looks like a Helm template; render it first: helm template ${folder} | istio-onramp preview -f -`
}

/** The parser is recursive, so very deep nesting exhausts its stack. */
function problemText(message: string): string {
  return /call stack|nesting|maxDepth/i.test(message) ? 'the document is nested too deeply' : message
}

function readValue(
  { text, isJson, isMarked }: DocumentText,
  at: (offset: number) => string,
): { readonly value: Json | undefined; readonly warnings: readonly string[] } {
  if (isJson) return { value: JSON.parse(text) as Json, warnings: repeatedKeys(duplicateKeys(text), at) }
  const { value, duplicates } = readYaml(text, isMarked)
  const directive = /^\ufeff?(?:(?:#[^\n]*|[ \t\r]*)\n)*%/.test(text)
    ? [`${at(0)}: kubectl refuses a document with a % directive`]
    : []
  return { value: value as Json | undefined, warnings: [...directive, ...repeatedKeys(duplicates, at)] }
}

function readYaml(text: string, isMarked: boolean): ReadValue {
  const json = readPlainJson(text)
  if (json !== undefined) return { value: json as YamlValue, duplicates: [] }
  const list = text.length > LARGE_LIST ? readBlockList(text) : undefined
  if (list !== undefined) return list
  const simple = readSimpleYaml(text)
  return simple === undefined ? valueOf(nodesOf(text, isMarked)) : { value: simple, duplicates: [] }
}

/** Characters. */
const LARGE_LIST = 1 << 16

function repeatedKeys(duplicates: readonly DuplicateKey[], at: (offset: number) => string): readonly string[] {
  return duplicates.map(({ key, offset }) => `${at(offset)}: duplicate key ${key}; kubectl uses the last one`)
}

/** Returns the start of the document's content, after comments, directives and blank lines. */
function contentStart(text: string): number {
  const found = /^\ufeff?(?:[ \t]*(?:[#%][^\n]*|---[^\n]*)?(?:\r?\n|$))*[ \t]*/.exec(text)
  return found?.[0].length ?? 0
}

function lineAt({ text, line }: DocumentText, offset: number): number {
  if (offset < 0) return line - 1
  let count = line
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) count++
  return count
}

type Objects = Pick<ManifestDocument, 'manifests' | 'problems'> & { readonly skipped?: string }

function objectsOf(
  value: Json,
  source: Source,
  part: DocumentText,
  { isInFolder, needsNames = false }: ManifestText,
): Objects {
  const { file } = source
  const skipped = notAnObject(value, file, isInFolder)
  if (skipped !== undefined) return { manifests: [], problems: [], skipped: `${nameOfFile(file)}: ${skipped}` }
  if (isHelmTemplate(part.text, value))
    return {
      manifests: [],
      problems: [`${describeSource({ ...source, line: lineAt(part, helmAt(part)) })}: ${helmText(file)}`],
    }
  const problems: string[] = []
  const manifests = expand(value, source, { lineOf: itemLines(part, value), needsNames, problems })
  return { manifests, problems }
}

interface Expansion {
  readonly lineOf: (path: Source['path']) => number
  readonly needsNames: boolean
  readonly problems: string[]
}

function expand(value: Json, source: Source, expansion: Expansion): readonly Manifest[] {
  const items = isObject(value) ? member(value, 'items') : undefined
  const isList = Array.isArray(items) && (stringMember(value, 'kind') ?? '').endsWith('List')
  const problem = objectProblem(value, expansion.needsNames && !isList)
  if (problem !== undefined || !isObject(value)) {
    expansion.problems.push(`${describeSource(source)}: ${problem ?? ''}`)
    return []
  }
  if (!isList) return [{ object: value, source }]
  return (items as readonly Json[]).flatMap((item, index) => {
    const path = [...source.path, 'items', index]
    return expand(item, { ...source, path, line: expansion.lineOf(path) }, expansion)
  })
}

/** Source positions cost more than values, so they are computed only for Lists, when the first item needs them. */
function itemLines(part: DocumentText, value: Json): Expansion['lineOf'] {
  let root: YamlNode | undefined
  let offsets: readonly number[] | undefined
  let isRead = false
  const lineOf = linesInOrder(part)
  return (path) => {
    if (!isRead) offsets = startsOfItems(part, arrayMember(value, 'items').length)
    isRead = true
    const offset = path.length === 2 ? offsets?.[Number(path[1])] : undefined
    if (offset !== undefined) return lineOf(offset)
    root ??= nodesOf(part.text, part.isMarked)
    return lineOf(nodeAt(root, path)?.start ?? 0)
  }
}

function startsOfItems({ text, isJson }: DocumentText, count: number): readonly number[] | undefined {
  if (isJson) return itemOffsets(text, count)
  const starts = blockItems(text)?.starts
  return starts?.length === count ? starts : undefined
}

/** As `lineAt`. Offsets that ascend, as those of a List's items, cost one pass over the text in all. */
function linesInOrder(part: DocumentText): (offset: number) => number {
  let { line } = part
  let passed = 0
  let lineEnd = part.text.indexOf('\n')
  return (offset) => {
    if (offset < passed) return lineAt(part, offset)
    passed = offset
    while (lineEnd !== -1 && lineEnd < offset) {
      line++
      lineEnd = part.text.indexOf('\n', lineEnd + 1)
    }
    return line
  }
}

function nodeAt(root: YamlNode | undefined, path: Source['path']): YamlNode | undefined {
  let node = root
  for (const segment of path) {
    if (node?.kind === 'map') node = node.entries.findLast((entry) => keyOf(entry) === String(segment))?.value
    else if (node?.kind === 'sequence') node = node.items[Number(segment)]
    else return undefined
  }
  return node
}

/** Reviews are sent but never stored, so they have no name. */
const NAMELESS = /Review$/

function objectProblem(value: Json, needsName: boolean): string | undefined {
  if (!isObject(value)) return `a Kubernetes object is expected, not ${typeName(value)}`
  for (const field of ['apiVersion', 'kind'])
    if ((stringMember(value, field) ?? '') === '') return `${field}: required, and must be a string`
  const metadata = member(value, 'metadata')
  if (metadata !== undefined && !isObject(metadata)) return `metadata: must be an object, not ${typeName(metadata)}`
  if (!needsName || NAMELESS.test(stringMember(value, 'kind') ?? '')) return undefined
  return nameProblem(metadata)
}

function nameProblem(metadata: JsonObject | undefined): string | undefined {
  const name = member(metadata, 'name')
  if (name !== undefined && name !== null && typeof name !== 'string')
    return `metadata.name: must be a string, not ${typeName(name)}`
  if ((name ?? '') !== '' || (stringMember(metadata, 'generateName') ?? '') !== '') return undefined
  return 'metadata.name: required, or metadata.generateName'
}
