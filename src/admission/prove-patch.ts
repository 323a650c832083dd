/**
 * Proves a patch before it is sent. A patch that does not apply is an error for the user, regardless of failurePolicy
 * (docs/facts/operations.md#a-bad-patch-is-worse-than-none, docs/facts/admission-requests.md#json-patch). Like the API
 * server's, these rules are stricter than RFC 6902: only allowed paths, and no operation without effect.
 */
import { equalJson, memberAt, ownEntry, stringMap, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parsePointer, type Operation } from '../kubernetes/json-pointer.ts'
import { MOST_ANNOTATION_BYTES } from '../kubernetes/object.ts'

/** The path of the pod template, which is the root of a Pod and deeper in a workload. */
const TEMPLATE = String.raw`(/spec/template|/spec/jobTemplate/spec/template)?`
const CONTAINER = String.raw`/spec/(containers|initContainers)/\d+`
const ALLOWED = new RegExp(
  `^${TEMPLATE}(/metadata(/annotations(/[^/]+)?)?` +
    `|${CONTAINER}/(livenessProbe|readinessProbe|startupProbe|lifecycle/(preStop|postStart))/[A-Za-z]+(/port)?` +
    `|${CONTAINER}/(env|volumeMounts)(/(-|\\d+))?` +
    `|/spec/(volumes|initContainers)(/(-|\\d+))?)$`,
)

/** All metadata, if there was none, or a part of it. */
const METADATA = /\/metadata(?:\/|$)/

export type Proof = { readonly result: JsonObject } | { readonly problem: string }

/**
 * Returns the object after the patch. It shares unchanged parts with the original, which is not modified: only the
 * objects and lists on the paths are copied, each once for the whole patch.
 */
export function provePatch(object: JsonObject, operations: readonly Operation[]): Proof {
  const copies = new Set<object>()
  const result = copyOnce(object, copies)
  for (const operation of operations) {
    const problem = applyTo(result, operation, copies)
    if (problem !== undefined) return { problem }
  }
  return operations.some(({ path }) => METADATA.test(path)) && hasTooLongAnnotations(result)
    ? { problem: `the annotations would exceed ${MOST_ANNOTATION_BYTES} bytes` }
    : { result }
}

/** Applies the operation to the parent of its path. Returns why it does not apply. */
function applyTo(root: JsonObject, operation: Operation, copies: Set<object>): string | undefined {
  const { op, path } = operation
  if (!ALLOWED.test(path)) return `${path} may not be changed by a patch`
  const segments = parsePointer(path)
  const parent = copyParent(root, segments, copies)
  if (parent === undefined) return `${op} ${path}: OPERATION_PATH_UNRESOLVABLE`
  const last = segments.at(-1) ?? ''
  if (!isPlace(parent, last, op)) return `${op} ${path}: OPERATION_PATH_UNRESOLVABLE`
  if (op === 'replace' && equalJson(ownEntry(parent, last), operation.value)) return `${path} would not change`
  if (Array.isArray(parent)) changeList(parent, last, operation)
  else changeObject(parent, last, operation)
  return undefined
}

/** The index is within the list, or `-` for its end. */
function changeList(list: Json[], index: string, operation: Operation): void {
  const at = index === '-' ? list.length : Number(index)
  if (operation.op === 'add') list.splice(at, 0, operation.value)
  else if (operation.op === 'remove') list.splice(at, 1)
  else list[at] = operation.value
}

function changeObject(parent: Parent, key: string, operation: Operation): void {
  if (operation.op === 'remove') Reflect.deleteProperty(parent, key)
  else parent[key] = operation.value
}

const METADATA_PATHS = ['', '/spec/template', '/spec/jobTemplate/spec/template'].map(parsePointer)

function hasTooLongAnnotations(object: JsonObject): boolean {
  return METADATA_PATHS.some((path) => {
    let size = 0
    for (const [key, text] of stringMap(memberAt(object, ...path, 'metadata', 'annotations')))
      size += Buffer.byteLength(key) + Buffer.byteLength(text)
    return size > MOST_ANNOTATION_BYTES
  })
}

/** A list is indexed by text, like an object, because the segments of a pointer are text. */
type Parent = Record<string, Json>

/** Returns the parent of a path, copied with everything on the way; undefined if there is none. */
function copyParent(root: JsonObject, segments: readonly string[], copies: Set<object>): Parent | undefined {
  let parent = root as Parent
  for (let index = 0; index < segments.length - 1; index++) {
    const segment = segments[index] ?? ''
    const child = ownEntry(parent, segment)
    if (typeof child !== 'object' || child === null) return undefined
    const copy = copyOnce(child, copies)
    parent[segment] = copy
    parent = copy
  }
  return parent
}

/** Only `add` may name a new member, or the place behind the last entry of a list. */
function isPlace(parent: Parent, last: string, op: Operation['op']): boolean {
  if (!Array.isArray(parent)) return last !== '__proto__' && (op === 'add' || Object.hasOwn(parent, last))
  if (op === 'add') return last === '-' || Number(last) <= parent.length
  return Number(last) < parent.length
}

function copyOnce(value: object, copies: Set<object>): Parent {
  if (copies.has(value)) return value as Parent
  const copy: unknown = Array.isArray(value) ? [...(value as readonly Json[])] : { ...value }
  copies.add(copy as object)
  return copy as Parent
}
