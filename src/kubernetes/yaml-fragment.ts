/** Formats small values as YAML or JSON in the style of the surrounding text. */
import type { Json } from './json.ts'
import { isObject } from './json.ts'
import { resolvePlain } from './yaml-scalar.ts'

export type FragmentStyle = 'flow' | 'json'

/** Returns one line: `{exec: {command: [/bin/x, "a b"]}}`, or JSON. */
export function flowText(value: Json, style: FragmentStyle): string {
  if (style === 'json') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map((item) => flowText(item, style)).join(', ')}]`
  if (!isObject(value)) return scalarText(value, PLAIN_IN_FLOW)
  const members = Object.entries(value).map(([key, member]) => `${keyText(key)}: ${flowText(member ?? null, style)}`)
  return `{${members.join(', ')}}`
}

/** Returns `key: value` in block style; further lines begin with `indent`. Ends without a line break. */
export function entryText(key: string, value: Json, indent: string, sequenceIndent: string): string {
  return `${keyText(key)}:${valueText(value, indent, sequenceIndent)}`
}

/** Returns `- item` in block style; further lines begin with `indent`. Ends without a line break. */
export function itemText(value: Json, indent: string, sequenceIndent: string): string {
  const inner = `${indent}  `
  if (isObject(value) && Object.keys(value).length > 0)
    return `- ${blockLines(value, inner, sequenceIndent).join(`\n${inner}`)}`
  return `- ${flowText(value, 'flow')}`
}

function valueText(value: Json, indent: string, sequenceIndent: string): string {
  if (Array.isArray(value) && value.length > 0) {
    const at = `${indent}${sequenceIndent}`
    return (value as readonly Json[]).map((item) => `\n${at}${itemText(item, at, sequenceIndent)}`).join('')
  }
  if (isObject(value) && Object.keys(value).length > 0) {
    const at = `${indent}  `
    return blockLines(value, at, sequenceIndent)
      .map((line) => `\n${at}${line}`)
      .join('')
  }
  return ` ${isObject(value) || Array.isArray(value) ? flowText(value, 'flow') : scalarText(value, PLAIN)}`
}

function blockLines(value: Exclude<Json, string>, indent: string, sequenceIndent: string): readonly string[] {
  return Object.entries(value ?? {}).map(([key, member]) => entryText(key, member as Json, indent, sequenceIndent))
}

/** Texts that are certainly safe without quotes; all others are quoted. */
const PLAIN = /^(?:--?(?=[A-Za-z])|[A-Za-z_/.]|[0-9]+(?=[A-Z]))(?:[\w./@%+=,()-]|:(?=\S)|[ ](?=[\w./(]))*$/
const PLAIN_IN_FLOW = /^(?:--?(?=[A-Za-z])|[A-Za-z_/.]|[0-9]+(?=[A-Z]))(?:[\w./@%+=()-]|:(?=[\w/]))*$/

function keyText(key: string): string {
  return scalarText(key, PLAIN_IN_FLOW)
}

export function scalarText(value: Json, plain = PLAIN): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  if (plain.test(value) && resolvesToItself(value)) return value
  const canBeSingle = value.includes('"') && !/['\\]/.test(value) && /^[\x20-\x7e]*$/.test(value)
  return canBeSingle ? `'${value}'` : JSON.stringify(value).replaceAll(UNPRINTABLE, escaped)
}

/** Line ends of YAML 1.1, and characters that Go's parser refuses. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/gu

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function resolvesToItself(text: string): boolean {
  try {
    return resolvePlain(text) === text
  } catch {
    return false
  }
}
