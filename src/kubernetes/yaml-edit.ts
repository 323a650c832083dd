/**
 * JSON Patch operations as edits of a YAML or JSON text that preserve every other byte. Every operation's path refers
 * to the original document, as this product's patches allow (only the last operation may move indexes).
 */
import { parsePointer, type Operation } from './json-pointer.ts'
import { editMap, lastEntry } from './yaml-map-edit.ts'
import type { YamlNode } from './yaml-nodes.ts'
import { isJson, lineEndOf, sequenceIndentOf, type Page } from './yaml-page.ts'
import type { Change, Container, NotEditable, TextEdit } from './yaml-parts.ts'
import { editSequence } from './yaml-sequence-edit.ts'

/** Plans the edits in text order. The operations' paths start at the root of the document. */
export function planEdits(
  text: string,
  root: YamlNode,
  operations: readonly Operation[],
): readonly TextEdit[] | NotEditable {
  const shared = sharedAnchors(root)
  const byParent = new Map<Container, Change[]>()
  const depths = new Map<Container, number>()
  for (const operation of operations) {
    const path = parsePointer(operation.path)
    const parent = containerAt(root, path.slice(0, -1), shared)
    if ('problem' in parent) return parent
    const key = path.at(-1) ?? ''
    depths.set(parent, path.length)
    byParent.set(parent, [...(byParent.get(parent) ?? []), { operation, key }])
  }
  const page: Page = {
    text,
    style: isJson(text) ? 'json' : 'flow',
    lineEnd: lineEndOf(text),
    sequenceIndent: sequenceIndentOf(text),
    shared,
  }
  const edits: (TextEdit & { readonly depth: number })[] = []
  for (const [parent, changes] of byParent) {
    const planned = parent.kind === 'map' ? editMap(page, parent, changes) : editSequence(page, parent, changes)
    if ('problem' in planned) return planned
    const depth = depths.get(parent) ?? 0
    edits.push(...planned.map((edit) => ({ ...edit, depth })))
  }
  // What is added to a collection comes before what is added behind it, where both end.
  return outermost(
    edits.toSorted((left, right) => left.start - right.start || left.end - right.end || right.depth - left.depth),
  )
}

/** Drops edits inside a part that is removed. */
function outermost(edits: readonly TextEdit[]): readonly TextEdit[] {
  let covered = -1
  return edits.filter(({ start, end }) => {
    if (start < covered) return false
    covered = Math.max(covered, end)
    return true
  })
}

/** Edits must not overlap and must be in text order. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let position = 0
  let result = ''
  for (const { start, end, text: inserted } of edits) {
    result += text.slice(position, start) + inserted
    position = end
  }
  return result + text.slice(position)
}

/** Returns the anchors that an alias references. */
function sharedAnchors(root: YamlNode): ReadonlySet<string> {
  const names = new Set<string>()
  const visit = (node: YamlNode): void => {
    if (node.kind === 'alias') names.add(node.name)
    if (node.kind === 'map') for (const { key, value } of node.entries) [key, value].forEach(visit)
    if (node.kind === 'sequence') for (const item of node.items) visit(item)
  }
  visit(root)
  return names
}

function containerAt(root: YamlNode, path: readonly string[], shared: ReadonlySet<string>): Container | NotEditable {
  let node: YamlNode = root
  for (const [depth, segment] of ['', ...path].entries()) {
    const next: YamlNode | undefined = depth === 0 ? root : childOf(node, segment)
    if (next === undefined) return { problem: `/${path.join('/')} comes from a merge key` }
    if (next.kind === 'alias') return { problem: `alias *${next.name}` }
    if (next.anchor !== undefined && shared.has(next.anchor)) return { problem: `anchor &${next.anchor}` }
    node = next
  }
  return node.kind === 'map' || node.kind === 'sequence' ? node : { problem: `/${path.join('/')} is empty` }
}

function childOf(node: YamlNode, segment: string): YamlNode | undefined {
  if (node.kind === 'sequence') return node.items[Number(segment)]
  return node.kind === 'map' ? lastEntry(node, segment)?.value : undefined
}
