/**
 * Regular expressions that users wrote for nginx (PCRE), as far as Envoy's engine runs them (RE2). RE2JS, a port of Go's
 * `regexp`, is the only engine that they are given to: it runs in linear time. `npm run differential:syntax` compares its
 * judgement with Go's, which istiod asks (`validateStringRegexp` in
 * https://github.com/istio/istio/blob/master/pkg/config/validation/validation.go).
 */
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** istiod refuses a pattern with more bytes, before it reads it. */
const MAX_BYTES = 1024
/**
 * `re2.max_program_size.error_level` of Istio's bootstrap: Envoy refuses the whole listener or route configuration for a
 * pattern above it (https://github.com/istio/istio/blob/master/tools/packaging/common/envoy_bootstrap.json).
 */
const MAX_PROGRAM = 32768

/** Why istiod or Envoy would refuse a pattern; undefined where both take it. */
export function regexProblem(pattern: string): string | undefined {
  const compiled = compile(pattern)
  return typeof compiled === 'string' ? compiled : undefined
}

/** The number of groups that a substitution can name; 0 for a pattern that is refused. */
export function countGroups(pattern: string): number {
  const compiled = compile(pattern)
  return typeof compiled === 'string' ? 0 : compiled.groupCount()
}

function compile(pattern: string): RE2JS | string {
  if (isTooLong(pattern)) return `is longer than the ${MAX_BYTES} bytes that Istio allows`
  try {
    const compiled = RE2JS.compile(pattern)
    return mostInstructions(compiled) > MAX_PROGRAM ? 'is too large for Envoy (re2.max_program_size)' : compiled
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error
    const part = error.getPattern() ?? ''
    return `is refused by RE2, the regular expressions of Envoy: ${error.getDescription()}${part === '' ? '' : ` ${part}`}`
  }
}

function isTooLong(pattern: string): boolean {
  return pattern.length > MAX_BYTES || new TextEncoder().encode(pattern).length > MAX_BYTES
}

/**
 * An upper bound of RE2's program size. RE2 compiles to bytes: a range of characters beyond ASCII takes up to four
 * instructions there, and one in RE2JS.
 */
function mostInstructions(compiled: RE2JS): number {
  const { prog } = compiled.re2Input as unknown as { readonly prog: { readonly inst: readonly Instruction[] } }
  return prog.inst.reduce((sum, { runes }) => sum + ((runes.at(-1) ?? 0) > 0x7f ? 2 * runes.length : 1), 0)
}

interface Instruction {
  /** Pairs of first and last character. */
  readonly runes: Int32Array
}

/** Quoted text, an escape, and a set are one token each. Each character is read once. */
const TOKENS = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|./gs

/** Whether a `|` stands outside of all groups and sets. */
export function hasAlternatives(pattern: string): boolean {
  let depth = 0
  for (const [token] of pattern.matchAll(TOKENS)) {
    if (token === '|' && depth === 0) return true
    if (token === '(') depth += 1
    if (token === ')') depth -= 1
  }
  return false
}

/** `text` as a pattern that matches it and nothing else. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
