/** JSON Pointers (RFC 6901), which address the changes of a patch, and JSON Patch operations (RFC 6902). */
import { isObject, member, type Json, type JsonObject } from './json.ts'

/**
 * The operations that we emit. `test`, `move` and `copy` are never needed (docs/facts/operations.md#patch-operations).
 */
export type Operation =
  | { readonly op: 'add'; readonly path: string; readonly value: Json }
  | { readonly op: 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string }

/** Appends segments to `base`, each escaped: `~` becomes `~0`, `/` becomes `~1`. */
export function pointer(base: string, ...segments: readonly (string | number)[]): string {
  let result = base
  for (const segment of segments) result += '/' + escapeSegment(String(segment))
  return result
}

export function parsePointer(path: string): readonly string[] {
  if (path === '') return []
  const segments = path.slice(1).split('/')
  if (!path.includes('~')) return segments
  return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function escapeSegment(segment: string): string {
  if (!segment.includes('~') && !segment.includes('/')) return segment
  return segment.replaceAll('~', '~0').replaceAll('/', '~1')
}

/**
 * Returns the operations that give a map such as `metadata.annotations` the wanted entries; undefined removes one. An
 * absent map is created in one `add`, because an `add` below a missing parent is refused
 * (docs/facts/admission-requests.md#json-patch). Entries that are set already produce nothing, because an operation
 * without effect still counts as a mutation.
 */
export function setEntries(
  base: string,
  present: JsonObject | undefined,
  wanted: Readonly<Record<string, string | undefined>>,
): readonly Operation[] {
  const entries = Object.entries(wanted)
  if (present === undefined) {
    const value = Object.fromEntries(entries.filter(([, text]) => text !== undefined)) as JsonObject
    return Object.keys(value).length === 0 ? [] : [{ op: 'add', path: base, value }]
  }
  return entries.flatMap(([key, text]) =>
    setEntry(pointer(base, key), Object.hasOwn(present, key), member(present, key), text),
  )
}

function setEntry(
  path: string,
  isPresent: boolean,
  present: Json | undefined,
  wanted: string | undefined,
): readonly Operation[] {
  if (wanted === undefined) return isPresent ? [{ op: 'remove', path }] : []
  if (present === wanted) return []
  return [{ op: isPresent ? 'replace' : 'add', path, value: wanted }]
}

/**
 * Joins operations that add the same absent map, as two rules do that both annotate a pod without annotations: the later
 * `add` would replace the first (RFC 6902, section 4.1).
 */
export function mergeAdded(operations: readonly Operation[]): readonly Operation[] {
  const added = new Map<string, number>()
  const merged: Operation[] = []
  for (const operation of operations) {
    const at = operation.op === 'add' && isObject(operation.value) ? added.get(operation.path) : undefined
    const first = at === undefined ? undefined : merged[at]
    if (at !== undefined && first?.op === 'add' && operation.op === 'add') {
      merged[at] = { ...first, value: joined(first.value, operation.value) }
      continue
    }
    // An `add` to a list inserts an element.
    if (operation.op === 'add' && isObject(operation.value) && !/\/(?:-|\d+)$/.test(operation.path))
      added.set(operation.path, merged.length)
    merged.push(operation)
  }
  return merged
}

function joined(first: Json, second: Json): Json {
  if (!isObject(first) || !isObject(second)) return second
  const common = Object.entries(second).map(([key, value]) => {
    const known = Object.hasOwn(first, key) ? member(first, key) : undefined
    return [key, known === undefined ? value : joined(known, value as Json)] as const
  })
  return { ...first, ...Object.fromEntries(common) }
}
