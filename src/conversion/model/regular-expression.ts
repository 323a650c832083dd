/** Regular expressions of nginx (PCRE), as far as Envoy's engine (RE2) can run them. */

/** What PCRE has and RE2 has not (https://github.com/google/re2/wiki/Syntax); each with its name for the message. */
const PCRE_ONLY: readonly (readonly [RegExp, string])[] = [
  [/\(\?<?[=!]/, 'lookaround'],
  [/\(\?>/, 'an atomic group'],
  [/\(\?(?:R|\d|&|P[>=])/, 'a recursion or named reference'],
  [/\(\?\(/, 'a condition'],
  [/\\[1-9]|\\[kg][<{'\d]/, 'a backreference'],
  [/(?:[*+?]|\{\d*,?\d*\})\+/, 'a possessive quantifier'],
  [/\\(?![dwsbDWSBAzpPQEntrfvaxC])[A-Za-z\u0080-\uffff]/, 'an escape of its own'],
  [/(?<!\\)\[(?:[^\]\\]|\\.)*\\[bBAzCQE]/, 'an assertion in a set'],
  [/(?<![\\[])\[\^?\]/, 'an empty set ([] or [^])'],
]
/** `google.re2.max_program_size` aside, Istio refuses longer ones (`pkg/config/validation`). */
const MAX_LENGTH = 1024
const MAX_REPEAT = 1000

/** Why RE2 would refuse a pattern; undefined where it takes it. */
export function regexProblem(pattern: string): string | undefined {
  if (pattern.length > MAX_LENGTH) return `is longer than the ${MAX_LENGTH} characters that Istio allows`
  const bare = withoutEscapedBackslashes(pattern)
  const found = PCRE_ONLY.find(([construct]) => construct.test(bare))
  if (found !== undefined) return `has ${found[1]}, which Envoy's regular expressions (RE2) have not`
  const repeats = [...bare.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].flatMap(([, low, high]) => [
    Number(low),
    Number(high ?? 0),
  ])
  if (repeats.some((count) => count > MAX_REPEAT)) return `repeats more than ${MAX_REPEAT} times, RE2's limit`
  return compiles(pattern) ? undefined : 'is no valid regular expression'
}

/** `\\` is a backslash and escapes nothing behind it. */
function withoutEscapedBackslashes(pattern: string): string {
  return pattern.replaceAll('\\\\', '__')
}

/** JavaScript has no leading flags and names groups without `P`, otherwise its syntax agrees with RE2's on what is left. */
function compiles(pattern: string): boolean {
  try {
    new RegExp(pattern.replace(/^\(\?[a-z]+\)/, '').replaceAll('(?P<', '(?<'))
    return true
  } catch {
    return false
  }
}

/** The number of groups that a substitution can name. */
export function countGroups(pattern: string): number {
  return [...withoutEscapedBackslashes(pattern).matchAll(/(?<!\\)\((?!\?)|\(\?P?<(?![=!])/g)].length
}

/** Whether a `|` stands outside of all groups and sets. */
export function hasAlternatives(pattern: string): boolean {
  const plain = pattern.replace(/\\./g, '').replace(/\[\^?\]?[^\]]*\]/g, '')
  let depth = 0
  for (const character of plain) {
    if (character === '|' && depth === 0) return true
    if (character === '(') depth += 1
    if (character === ')') depth -= 1
  }
  return false
}

/** `text` as a pattern that matches it and nothing else. */
export function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
