/**
 * The directives of nginx that answer with a redirect
 * (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html).
 */
import { ownEntry } from '../../../kubernetes/json.ts'
import type { RedirectCode, RedirectTarget } from '../../model/ingress-settings.ts'
import type { AnnotationSettings } from '../entry.ts'
import { readRedirectTarget } from './redirect.ts'
import { wordsOf } from './snippet-statements.ts'

/** What a redirect in a snippet sets. */
export interface RedirectReading {
  readonly settings: AnnotationSettings
  readonly note?: string
}

/** The place at which nginx includes the snippet. */
export type SnippetLevel = 'location' | 'server'

export interface RedirectStatement {
  readonly target: RedirectTarget
  /** The expression of `rewrite` that the path must match; undefined if every path is redirected. */
  readonly pattern?: string
  /** How the answer differs from that of nginx. */
  readonly note?: string
}

/** Returns undefined if the statement is no redirect, or one whose URL has no equivalent. */
export function redirectStatement(statement: string): RedirectStatement | undefined {
  const [directive, first = '', second, flag, ...rest] = wordsOf(statement)
  if (rest.length > 0) return undefined
  if (directive === 'return') return returnStatement(first, second, flag)
  if (directive !== 'rewrite' || second === undefined) return undefined
  const [, group] = LITERAL_GROUP.exec(first) ?? []
  return group === undefined
    ? rewriteStatement(first, second, flag)
    : rewriteStatement(`^${group}$`, second.replaceAll('$1', group), flag)
}

/** `rewrite ^(/app)$ $1/ redirect` adds a slash (https://kubernetes.github.io/ingress-nginx/examples/rewrite/). */
const LITERAL_GROUP = /^\^\((\/[\w\-/~]+)\)\$$/

const CODES: Readonly<Record<string, RedirectCode>> = { '301': 301, '302': 302, '303': 303, '307': 307, '308': 308 }

const KEPT_QUERY = 'the redirect keeps the query string, which nginx drops'

/** `return URL;` alone means 302. */
function returnStatement(
  first: string,
  second: string | undefined,
  flag: string | undefined,
): RedirectStatement | undefined {
  const code = second === undefined ? 302 : ownEntry(CODES, first)
  if (flag !== undefined || code === undefined) return undefined
  if (second === undefined && !/^(?:https?|\$scheme):\/\//.test(first)) return undefined
  const target = readRedirectTarget((second ?? first).replace(/\$uri$/, '$request_uri'), code)
  if (target === undefined) return undefined
  return target.path === undefined ? { target } : { target, note: KEPT_QUERY }
}

/** Without a flag, only a URL with a scheme redirects. nginx keeps the query unless the URL ends in `?`. */
function rewriteStatement(pattern: string, url: string, flag: string | undefined): RedirectStatement | undefined {
  const isUrl = /^(?:https?|\$scheme):\/\//.test(url)
  const code = flag === 'permanent' ? 301 : flag === 'redirect' || (flag === undefined && isUrl) ? 302 : undefined
  if (code === undefined) return undefined
  const whole = wholePath(pattern, url)
  const target = readRedirectTarget(whole ?? url.replace(/\?$/, ''), code)
  if (target === undefined) return undefined
  if (whole !== undefined) return { target }
  const note = url.endsWith('?') ? { note: KEPT_QUERY } : {}
  return EVERY_PATH.test(pattern) ? { target, ...note } : { target, pattern, ...note }
}

const EVERY_PATH = /^\^?(?:\/?(?:\(\.\*\)|\.\*)\$?|\/)?$/

/** Returns the URL with the request's path as `$request_uri`; undefined if the path is not kept whole. */
function wholePath(pattern: string, url: string): string | undefined {
  if (!EVERY_PATH.test(pattern)) return undefined
  if (url.endsWith('$request_uri?')) return url.slice(0, -1)
  if (!pattern.includes('(')) return undefined
  const group = pattern.includes('/') ? '/$1' : '$1'
  return url.endsWith(group) ? `${url.slice(0, -group.length)}$request_uri` : undefined
}
