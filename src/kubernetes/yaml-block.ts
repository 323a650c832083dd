/**
 * Prints what most objects are made of, maps and lists of short texts, many times faster than the library and exactly
 * as it does. Anything else is left to the library.
 */
import { isObject, type Json, type JsonObject } from './json.ts'

/** Prints a text of one line as the library would, with its quotes. */
export type ScalarPrinter = (text: string) => string

/** Returns undefined if the object has a text of several lines, an unusual key or another kind of value. */
export function printBlocks(object: JsonObject, scalar: ScalarPrinter): string | undefined {
  if (isEmpty(object)) return undefined
  const lines: string[] = []
  return printMap(object, '', '', { lines, scalar }) ? `${lines.join('\n')}\n` : undefined
}

interface Printer {
  readonly lines: string[]
  readonly scalar: ScalarPrinter
}

/** The library writes a longer key on a line of its own. */
const KEY = /^[A-Za-z][\w./-]{0,500}$/
/** Booleans and null to one of the two versions of YAML, and e1, a number to some. */
const RESERVED = /^(?:y|n|yes|no|on|off|true|false|null|e\d+)$/i
const PLAIN = /^[A-Za-z/][\w./-]*$/
const NOT_ONE_LINE = /[^\x20-\x7e]/

/** `first` is the indentation of the first line, which is after the dash of a list. Returns false to give up. */
function printMap(map: JsonObject, first: string, indent: string, printer: Printer): boolean {
  let start = first
  for (const [key, value] of Object.entries(map)) {
    if (!KEY.test(key) || RESERVED.test(key) || value === undefined) return false
    if (!printValue(value, `${start}${key}:`, indent, printer)) return false
    start = indent
  }
  return true
}

/** `head` is the line up to the value. */
function printValue(value: Json, head: string, indent: string, printer: Printer): boolean {
  const inner = `${indent}  `
  if (Array.isArray(value) && value.length > 0) {
    printer.lines.push(head)
    return (value as readonly Json[]).every((item) => printItem(item, `${inner}-`, inner, printer))
  }
  if (isObject(value) && !isEmpty(value)) {
    printer.lines.push(head)
    return printMap(value, inner, inner, printer)
  }
  const text = printScalar(value, printer)
  if (text === undefined) return false
  printer.lines.push(`${head} ${text}`)
  return true
}

function printItem(item: Json, head: string, indent: string, printer: Printer): boolean {
  const inner = `${indent}  `
  if (isObject(item) && !isEmpty(item)) return printMap(item, `${head} `, inner, printer)
  // A list in a list is rare.
  return !(Array.isArray(item) && item.length > 0) && printValue(item, head, indent, printer)
}

function printScalar(value: Json, { scalar }: Printer): string | undefined {
  switch (typeof value) {
    case 'string':
      if (PLAIN.test(value) && !RESERVED.test(value)) return value
      return value === '' || NOT_ONE_LINE.test(value) ? undefined : scalar(value)
    case 'number':
      return Number.isSafeInteger(value) && !Object.is(value, -0) ? String(value) : undefined
    case 'bigint':
    case 'boolean':
      return String(value)
    default:
      return value === null ? 'null' : Array.isArray(value) ? '[]' : '{}'
  }
}

function isEmpty(map: JsonObject): boolean {
  return Object.keys(map).length === 0
}
