/** Prints documents after JSON Patches. They are edited in place, so that every other byte remains the user's own. */
import fastJsonPatch, { type Operation as JsonPatchOperation } from 'fast-json-patch'
import { type ManifestDocument } from '../cluster/manifest.ts'
import { nameOfFile, type Manifest } from '../cluster/manifest-source.ts'
import { equalJson, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import { pointer, type Operation } from '../kubernetes/json-pointer.ts'
import { applyEdits, planEdits } from '../kubernetes/yaml-edit.ts'
import { nodesOf, type YamlNode } from '../kubernetes/yaml-nodes.ts'
import { blockItems, itemText } from '../kubernetes/yaml-list.ts'
import { oneLine } from '../kubernetes/yaml-text.ts'
import { lineAfter } from '../kubernetes/yaml-page.ts'
import { readSimpleYaml } from '../kubernetes/yaml-simple.ts'
import { valueOf, type YamlValue } from '../kubernetes/yaml-value.ts'

export interface PatchedManifest {
  readonly manifest: Manifest
  readonly operations: readonly Operation[]
  /** The object with the operations applied. */
  readonly after: JsonObject
  /** Printed as comments instead of an object that admission denies. */
  readonly denial?: string
}

export interface PrintedDocument {
  readonly text: string
  /** Notices about the text for the user, one line each. */
  readonly notices: readonly string[]
}

/** Prints an unchanged document byte for byte. `patched` are the document's objects in order. */
export async function printDocument(
  document: ManifestDocument,
  patched: readonly PatchedManifest[],
): Promise<PrintedDocument> {
  const { separator, text, problems } = document
  if (problems.length > 0) {
    const line = document.problem === undefined ? separator : '---\n'
    return { text: line + asComment(`not printed: ${problems.join('; ')}`), notices: [] }
  }
  const changed = patched.filter(({ operations, denial }) => operations.length > 0 || denial !== undefined)
  if (changed.length === 0) return { text: separator + text, notices: [] }
  const denials = changed.flatMap(({ denial }) => (denial === undefined ? [] : [denial]))
  const head = document.isJson ? '' : denials.map(asComment).join('')
  const notices = document.isJson ? denials : []
  if (changed.some(({ manifest, denial }) => denial !== undefined && manifest.source.path.length === 0))
    return { text: separator + head, notices }
  const edited = editedItems(document, changed) ?? editedText(document, changed)
  if (typeof edited === 'string') return { text: separator + head + edited, notices }
  const whole = await printWhole(document, changed)
  return { text: separator + head + whole, notices: [...notices, wholeNotice(changed, edited.problem)] }
}

function asComment(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '#\n' : `# ${oneLine(line)}\n`))
    .join('')
}

/** Starts with the last object, so that the indexes of a List's items stay valid. */
function operationsOn(changed: readonly PatchedManifest[]): readonly Operation[] {
  return changed.toReversed().flatMap(({ manifest, operations, denial }) => {
    const base = pointer('', ...manifest.source.path)
    if (denial !== undefined) return [{ op: 'remove', path: base } as const]
    return operations.map((operation) => ({ ...operation, path: base + operation.path }))
  })
}

/**
 * Edits the items of a List one by one, each checked as the whole would be. Returns undefined for what only the whole
 * document shows.
 */
function editedItems({ text, isJson }: ManifestDocument, changed: readonly PatchedManifest[]): string | undefined {
  if (isJson || changed.some(({ manifest }) => manifest.source.path.length !== 2)) return undefined
  const items = blockItems(text)
  const denied = changed.filter(({ denial }) => denial !== undefined).length
  if (items === undefined || denied === items.starts.length) return undefined
  const parts: string[] = []
  let position = 0
  for (const patched of changed) {
    const index = Number(patched.manifest.source.path[1])
    const part = itemText(text, items, index)
    const edited = editedItem(part, patched)
    const start = items.starts[index]
    if (edited === undefined || start === undefined) return undefined
    parts.push(text.slice(position, start), edited)
    position = start + part.length
  }
  return parts.join('') + text.slice(position)
}

function editedItem(text: string, { manifest, operations, after, denial }: PatchedManifest): string | undefined {
  const root = readNodes(text)
  if (root === undefined || !equalJson(valueOf(root).value as Json, [manifest.object])) return undefined
  if (denial !== undefined) return withoutItem(text, root)
  const edits = planEdits(
    text,
    root,
    operations.map((operation) => ({ ...operation, path: `/0${operation.path}` })),
  )
  if ('problem' in edits) return undefined
  const result = applyEdits(text, edits)
  return equalJson(readBack(result, false, false), [after]) ? result : undefined
}

