/**
 * JSON as received, and the few ways in which rules read it.
 *
 * Keys are user input, so lookups go through `member`, which sees only own properties. An annotation called
 * `constructor` or `__proto__` must not find something that JavaScript defined.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject

export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Real objects have about twenty levels. A few kilobytes of JSON can nest so deeply that recursion exhausts the stack.
 */
export const MAX_DEPTH = 200

/** Parses a JSON text; undefined if it is not JSON or nests deeper than MAX_DEPTH. */
export function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isDeeperThan(value, MAX_DEPTH) ? undefined : (value as Json)
  } catch {
    return undefined
  }
}

/** A type whose optional members may also be undefined. */
export type Loose<T> = { readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] }

/**
 * Drops undefined members, for objects that are printed. `T` is the type that the caller expects, so a misspelt member
 * does not compile.
 */
export function defined<T>(object: NoInfer<Loose<T>>): T {
  if (!hasUndefined(object)) return object as T
  const kept: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(object)) if (value !== undefined) kept[key] = value
  return kept as T
}

/** Objects are small and most have no such member, so nothing is allocated to find out. */
function hasUndefined(object: Readonly<Record<string, unknown>>): boolean {
  for (const key in object) if (object[key] === undefined) return true
  return false
}

/** Returns an object's own member; undefined if it has none or `value` is not an object. */
export function member(value: unknown, key: string): Json | undefined {
  if (!isObject(value)) return undefined
  const found = value[key]
  if (!isPerhapsInherited(found, key)) return found
  return Object.hasOwn(value, key) ? found : undefined
}

/** JSON has no functions, and every inherited member but `__proto__` is one. Hundreds of members are read per review. */
function isPerhapsInherited(found: unknown, key: string): boolean {
  return typeof found === 'function' || key === '__proto__'
}

/** Returns a table's entry for a key from user input; undefined for `constructor` and other inherited names. */
export function ownEntry<Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined
}

/** Returns the member at the end of a path of own members. */
export function memberAt(value: unknown, ...keys: readonly string[]): Json | undefined {
  let current = value
  for (const key of keys) current = member(current, key)
  return current as Json | undefined
}

export function stringMember(value: unknown, key: string): string | undefined {
  const found = member(value, key)
  return typeof found === 'string' ? found : undefined
}

/** Returns a string, number or boolean as text; undefined for anything else. */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** Whether an entry of a list, such as a container, a volume or a variable, has the name. */
export function isNamed(entry: Json, name: string): boolean {
  return isObject(entry) && entry['name'] === name
}

export function arrayMember(value: unknown, key: string): readonly Json[] {
  const found = member(value, key)
  return Array.isArray(found) ? (found as readonly Json[]) : []
}

/** Returns the string members of a map such as `metadata.labels`. Members of other types are skipped. */
export function stringMap(value: unknown): ReadonlyMap<string, string> {
  if (!isObject(value)) return NO_STRINGS
  const map = new Map<string, string>()
  for (const key of Object.keys(value)) {
    const text = value[key]
    if (typeof text === 'string') map.set(key, text)
  }
  return map.size === 0 ? NO_STRINGS : map
}

/** Most pods of a large cluster have no annotations; each empty map would take 200 bytes. */
const NO_STRINGS: ReadonlyMap<string, string> = new Map()

/** Names the JSON type of a value, for messages: `array`, `null`, `object`, or the result of `typeof`. */
export function typeName(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'array' : typeof value
}

/** Compares two JSON values deeply; the order of object members does not matter. */
export function equalJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true
  if (Array.isArray(left)) return Array.isArray(right) && equalArrays(left as readonly Json[], right as readonly Json[])
  return isObject(left) && isObject(right) && equalObjects(left, right)
}

function equalArrays(left: readonly Json[], right: readonly Json[]): boolean {
  return left.length === right.length && left.every((value, index) => equalJson(value, right[index]))
}

function equalObjects(left: JsonObject, right: JsonObject): boolean {
  const keys = Object.keys(left)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every((key) => Object.hasOwn(right, key) && equalJson(left[key], right[key]))
}

/**
 * Whether a value nests deeper than `limit` levels. The recursion stops at that level, so no depth exhausts the stack.
 */
export function isDeeperThan(value: unknown, limit: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (limit === 0) return true
  if (Array.isArray(value)) {
    for (const child of value as readonly unknown[]) if (isTooDeepInside(child, limit)) return true
    return false
  }
  for (const key in value) if (isTooDeepInside((value as JsonObject)[key], limit)) return true
  return false
}

/** Most values are texts and numbers, which need no call. */
function isTooDeepInside(child: unknown, limit: number): boolean {
  return typeof child === 'object' && isDeeperThan(child, limit - 1)
}
