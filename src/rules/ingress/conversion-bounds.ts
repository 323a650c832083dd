/**
 * Which Ingresses admission reads and converts. A denial has room for about 40 routes, and the user waits for it. Above
 * these bounds the denial is the short text, which needs no conversion. `convert` has no such bounds.
 */
import { arrayMember, isObject, member, memberAt, type Json, type JsonObject } from '../../kubernetes/json.ts'

const MAX_ROUTES = 200
/** Counts every text that the conversion reads; real Ingresses have a few kilobytes. */
const MAX_CHARACTERS = 64 * 1024
/** Lists, objects and other values; 200 routes with their TLS entries have 4,000. */
const MAX_VALUES = 20_000

/** Stops counting at the first bound, so its time does not depend on the size of the Ingress. */
export function isTooBigToConvert(object: JsonObject): boolean {
  const annotations = memberAt(object, 'metadata', 'annotations')
  const own = isObject(annotations) ? { ...annotations, [LAST_APPLIED]: null } : null
  return exceedsRoutes(object) || !fits([own, member(object, 'spec') ?? null])
}

const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'

/** Aliases are hosts, and each serves every path of the Ingress. */
function exceedsRoutes(object: JsonObject): boolean {
  const rules = arrayMember(member(object, 'spec'), 'rules')
  if (rules.length > MAX_ROUTES) return true
  const paths = rules.reduce<number>((sum, rule) => sum + Math.max(countPaths(rule), 1), 0)
  return paths * (1 + countAliases(memberAt(object, 'metadata', 'annotations'))) > MAX_ROUTES
}

function countPaths(rule: Json): number {
  return arrayMember(member(rule, 'http'), 'paths').length
}

function countAliases(annotations: Json | undefined): number {
  if (!isObject(annotations)) return 0
  return Object.entries(annotations)
    .filter(([key]) => key.includes('alias'))
    .reduce((sum, [, value]) => sum + (typeof value === 'string' ? value.split(/[,\s]/).length : 0), 0)
}

/** Whether the values together are within the bounds. */
function fits(values: readonly Json[]): boolean {
  let characters = MAX_CHARACTERS
  let count = MAX_VALUES
  const take = (value: Json | undefined): boolean => {
    count -= 1
    if (typeof value === 'string') characters -= value.length
    if (count < 0 || characters < 0) return false
    if (Array.isArray(value)) return (value as readonly Json[]).every(take)
    return !isObject(value) || Object.values(value).every(take)
  }
  return values.every(take)
}
