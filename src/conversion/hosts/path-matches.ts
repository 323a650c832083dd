/** How the path of an Ingress matches (docs/facts/istio-gateway.md#path-types), and the precedence of paths. */
import { trimEnd } from '../../kubernetes/trim-characters.ts'
import type { ControllerTraits } from '../ingress/controller-traits.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { escapeRegex, hasAlternatives } from '../model/regular-expression.ts'
import type { PathMatch, Route } from '../model/virtual-host.ts'

/**
 * | pathType               | class            | path      | match                       |
 * |------------------------|------------------|-----------|-----------------------------|
 * | marked as expression   | f5, kong         | /f.o      | regex /f.o.*                |
 * | any, on a regex host   | nginx, unknown   | /foo      | regex (?i)/foo.*            |
 * | Exact                  | any              | /foo      | exact /foo                  |
 * | Prefix                 | any              | / or ""   | elements /                  |
 * | Prefix                 | any              | /foo[/]   | elements /foo               |
 * | ImplementationSpecific | nginx, f5, kong  | /foo      | prefix /foo                 |
 * | ImplementationSpecific | alb, gce, istio  | /foo/*    | elements /foo               |
 * | ImplementationSpecific | istio            | /foo.*    | prefix /foo                 |
 * | ImplementationSpecific | alb              | /foo*     | prefix /foo                 |
 * | ImplementationSpecific | alb              | /a*b/c?   | regex /a.*b/c.              |
 * | ImplementationSpecific | alb, gce, istio  | /foo      | exact /foo                  |
 * | ImplementationSpecific | traefik, unknown | /foo      | elements /foo               |
 */
export function pathMatch(
  { path, pathType, expression }: IngressPath,
  { implementationSpecific, hasRegexHosts }: ControllerTraits,
  isRegexHost: boolean,
): PathMatch {
  if (expression !== undefined) return startingWith(expression.pattern, expression.ignoresCase)
  if (isRegexHost && hasRegexHosts) return nginxRegex(path)
  if (pathType === 'Exact') return { kind: 'exact', value: path }
  if (pathType === 'Prefix') return elements(path)
  switch (implementationSpecific) {
    case 'text-prefix':
      return path === '' || path === '/' ? elements('/') : { kind: 'prefix', value: path }
    case 'wildcards':
      return wildcards(path)
    case 'trailing-wildcard':
      return wildcardOrExact(path)
    case 'elements':
      return elements(path)
  }
}

/** `*` matches any text and `?` any character, including slashes (AWS, "Path conditions"). */
function wildcards(path: string): PathMatch {
  const head = path.replace(/\/?\*$/, '')
  if (/[*?]/.test(head))
    return { kind: 'regex', value: escapeRegex(path).replaceAll('\\*', '.*').replaceAll('\\?', '.') }
  if (head === '' || path.endsWith('/*')) return elements(head)
  return path.endsWith('*') ? { kind: 'prefix', value: head } : { kind: 'exact', value: path }
}

function wildcardOrExact(path: string): PathMatch {
  if (['', '*', '/*', '.*'].includes(path)) return elements('/')
  if (path.endsWith('/*')) return elements(path.slice(0, -2))
  return path.endsWith('.*') ? { kind: 'prefix', value: path.slice(0, -2) } : { kind: 'exact', value: path }
}

function elements(path: string): PathMatch {
  const stripped = trimEnd(path, '/')
  return { kind: 'elements', value: stripped === '' ? '/' : stripped }
}

/**
 * If one path of a host is a regular expression, ingress-nginx treats all of them as such: case-insensitive, and
 * anchored at the start only (https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/). Envoy
 * matches the whole path, so every alternative needs `.*` after it.
 */
function nginxRegex(path: string): PathMatch {
  return startingWith(path === '' ? '/' : path, true)
}

function startingWith(pattern: string, ignoresCase: boolean): PathMatch {
  const whole = hasAlternatives(pattern) ? `(?:${pattern})` : pattern
  return { kind: 'regex', value: `${ignoresCase ? '(?i)' : ''}${whole}.*` }
}

/**
 * Sorts routes with more conditions on headers first (Kong), then longer paths first, and Exact first at equal length.
 * Trailing slashes do not count, or a Prefix `/foo/` would hide an Exact `/foo`. Regular expressions are compared as
 * written, in descending order at equal length (`getBackendServers` in ingress-nginx' controller.go).
 */
export function byPrecedence(left: Sortable, right: Sortable): number {
  const conditions = conditionsOf(right) - conditionsOf(left)
  if (conditions !== 0) return conditions
  const length = precedenceLength(right) - precedenceLength(left)
  if (length !== 0) return length
  if (left.match.kind === 'regex' && right.match.kind === 'regex') return descending(left.path, right.path)
  return Number(right.match.kind === 'exact') - Number(left.match.kind === 'exact')
}

type Sortable = Pick<Route, 'match' | 'path' | 'headers' | 'methods' | 'expression'>

function conditionsOf({ headers, methods }: Sortable): number {
  return headers.length + (methods === undefined ? 0 : 1)
}

/**
 * Of the routes of a host with paths that are marked as regular expressions, an exact path goes first, then the expressions, then the
 * rest (F5: https://nginx.org/en/docs/http/ngx_http_core_module.html#location; Kong:
 * https://developer.konghq.com/gateway/routing/traditional/). Kong's priority lifts an expression above exact paths.
 */
export function sortRoutes<One extends Sortable>(routes: readonly One[]): readonly One[] {
  if (!routes.some(({ expression }) => expression !== undefined)) return routes.toSorted(byPrecedence)
  return routes.toSorted((left, right) => {
    const difference = conditionsOf(right) - conditionsOf(left) || tierOf(right) - tierOf(left)
    if (difference !== 0) return difference
    if (left.expression === undefined || right.expression === undefined) return byPrecedence(left, right)
    const priority = right.expression.priority - left.expression.priority
    return priority !== 0 || left.expression.isAsWritten ? priority : right.path.length - left.path.length
  })
}

function tierOf({ match, expression }: Sortable): number {
  if (expression !== undefined) return expression.priority > 0 ? 3 : 1
  return match.kind === 'exact' ? 2 : 0
}

function descending(left: string, right: string): number {
  return left === right ? 0 : left > right ? -1 : 1
}

function precedenceLength({ match, path }: { readonly match: PathMatch; readonly path: string }): number {
  return match.kind === 'regex' ? path.length : trimEnd(match.value, '/').length
}
