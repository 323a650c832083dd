/** The objects of a document: one, the items of a List, or none where it belongs to another tool. */
import {
  arrayMember,
  isObject,
  member,
  stringMember,
  typeName,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { blockItems } from '../kubernetes/yaml-list.ts'
import { nodesOf, type YamlNode } from '../kubernetes/yaml-nodes.ts'
import { keyOf } from '../kubernetes/yaml-value.ts'
import { itemOffsets } from './json-items.ts'
import type { DocumentText } from './manifest-documents.ts'
import { helmAt, helmText, isHelmTemplate, notAnObject } from './manifest-kinds.ts'
import { lineAt, linesInOrder } from './manifest-lines.ts'
import { describeSource, nameOfFile, type Manifest, type Source } from './manifest-source.ts'

interface Objects {
  readonly manifests: readonly Manifest[]
  readonly problems: readonly string[]
  readonly skipped?: string
}

/** What the user of a text expects of it. */
export interface Demands {
  /** Whether only the folder was named; files of other tools are then no mistake. */
  readonly isInFolder: boolean
  /** Whether every object must have a name, as required to apply it. */
  readonly needsNames?: boolean
}

/** `value` is that of the document `part`, which begins at `source`. */
export function objectsOf(
  value: Json,
  source: Source,
  part: DocumentText,
  { isInFolder, needsNames = false }: Demands,
): Objects {
  const { file } = source
  const skipped = notAnObject(value, file, isInFolder)
  if (skipped !== undefined) return { manifests: [], problems: [], skipped: `${nameOfFile(file)}: ${skipped}` }
  if (isHelmTemplate(part.text, value))
    return {
      manifests: [],
      problems: [`${describeSource({ ...source, line: lineAt(part, helmAt(part.text)) })}: ${helmText(file)}`],
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
