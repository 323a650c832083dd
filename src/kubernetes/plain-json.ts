/**
 * JSON among YAML documents, which JSON.parse reads ten times faster. YAML and JSON read some texts differently; those, and
 * those with duplicate keys, are left to the YAML parser.
 */
import { isObject, parseJson, type Json, type JsonObject } from './json.ts'

/** Returns the object of a text that YAML and JSON read alike; undefined for any other text. */
export function readPlainJson(text: string): JsonObject | undefined {
  if (!/^[ \n]*\{/.test(text) || !PLAIN_TEXT.test(text) || READ_DIFFERENTLY.test(text)) return undefined
  const value = parseJson(text)
  if (!isObject(value)) return undefined
  // Text that looks like a key only raises the first number, so equal numbers mean that no key is lost.
  return count(text, '":') === countKeys(value) ? value : undefined
}

/** Of other characters, some end a line in YAML, and some are refused. */
const PLAIN_TEXT = /^[ -~\n]*$/

/**
 * - `\u`: YAML refuses half of a surrogate pair.
 * - space between a key and its colon: YAML refuses a line break there.
 * - `<<`: a merge, if YAML takes it for one.
 * - exponents, negative zero, more digits than a number holds: not a number to YAML, or another one.
 * - a long word: YAML has keys of at most 1024 characters.
 */
const READ_DIFFERENTLY = /\\u|"\s+:|"<<"|[[:,]\s*-?(?:[\d.]+[eE]|[\d.]{16})|[[:,]\s*-0|"[^"]{1000}/

function count(text: string, wanted: string): number {
  let found = 0
  for (let at = text.indexOf(wanted); at !== -1; at = text.indexOf(wanted, at + 2)) found++
  return found
}

function countKeys(value: Json): number {
  if (Array.isArray(value)) return sumOf(value)
  return isObject(value) ? Object.keys(value).length + sumOf(Object.values(value)) : 0
}

function sumOf(values: readonly (Json | undefined)[]): number {
  return values.reduce<number>((sum, value) => sum + countKeys(value ?? null), 0)
}
