/**
 * Proves a patch before it is sent. A patch that does not apply is an error for the user, regardless of failurePolicy
 * (docs/facts/operations.md#a-bad-patch-is-worse-than-none, docs/facts/admission-requests.md#json-patch). Like the API
 * server's, these rules are stricter than RFC 6902: only allowed paths, and no operation without effect.
 */
import fastJsonPatch, { type Operation as JsonPatchOperation } from 'fast-json-patch'
import {
  equalJson,
  isObject,
  member,
  memberAt,
  stringMap,
  type Json,
  type JsonObject,
  ownEntry,
} from '../kubernetes/json.ts'
import { parsePointer, type Operation } from '../kubernetes/json-pointer.ts'

const { applyOperation } = fastJsonPatch

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

/** Returns the object after the patch. It shares unchanged parts with the original, which is not modified. */
export function provePatch(object: JsonObject, operations: readonly Operation[]): Proof {
  const copied = new WeakSet<object>()
  let current: Json = object
  for (const operation of operations) {
    if (!ALLOWED.test(operation.path)) return { problem: `${operation.path} may not be changed by a patch` }
    const copy = copyAlong(current, parsePointer(operation.path), 0, copied)
    if (operation.op === 'replace' && equalJson(valueAt(copy, operation.path), operation.value))
      return { problem: `${operation.path} would not change` }
    try {
      current = applyOperation(copy, operation as JsonPatchOperation, true, true).newDocument
    } catch (error) {
      return { problem: `${operation.op} ${operation.path}: ${describeFailure(error)}` }
    }
  }
  if (!isObject(current)) return { problem: 'the patch leaves no object' }
  return operations.some(({ path }) => METADATA.test(path)) && hasTooLongAnnotations(current)
    ? { problem: `the annotations would exceed ${MAX_ANNOTATION_BYTES} bytes` }
    : { result: current }
}

/** Keys and values together (apimachinery api/validation, TotalAnnotationSizeLimitB). */
const MAX_ANNOTATION_BYTES = 262_144

function hasTooLongAnnotations(object: JsonObject): boolean {
  return [[], ['spec', 'template'], ['spec', 'jobTemplate', 'spec', 'template']].some((path) => {
    const annotations = stringMap(memberAt(object, ...path, 'metadata', 'annotations'))
    const sizes = [...annotations].flat().map((text) => Buffer.byteLength(text))
    return sizes.reduce((sum, size) => sum + size, 0) > MAX_ANNOTATION_BYTES
  })
}

/**
 * fast-json-patch modifies its input. Only the objects and lists on the path are copied, each once for the whole patch.
 */
function copyAlong(value: Json, segments: readonly string[], depth: number, copied: WeakSet<object>): Json {
  if (typeof value !== 'object' || value === null) return value
  const copy = copied.has(value) ? (value as Record<string, Json>) : shallowCopy(value)
  copied.add(copy)
  const segment = segments[depth] ?? ''
  if (depth + 1 < segments.length && Object.hasOwn(copy, segment))
    copy[segment] = copyAlong(ownEntry(copy, segment) ?? null, segments, depth + 1, copied)
  return copy
}

/** A list is indexed by text, like an object, because the segments of a pointer are text. */
function shallowCopy(value: object): Record<string, Json> {
  const copy: unknown = Array.isArray(value) ? [...(value as readonly Json[])] : { ...value }
  return copy as Record<string, Json>
}

function valueAt(value: Json, path: string): Json | undefined {
  let current: Json | undefined = value
  for (const segment of parsePointer(path))
    current = Array.isArray(current) ? (current as readonly Json[])[Number(segment)] : member(current, segment)
  return current
}

/** The library's message contains the whole document, so only its first line is repeated. */
function describeFailure(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message.split('\n')[0] ?? ''}` : String(error)
}
