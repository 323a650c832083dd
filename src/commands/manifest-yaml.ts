/** Prints manifests after JSON Patches, with comments and field order as they were. */
import { Document, isMap, isScalar, isSeq, type Node } from 'yaml'
import { provePatch } from '../admission/prove-patch.ts'
import { sharesNodes, type Manifest, type Source } from '../cluster/manifest.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { oneLine } from '../kubernetes/yaml-text.ts'
import { parsePointer, type Operation } from '../kubernetes/json-pointer.ts'

export interface PatchedManifest {
  readonly manifest: Manifest
  readonly operations: readonly Operation[]
  /** Printed as comments in the object's place, where admission would not let it in. */
  readonly denial?: string
}

/** A document that nothing changes is printed to the letter. */
export function renderManifests(patched: readonly PatchedManifest[]): string {
  const documents = new Map<Document, PatchedManifest[]>()
  for (const entry of patched) {
    const yaml = entry.manifest.source.yaml
    documents.set(yaml, [...(documents.get(yaml) ?? []), entry])
  }
  return [...documents.values()].map(renderDocument).join('---\n')
}

function renderDocument(entries: readonly PatchedManifest[]): string {
  const [first] = entries
  if (first === undefined) return ''
  const { source } = first.manifest
  const denials = entries.flatMap(({ denial }) => (denial === undefined ? [] : [asComment(denial)])).join('')
  if (denials !== '' && source.path.length === 0) return denials
  const isUnchanged = entries.every(({ operations, denial }) => operations.length === 0 && denial === undefined)
  if (isUnchanged) return originalText(source)
  if (sharesNodes(source.yaml))
    return (
      denials +
      entries
        .filter(({ denial }) => denial === undefined)
        .map(renderAnew)
        .join('---\n')
    )
  for (const { manifest, operations } of entries)
    for (const operation of operations) applyToNodes(source.yaml, manifest.source.path, operation)
  // From the end, so that the indexes of the items of a List stay true.
  for (const { manifest, denial } of entries.toReversed())
    if (denial !== undefined) source.yaml.deleteIn(manifest.source.path)
  return (
    denials +
    withNewline(source.yaml.toString({ lineWidth: 0, indentSeq: indentsSequences(source), directives: false }))
  )
}

function asComment(text: string): string {
  return text
    .split('\n')
    .map((line) => `# ${oneLine(line)}`.trimEnd() + '\n')
    .join('')
}

function originalText({ yaml, text }: Source): string {
  const [start, , end] = yaml.range
  return withNewline(
    text
      .slice(start, end)
      .replace(/^---[^\n]*\n/, '')
      .replace(/\n---\s*$/, '\n'),
  )
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`
}

/** Anchors and merge keys: a change in one place would show in others, so the object is printed without them. */
function renderAnew({ manifest, operations }: PatchedManifest): string {
  const proof = provePatch(manifest.object, operations)
  const object: JsonObject = 'result' in proof ? proof.result : manifest.object
  return new Document(object, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 })
}

/** Whether the file writes `- ` deeper than the key above it. */
function indentsSequences({ text }: Source): boolean {
  return !/^( *)[^\s#-][^\n]*:[ \t]*\n\1- /m.test(text)
}

function applyToNodes(yaml: Document, base: readonly (string | number)[], operation: Operation): void {
  const path = [...base, ...parsePointer(operation.path)]
  const parent = yaml.getIn(path.slice(0, -1), true) as Node | undefined
  const key = path.at(-1) ?? ''
  if (operation.op === 'remove') yaml.deleteIn(path.map(asIndex))
  else if (isSeq(parent) && operation.op === 'add')
    parent.items.splice(key === '-' ? parent.items.length : Number(key), 0, yaml.createNode(operation.value))
  else setNode(yaml, path.map(asIndex), operation.value)
}

/** A scalar keeps its node, and with it the comment behind it. */
function setNode(yaml: Document, path: readonly (string | number)[], value: unknown): void {
  const present = yaml.getIn(path, true)
  if (isScalar(present) && (typeof value !== 'object' || value === null)) present.value = value
  else {
    const node = yaml.createNode(value)
    const parent = yaml.getIn(path.slice(0, -1), true)
    if (isMap(parent) && parent.flow === true && isMap(node)) node.flow = true
    yaml.setIn(path, node)
  }
}

function asIndex(segment: string | number): string | number {
  return typeof segment === 'string' && /^\d+$/.test(segment) ? Number(segment) : segment
}
