/**
 * Regular expressions that users wrote for nginx (PCRE), as far as Envoy's engine (RE2) supports them. They only ever
 * run in RE2JS, a port of Go's `regexp`, in linear time. `npm run differential:syntax` compares it with Go, which
 * istiod uses (`validateStringRegexp` in
 * https://github.com/istio/istio/blob/master/pkg/config/validation/validation.go).
 */
import { RE2JS, RE2JSSyntaxException } from 're2js'

/** istiod refuses longer patterns before it parses them. */
const MAX_BYTES = 1024
/**
 * `re2.max_program_size.error_level` in Istio's bootstrap. Above it, Envoy refuses the whole listener or route
 * configuration (https://github.com/istio/istio/blob/master/tools/packaging/common/envoy_bootstrap.json).
 */
const MAX_PROGRAM = 32768

/** Returns why istiod or Envoy would refuse a pattern; undefined if both accept it. */
export function regexProblem(pattern: string): string | undefined {
  const compiled = compile(pattern)
  return typeof compiled === 'string' ? compiled : undefined
}

/** Returns the number of groups that a substitution can reference; 0 for a refused pattern. */
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
 * Returns an upper bound of RE2's program size. RE2 compiles to bytes, so a range beyond ASCII takes up to four
 * instructions, and one in RE2JS.
 */
function mostInstructions(compiled: RE2JS): number {
  const { prog } = compiled.re2Input as unknown as { readonly prog: { readonly inst: readonly Instruction[] } }
  return prog.inst.reduce((sum, { runes }) => sum + ((runes.at(-1) ?? 0) > 0x7f ? 2 * runes.length : 1), 0)
}

interface Instruction {
  /** Pairs of first and last character. */
  readonly runes: Int32Array
}

/** Quoted text, escapes and sets are single tokens. Each character is read once. */
const TOKENS = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]?|./gs

/** Whether a `|` is outside all groups and sets. */
export function hasAlternatives(pattern: string): boolean {
  let depth = 0
  for (const [token] of pattern.matchAll(TOKENS)) {
    if (token === '|' && depth === 0) return true
    if (token === '(') depth += 1
    if (token === ')') depth -= 1
  }
  return false
}

/** Returns a pattern that matches exactly `text`. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
