/**
 * Proves a patch before it is sent: one that does not apply is an error for the user, whatever the failurePolicy
 * (docs/facts/operations.md#a-bad-patch-is-worse-than-none, docs/facts/admission-requests.md#json-patch). The API server's
 * own rules are stricter than RFC 6902's, and so are these: only places we may touch, and no operation without effect.
 */
import fastJsonPatch, { type Operation as JsonPatchOperation } from 'fast-json-patch'
import { equalJson, isObject, memberAt, stringMap, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parsePointer, type Operation } from '../kubernetes/json-pointer.ts'

const { applyOperation } = fastJsonPatch

/** Below the pod template, which is the root of a Pod and deeper in a workload. */
const TEMPLATE = String.raw`(/spec/template|/spec/jobTemplate/spec/template)?`
const CONTAINER = String.raw`/spec/(containers|initContainers)/\d+`
const ALLOWED = new RegExp(
  `^${TEMPLATE}(/metadata(/annotations(/[^/]+)?)?` +
    `|${CONTAINER}/(livenessProbe|readinessProbe|startupProbe|lifecycle/(preStop|postStart))/[A-Za-z]+(/port)?` +
    `|${CONTAINER}/(env|volumeMounts)(/(-|\\d+))?` +
    `|/spec/(volumes|initContainers)(/(-|\\d+))?)$`,
)

/** All of it, where there was none, or a part. */
const METADATA = /\/metadata(?:\/|$)/

export type Proof = { readonly result: JsonObject } | { readonly problem: string }

/** The object after the patch; what the patch does not touch is shared with the original, which stays as it was. */
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
    ? { problem: `the annotations would be longer than ${MAX_ANNOTATION_BYTES} bytes` }
    : { result: current }
}

/** Of keys and values together (apimachinery api/validation, TotalAnnotationSizeLimitB). */
const MAX_ANNOTATION_BYTES = 262_144

function hasTooLongAnnotations(object: JsonObject): boolean {
  return [[], ['spec', 'template'], ['spec', 'jobTemplate', 'spec', 'template']].some((path) => {
    const annotations = stringMap(memberAt(object, ...path, 'metadata', 'annotations'))
    const sizes = [...annotations].flat().map((text) => Buffer.byteLength(text))
    return sizes.reduce((sum, size) => sum + size, 0) > MAX_ANNOTATION_BYTES
  })
}

/**
 * fast-json-patch changes the document it is given. Only the objects and lists on the way to the place are copied, and
 * each of them once for the whole patch.
 */
function copyAlong(value: Json, segments: readonly string[], depth: number, copied: WeakSet<object>): Json {
  if (typeof value !== 'object' || value === null) return value
  const copy = copied.has(value) ? (value as Record<string, Json>) : shallowCopy(value)
  copied.add(copy)
  const segment = segments[depth] ?? ''
  if (depth + 1 < segments.length && Object.hasOwn(copy, segment))
    copy[segment] = copyAlong(copy[segment] ?? null, segments, depth + 1, copied)
  return copy
}

/** A list is indexed by text here as an object is: that is what a pointer's segments are. */
function shallowCopy(value: object): Record<string, Json> {
  const copy: unknown = Array.isArray(value) ? [...(value as readonly Json[])] : { ...value }
  return copy as Record<string, Json>
}

function valueAt(value: Json, path: string): Json | undefined {
  let current: Json | undefined = value
  for (const segment of parsePointer(path))
    current = Array.isArray(current)
      ? (current as readonly Json[])[Number(segment)]
      : isObject(current)
        ? current[segment]
        : undefined
  return current
}

/** The library puts the whole document into its message; only the first line may be repeated. */
function describeFailure(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message.split('\n')[0] ?? ''}` : String(error)
}
