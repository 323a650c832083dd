/**
 * Regular expressions of nginx (PCRE) that are searched in a path, as the matches of a route
 * (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html#rewrite).
 */
import { hasAlternatives, regexProblem } from '../../model/regular-expression.ts'
import type { PathMatch } from '../../model/path-match.ts'

/**
 * | expression                                  | match             |
 * |---------------------------------------------|-------------------|
 * | `^/old$`                                    | exact /old        |
 * | `^/old`, `^/old(.*)$`                       | prefix /old       |
 * | `^/old(/.*)?$`, `^/old(/\|$)`               | elements /old     |
 * | `^/old/(.*)$`                               | prefix /old/      |
 * | any other, and any that ignores letter case | regex, `.*` where it has no anchor |
 *
 * Returns undefined if Envoy would refuse it.
 */
export function searchMatch(pattern: string, ignoresCase: boolean): PathMatch | undefined {
  const literal = ignoresCase ? undefined : literalMatch(pattern)
  if (literal !== undefined) return literal
  const value = `${ignoresCase ? '(?i)' : ''}${wholePattern(pattern)}`
  return regexProblem(value) === undefined ? { kind: 'regex', value } : undefined
}

function literalMatch(pattern: string): PathMatch | undefined {
  const [start = '', text] = /^\^((?:[\w\-/~]|\\[.\-/])+)/.exec(pattern) ?? []
  if (text === undefined) return undefined
  const rest = pattern.slice(start.length)
  const value = text.replaceAll('\\', '')
  if (!value.startsWith('/')) return undefined
  if (rest === '$') return { kind: 'exact', value }
  if (ANYTHING.includes(rest)) return value === '/' ? { kind: 'elements', value } : { kind: 'prefix', value }
  return ELEMENTS.includes(rest) && !value.endsWith('/') ? { kind: 'elements', value } : undefined
}

const ANYTHING = ['', '.*', '.*$', '(.*)', '(.*)$']

const ELEMENTS = ['(/.*)?$', '(/|$)', '($|/)', '(/|$)(.*)', '($|/)(.*)', '(/|$)(.*)$', '($|/)(.*)$', '(?:/.*)?$']

/** Envoy matches the whole path. */
function wholePattern(pattern: string): string {
  if (hasAlternatives(pattern)) return `.*(?:${pattern}).*`
  const isStart = pattern.startsWith('^')
  const isEnd = /(?:^|[^\\])\$$/.test(pattern)
  const body = pattern.slice(isStart ? 1 : 0, isEnd ? -1 : undefined)
  return `${isStart ? '' : '.*'}${body}${isEnd ? '' : '.*'}`
}
