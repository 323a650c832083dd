/** Redirects of a snippet for some paths of a host. */
import { RE2JS } from 're2js'
import type { IngressPath } from '../../ingress/ingress.ts'
import type { PathMatch } from '../../model/path-match.ts'
import { regexProblem } from '../../model/regular-expression.ts'
import type { AnnotationPlace } from '../entry.ts'
import { searchMatch } from './path-patterns.ts'
import {
  redirectStatement,
  type RedirectReading,
  type RedirectStatement,
  type SnippetLevel,
} from './redirect-statements.ts'

interface PathStatement {
  readonly match: PathMatch
  readonly redirect: RedirectStatement
  /** How the paths differ from those of nginx. */
  readonly note?: string
}

/**
 * Returns undefined if the statement is not such a redirect, or if a location may hide it: nginx evaluates the statements of a
 * location only for the requests that reach it.
 */
export function pathRedirect(
  statement: string,
  { ingress }: AnnotationPlace,
  level: SnippetLevel,
): RedirectReading | undefined {
  const found =
    rewriteOf(statement) ?? conditionOf(statement) ?? (level === 'server' ? locationOf(statement) : undefined)
  if (found === undefined) return undefined
  const { match, redirect, note } = found
  const paths = ingress.rules.flatMap((rule) => rule.paths)
  if (level === 'location' && !paths.some((path) => isWithin(match, path))) return undefined
  const notes = [redirect.note, note].filter((text) => text !== undefined)
  return {
    settings: { pathRedirects: [{ place: level, match, target: redirect.target }] },
    ...(notes.length === 0 ? {} : { note: notes.join('; ') }),
  }
}

/** `rewrite ^/old /new permanent` */
function rewriteOf(statement: string): PathStatement | undefined {
  const redirect = redirectStatement(statement)
  const match = redirect?.pattern === undefined ? undefined : searchMatch(redirect.pattern, false)
  return redirect === undefined || match === undefined ? undefined : { match, redirect }
}

/** `if ($request_uri ~ ^/old) { return 301 /new; }` */
const CONDITION =
  /^if ?\( ?\$(request_uri|uri|document_uri) (=|~\*|~) ("[^"]*"|'[^']*'|[^\s"']+?) ?\) ?\{ ?([^;{}]+); ?\}$/

function conditionOf(statement: string): PathStatement | undefined {
  const [, variable, operator, given = '', body = ''] = CONDITION.exec(statement) ?? []
  if (variable === undefined) return undefined
  const value = /^["']/.test(given) ? given.slice(1, -1) : given
  const redirect = redirectStatement(body)
  const match = operator === '=' ? exactMatch(value) : searchMatch(value, operator === '~*')
  if (redirect === undefined || redirect.pattern !== undefined || match === undefined) return undefined
  if (variable !== 'request_uri') return { match, redirect }
  // The expression could match the query, which Envoy does not compare.
  if (operator !== '=' && !value.startsWith('^/')) return undefined
  const isWhole = match.kind === 'exact' || value.endsWith('$')
  return isWhole ? { match, redirect, note: 'it also applies to requests with a query string' } : { match, redirect }
}

/** A `?` would begin the query. */
function exactMatch(value: string): PathMatch | undefined {
  return value.startsWith('/') && !/[?#]/.test(value) ? { kind: 'exact', value } : undefined
}

/** `location = /old { return 301 /new; }`. Only an exact location goes before all others, whatever they are. */
const LOCATION = /^location = (\/[^\s{}"';]*) ?\{ ?([^;{}]+); ?\}$/

function locationOf(statement: string): PathStatement | undefined {
  const [, path, body = ''] = LOCATION.exec(statement) ?? []
  const redirect = redirectStatement(body)
  if (path === undefined || redirect === undefined || redirect.pattern !== undefined) return undefined
  return { match: { kind: 'exact', value: path }, redirect }
}

/** Whether every request that the redirect is for may reach the path of a rule. */
function isWithin({ kind, value }: PathMatch, { path, pathType }: Pick<IngressPath, 'path' | 'pathType'>): boolean {
  if (path === '' || (path === '/' && pathType !== 'Exact')) return true
  if (kind === 'exact' && pathType !== 'Exact' && /[\\^$.*+?()[\]{}|]/.test(path)) return isStart(path, value)
  if (kind === 'regex') return false
  if (pathType === 'Exact') return kind === 'exact' && value === path
  return value === path || value.startsWith(path.endsWith('/') ? path : `${path}/`)
}

/** Whether a path of a regex host matches from the start. */
function isStart(pattern: string, text: string): boolean {
  if (regexProblem(pattern) !== undefined) return false
  const found = RE2JS.compile(`(?i)${pattern}`).matcher(text)
  return found.lookingAt()
}