/** Keeps comments between items. */
function withoutItem(text: string, root: YamlNode): string | undefined {
  const rest = text.slice(lineAfter({ text }, root.end))
  return readNodes(rest) === undefined ? rest : undefined
}

function readNodes(text: string): YamlNode | undefined {
  try {
    return nodesOf(text)
  } catch {
    return undefined
  }
}

/** Returns the text only if it parses as the object that admission would store, so a failed edit is never printed. */
function editedText(
  { text, isJson, isMarked }: ManifestDocument,
  changed: readonly PatchedManifest[],
): string | { readonly problem: string } {
  const root = nodesOf(text, isMarked)
  if (root === undefined) return { problem: 'the document is empty' }
  const edits = planEdits(text, root, operationsOn(changed))
  if ('problem' in edits) return edits
  const result = applyEdits(text, edits)
  const [first] = changed
  const isWhole = first?.manifest.source.path.length === 0 && first.denial === undefined
  const expected = isWhole ? first.after : expectedValue(valueOf(root).value as Json, changed)
  return equalJson(readBack(result, isJson, isMarked), expected) ? result : { problem: 'the style of the document' }
}

function readBack(text: string, isJson: boolean, isMarked: boolean): Json | undefined {
  try {
    return isJson
      ? (JSON.parse(text) as Json)
      : ((readSimpleYaml(text) ?? valueOf(nodesOf(text, isMarked)).value) as Json)
  } catch {
    return undefined
  }
}

/** Returns the value of the whole document after admission. */
function expectedValue(value: Json, changed: readonly PatchedManifest[]): Json {
  let current = value
  for (const { manifest, after, denial } of changed.toReversed())
    current = replaceAt(current, manifest.source.path, denial === undefined ? after : undefined)
  return current
}

function replaceAt(value: Json, [segment, ...rest]: readonly (string | number)[], replacement: Json | undefined): Json {
  if (segment === undefined) return replacement ?? null
  if (Array.isArray(value)) {
    const items = [...(value as readonly Json[])]
    const index = Number(segment)
    if (rest.length === 0 && replacement === undefined) items.splice(index, 1)
    else items[index] = replaceAt(items[index] ?? null, rest, replacement)
    return items
  }
  return isObject(value) ? { ...value, [segment]: replaceAt(value[segment] ?? null, rest, replacement) } : value
}

/** Expands anchors, aliases and merge keys; integers of any size keep their value. */
async function printWhole(document: ManifestDocument, changed: readonly PatchedManifest[]): Promise<string> {
  const { text, isJson } = document
  const patched = exactValue(document, changed)
  if (isJson) return `${jsonText(patched)}\n`
  const { toYaml } = await import('../kubernetes/yaml-text.ts')
  const header = /^\ufeff?(?:[ \t]*(?:#[^\n]*)?\r?\n)*/.exec(text)?.[0] ?? ''
  const lines = toYaml(patched as JsonObject)
  return header + (header.includes('\r\n') ? lines.replaceAll('\n', '\r\n') : lines)
}

function exactValue({ text, isMarked }: ManifestDocument, changed: readonly PatchedManifest[]): unknown {
  const value: unknown = writtenOut(valueOf(nodesOf(text, isMarked), true).value ?? null)
  return operationsOn(changed).reduce(
    (current, operation) =>
      fastJsonPatch.applyOperation(current, structuredClone(operation) as JsonPatchOperation, false, true).newDocument,
    value,
  )
}

/** Returns the document's objects after admission, with large integers as bigint, for `jsonText`. */
export function exactObjects(document: ManifestDocument, patched: readonly PatchedManifest[]): readonly unknown[] {
  if (!/[0-9a-fA-F_]{13}/.test(document.text)) return patched.map(({ after }) => after)
  const whole = exactValue(document, patched)
  return patched.map(({ manifest }) => manifest.source.path.reduce((value, segment) => childOf(value, segment), whole))
}

function childOf(value: unknown, segment: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[segment] : undefined
}

/** Returns a copy without shared parts. */
function writtenOut(value: YamlValue): YamlValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(writtenOut)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, writtenOut(member)]))
}

/** Formats JSON with integers of any size, which JSON.stringify refuses. */
export function jsonText(value: unknown): string {
  const mark = '\ue000exact:'
  const text = JSON.stringify(
    value,
    (_, member: unknown) => (typeof member === 'bigint' ? mark + member.toString() : member),
    2,
  )
  return text.replaceAll(new RegExp(`"${mark}(-?[0-9]+)"`, 'g'), '$1')
}

function wholeNotice([first]: readonly PatchedManifest[], problem: string): string {
  const source = first?.manifest.source
  const place = source === undefined ? '' : `${nameOfFile(source.file)}:${source.line}: `
  return `${place}reprinted without anchors and inner comments: the change cannot be made in place (${problem})`
}
