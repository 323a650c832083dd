/** Kubernetes objects from YAML or JSON text, each with the place it came from, so that every error can name it. */
import { LineCounter, parseAllDocuments, visit, type Document, type ParsedNode, type ScalarTag } from 'yaml'
import { InputError, messageOf } from '../errors.ts'
import { isObject, member, stringMember, typeName, type Json, type JsonObject } from '../kubernetes/json.ts'

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
  /** The parsed document, for printing it with its comments, and the text it stands in. */
  readonly yaml: Document.Parsed
  readonly text: string
  /** Where the object stands in the document: empty, or `['items', 3]` in a List. */
  readonly path: readonly (string | number)[]
}

export function describeSource({ file, document, line }: Pick<Source, 'file' | 'document' | 'line'>): string {
  return `${file === '-' ? 'standard input' : file}, document ${document}, line ${line}`
}

/**
 * `yes`, `on`, `n` and the like are booleans to Kubernetes' YAML parser (sigs.k8s.io/yaml, YAML 1.1), but not in YAML 1.2.
 */
const YAML_1_1_BOOLEAN: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: () => false,
  test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
  resolve: (text) => /^(?:y|on)/i.test(text),
  stringify: ({ source, value }) => source ?? (value === true ? 'true' : 'false'),
}

/** Every object of a text, `List` kinds taken apart, empty documents passed over. Throws InputError. */
export function parseManifests(text: string, file: string): readonly Manifest[] {
  const lines = new LineCounter()
  const documents = parseText(text, file, lines)
  const problems: string[] = []
  const manifests = documents.flatMap((yaml, index) => {
    const document = index + 1
    const start = yaml.contents?.range[0] ?? yaml.range[0]
    const place = { file, document, line: lines.linePos(start).line }
    const [error] = yaml.errors
    if (error !== undefined) {
      problems.push(
        `${describeSource({ ...place, line: error.linePos?.[0].line ?? place.line })}: ${problemText(error.message)}`,
      )
      return []
    }
    return readDocument({ ...place, yaml, text, path: [] }, lines, problems)
  })
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
  return manifests
}

function parseText(text: string, file: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter,
      merge: true,
      customTags: (tags) => [YAML_1_1_BOOLEAN, ...tags],
    })
    return Array.isArray(parsed) ? (parsed as Document.Parsed[]) : []
  } catch (error) {
    throw new InputError('manifest-unreadable', [
      `${describeSource({ file, document: 1, line: 1 })}: ${parserProblem(error)}`,
    ])
  }
}

function parserProblem(error: unknown): string {
  return problemText(messageOf(error))
}

/** The parser recurses, so very deep nesting exhausts its stack; it reports that as it is, or as a parse error. */
function problemText(message: string): string {
  return message.includes('call stack') ? 'the document is nested too deeply' : firstLine(message)
}

function firstLine(text: string): string {
  return (text.split('\n')[0] ?? '').replace(/(?: at line \d+, column \d+)?:?$/, '')
}

function readDocument(source: Source, lines: LineCounter, problems: string[]): readonly Manifest[] {
  const value = toJson(source, problems)
  if (value === undefined || value === null) return []
  return expand(value, source, lines, problems)
}

/** Alias bombs and what JSON has no word for are refused here. */
function toJson(source: Source, problems: string[]): Json | undefined {
  try {
    return source.yaml.toJS({ maxAliasCount: 1000 }) as Json
  } catch (error) {
    problems.push(`${describeSource(source)}: ${parserProblem(error)}`)
    return undefined
  }
}

function expand(value: Json, source: Source, lines: LineCounter, problems: string[]): readonly Manifest[] {
  const problem = objectProblem(value)
  if (problem !== undefined || !isObject(value)) {
    problems.push(`${describeSource(source)}: ${problem ?? ''}`)
    return []
  }
  const items = member(value, 'items')
  if (!(stringMember(value, 'kind') ?? '').endsWith('List') || !Array.isArray(items)) return [{ object: value, source }]
  return (items as readonly Json[]).flatMap((item, index) => {
    const path = [...source.path, 'items', index]
    return expand(item, { ...source, path, line: lineAt(source, path, lines) }, lines, problems)
  })
}

function objectProblem(value: Json): string | undefined {
  if (!isObject(value)) return `a Kubernetes object is expected, not ${typeName(value)}`
  for (const field of ['apiVersion', 'kind'])
    if ((stringMember(value, field) ?? '') === '') return `${field}: required, and must be a string`
  const metadata = member(value, 'metadata')
  if (metadata !== undefined && !isObject(metadata)) return `metadata: must be an object, not ${typeName(metadata)}`
  return undefined
}

/** The line of a field, or of the nearest one around it that exists. */
export function lineAt(source: Source, path: readonly (string | number)[], lines: LineCounter): number {
  for (let depth = path.length; depth > 0; depth--) {
    const node = source.yaml.getIn(path.slice(0, depth), true) as ParsedNode | undefined
    if (node?.range) return lines.linePos(node.range[0]).line
  }
  return source.line
}

/** Whether a document uses aliases, merge keys included: an edit in one place would show in others. */
export function sharesNodes(yaml: Document): boolean {
  const aliases: unknown[] = []
  visit(yaml, { Alias: (_, node) => void aliases.push(node) })
  return aliases.length > 0
}
