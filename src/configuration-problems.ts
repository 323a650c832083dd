/** Describes the problems of a configuration file: the key, the value, and the allowed values. */
import { z } from 'zod'
import { typeName, ownEntry } from './kubernetes/json.ts'

/** Returns one line per problem. Each unknown key is a problem of its own. */
export function describeIssue(issue: z.core.$ZodIssue, schema: z.ZodType): readonly string[] {
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `${fieldOf([...issue.path, key])}: ${unknownKey(key, issue.path, schema)}`)
  return [`${issue.path.length === 0 ? 'the file' : fieldOf(issue.path)}: ${problemOf(issue)}`]
}

function problemOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeProblem(issue.expected, issue.input)
    case 'invalid_value':
      return `is ${JSON.stringify(issue.input)}; allowed values: ${issue.values.join(', ')}`
    case 'too_small':
      return issue.origin === 'string'
        ? 'must not be empty'
        : `is ${JSON.stringify(issue.input)}; a whole number of at least ${String(issue.minimum)} is required`
    case 'invalid_format':
      return `is ${JSON.stringify(issue.input)}; allowed: ${issue.message}`
    default:
      return issue.message
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  object: 'a map',
  record: 'a map',
  array: 'a list',
  string: 'a string',
}

function typeProblem(expected: string, input: unknown): string {
  if (expected === 'boolean') return `is ${JSON.stringify(input)}; allowed values: true, false`
  const word = ownEntry(TYPE_WORDS, expected)
  if (word === undefined) return `is ${JSON.stringify(input)}; a whole number is required`
  return `must be ${word}, not ${typeName(input)}`
}

/** Returns a field such as `rules.trustedIngressUsers[0]`. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1)
}

function unknownKey(key: string, path: readonly PropertyKey[], schema: z.ZodType): string {
  const all = keysOf(schema)
  const siblings = all.filter((known) => parentOf(known) === path.join('.')).map((known) => lastOf(known))
  const similar = siblings.find((known) => distance(known.toLowerCase(), key.toLowerCase()) <= 2)
  const elsewhere = all.find((known) => lastOf(known) === key)
  const suggestion = similar ?? elsewhere
  const allowed = siblings.join(', ')
  return suggestion === undefined
    ? `unknown key; allowed keys: ${allowed}`
    : `unknown key; did you mean ${suggestion}? Allowed keys: ${allowed}`
}

function parentOf(path: string): string {
  return path.split('.').slice(0, -1).join('.')
}

function lastOf(path: string): string {
  return path.split('.').at(-1) ?? ''
}

/** Returns every key of a schema, including sections: `rules`, `rules.probes`. */
export function keysOf(schema: z.ZodType, prefix = ''): readonly string[] {
  return Object.entries(membersOf(schema)).flatMap(([key, member]) => [
    `${prefix}${key}`,
    ...keysOf(member, `${prefix}${key}.`),
  ])
}

/** Returns the keys of a section with their schemas; empty for a value. */
export function membersOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  const inner = unwrapped(schema)
  return inner instanceof z.ZodObject ? inner.shape : {}
}

/** Returns the schema inside its default and its `readonly`. */
function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodReadonly
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema
}

/** The Levenshtein distance: how many letters to add, remove or replace. */
function distance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (const [index, letter] of left.split('').entries()) {
    const next = [index + 1]
    for (const [place, other] of right.split('').entries())
      next.push(
        Math.min((next[place] ?? 0) + 1, (row[place + 1] ?? 0) + 1, (row[place] ?? 0) + (letter === other ? 0 : 1)),
      )
    row = next
  }
  return row.at(-1) ?? 0
}
