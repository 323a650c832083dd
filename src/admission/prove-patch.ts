/**
 * Proves a patch before it is sent: one that does not apply is an error for the user, whatever the failurePolicy
 * (spec/operations.md 0.1, spec/apiserver.md section 2). The API server's own rules are stricter than RFC 6902's, and so
 * are these: only places we may touch, and no operation without effect.
 */
import fastJsonPatch, { type Operation as JsonPatchOperation } from 'fast-json-patch'
import { equalJson, isObject, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parsePointer, type Operation } from '../kubernetes/json-pointer.ts'

const { applyOperation } = fastJsonPatch

/** Below the pod template, which stands at the root of a Pod and deeper in a workload. */
const TEMPLATE = String.raw`(/spec/template|/spec/jobTemplate/spec/template)?`
const CONTAINER = String.raw`/spec/(containers|initContainers)/\d+`
const ALLOWED = new RegExp(
  `^${TEMPLATE}(/metadata(/annotations(/[^/]+)?)?` +
    `|${CONTAINER}/(livenessProbe|readinessProbe|startupProbe|lifecycle/(preStop|postStart))/[A-Za-z]+(/port)?` +
    `|${CONTAINER}/(env|volumeMounts)(/(-|\\d+))?` +
    `|/spec/(volumes|initContainers)(/(-|\\d+))?)$`,
)

export type Proof = { readonly result: JsonObject } | { readonly problem: string }

/** The object after the patch; what the patch does not touch is shared with the original, which stays as it was. */
export function provePatch(object: JsonObject, operations: readonly Operation[]): Proof {
  let current: Json = object
  for (const operation of operations) {
    if (!ALLOWED.test(operation.path)) return { problem: `${operation.path} is not ours to change` }
    const copy = copyAlong(current, parsePointer(operation.path).slice(0, -1))
    const before = operation.op === 'replace' ? valueAt(copy, operation.path) : undefined
    if (before !== undefined && operation.op === 'replace' && equalJson(before, operation.value))
      return { problem: `${operation.path} would not change` }
    try {
      current = applyOperation(copy, operation as JsonPatchOperation, true, true).newDocument
    } catch (error) {
      return { problem: `${operation.op} ${operation.path}: ${describeFailure(error)}` }
    }
  }
  return isObject(current) ? { result: current } : { problem: 'the patch leaves no object' }
}

/** fast-json-patch changes the document it is given; only the containers on the way to the place are copied. */
function copyAlong(value: Json, segments: readonly string[]): Json {
  const [segment, ...rest] = segments
  if (Array.isArray(value)) {
    const copy = [...(value as readonly Json[])]
    const index = Number(segment)
    const child = copy[index]
    if (segment !== undefined && child !== undefined) copy[index] = copyAlong(child, rest)
    return copy
  }
  if (!isObject(value)) return value
  if (segment === undefined || !Object.hasOwn(value, segment)) return { ...value }
  return { ...value, [segment]: copyAlong(value[segment] ?? null, rest) }
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

/** The library puts the whole document into its message; only the first line is ours to repeat. */
function describeFailure(error: unknown): string {
  return error instanceof Error ? `${error.name} ${error.message.split('\n')[0] ?? ''}` : String(error)
}
