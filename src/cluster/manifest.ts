/** Parses Kubernetes objects from YAML or JSON, each with its source, so that every error can name it. */
import { InputError, messageOf } from '../errors.ts'
import type { Json } from '../kubernetes/json.ts'
import { duplicateKeys } from '../kubernetes/json-duplicates.ts'
import { readPlainJson } from '../kubernetes/plain-json.ts'
import { YamlError } from '../kubernetes/yaml-cursor.ts'
import { nodesOf } from '../kubernetes/yaml-nodes.ts'
import { readBlockList } from '../kubernetes/yaml-list-value.ts'
import { readSimpleYaml } from '../kubernetes/yaml-simple.ts'
import { valueOf, type DuplicateKey, type ReadValue, type YamlValue } from '../kubernetes/yaml-value.ts'
import { helmAt, helmText, isHelmTemplate } from './manifest-kinds.ts'
import { splitDocuments, type DocumentText } from './manifest-documents.ts'
import { contentStart, lineAt } from './manifest-lines.ts'
import { objectsOf, type Demands } from './manifest-objects.ts'
import { describeSource, type Manifest } from './manifest-source.ts'
import { WHOLE, type PieceStart } from './manifest-pieces.ts'

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

/** Returns every object of a text, with the items of Lists and without empty documents. Throws InputError. */
export function parseManifests(text: string, file: string): readonly Manifest[] {
  const documents = [...readDocuments({ file, text, isInFolder: false })]
  const problems = documents.flatMap((document) => document.problems)
  if (problems.length > 0) throw new InputError('manifest-unreadable', problems)
  return documents.flatMap(({ manifests }) => manifests)
}

export interface ManifestText extends Demands {
  /** A path, or `-` for standard input. */
  readonly file: string
  readonly text: string
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
      return { ...part, document, ...NOTHING, problems: [`${at(helmAt(part.text))}: ${helmText(file)}`] }
    const offset = error instanceof YamlError ? error.offset : 0
    return { ...part, document, ...NOTHING, problems: [`${at(offset)}: ${problemText(messageOf(error))}`] }
  }
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
