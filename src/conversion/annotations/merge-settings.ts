/** Merges the settings of several annotations. Members with several values are merged member by member. */
import { isObject } from '../../kubernetes/json.ts'
import type { AnnotationSettings } from './entry.ts'

export function mergeSettings(parts: readonly AnnotationSettings[]): AnnotationSettings {
  return parts.reduce<AnnotationSettings>((merged, part) => mergeRecords(merged, part), {})
}

/** Later members win; records and lists of both sides are merged. */
function mergeRecords<Value extends object>(left: Value, right: Value): Value {
  const joined = Object.entries(right).map(([key, value]) => {
    const old: unknown = Object.hasOwn(left, key) ? left[key as keyof Value] : undefined
    return [key, mergeValues(old, value)] as const
  })
  return { ...left, ...Object.fromEntries(joined) }
}

function mergeValues(left: unknown, right: unknown): unknown {
  if (Array.isArray(left) && Array.isArray(right))
    return [...new Set<unknown>([...(left as unknown[]), ...(right as unknown[])])]
  if (left instanceof Map && right instanceof Map)
    return new Map<unknown, unknown>([...(left as Map<unknown, unknown>), ...(right as Map<unknown, unknown>)])
  return isObject(left) && isObject(right) && !(right instanceof Map) ? mergeRecords(left, right) : right
}
