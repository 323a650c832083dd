/**
 * What the path of an Ingress matches (docs/facts/istio-gateway.md#path-types), and the order of precedence among paths.
 */
import type { ControllerClass } from '../ingress/controller-class.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { escapeRegex, hasAlternatives } from '../model/regular-expression.ts'
import type { PathMatch } from '../model/virtual-host.ts'

/**
 * | pathType               | class            | path      | match                       |
 * |------------------------|------------------|-----------|-----------------------------|
 * | any, on a regex host   | nginx, unknown   | /foo      | regex (?i)/foo.*            |
 * | Exact                  | any              | /foo      | exact /foo                  |
 * | Prefix                 | any              | / or ""   | elements /                  |
 * | Prefix                 | any              | /foo[/]   | elements /foo               |
 * | ImplementationSpecific | nginx            | /foo      | prefix /foo                 |
 * | ImplementationSpecific | alb, gce, istio  | /foo/*    | elements /foo               |
 * | ImplementationSpecific | istio            | /foo.*    | prefix /foo                 |
 * | ImplementationSpecific | alb              | /foo*     | prefix /foo                 |
 * | ImplementationSpecific | alb              | /a*b/c?   | regex /a.*b/c.              |
 * | ImplementationSpecific | alb, gce, istio  | /foo      | exact /foo                  |
 * | ImplementationSpecific | traefik, unknown | /foo      | elements /foo               |
 */
export function pathMatch(
  { path, pathType }: IngressPath,
  controller: ControllerClass,
  isRegexHost: boolean,
): PathMatch {
  if (isRegexHost && (controller === 'nginx' || controller === 'unknown')) return nginxRegex(path)
  if (pathType === 'Exact') return { kind: 'exact', value: path }
  if (pathType === 'Prefix') return elements(path)
  switch (controller) {
    case 'nginx':
      return path === '' || path === '/' ? elements('/') : { kind: 'prefix', value: path }
    case 'alb':
      return wildcards(path)
    case 'gce':
    case 'istio':
      return wildcardOrExact(path)
    case 'traefik':
    case 'unknown':
      return elements(path)
  }
}

/** `*` is any text and `?` any character, slashes included (AWS, "Path conditions"). */
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
  const stripped = path.replace(/\/+$/, '')
  return { kind: 'elements', value: stripped === '' ? '/' : stripped }
}

/**
 * If one path of a host is a regular expression, ingress-nginx treats all of them as such: case-insensitive, and anchored at
 * the start only (https://kubernetes.github.io/ingress-nginx/user-guide/ingress-path-matching/). Envoy matches the whole
 * path, so every alternative needs `.*` after it.
 */
function nginxRegex(path: string): PathMatch {
  const pattern = path === '' ? '/' : path
  return { kind: 'regex', value: `(?i)${hasAlternatives(pattern) ? `(?:${pattern})` : pattern}.*` }
}

/**
 * Sorts longer paths first, and Exact first at equal length. Trailing slashes do not count, or a Prefix `/foo/` would hide an
 * Exact `/foo`. Regular expressions are compared as written.
 */
export function byPrecedence(left: { readonly match: PathMatch; readonly path: string }, right: typeof left): number {
  const length = precedenceLength(right) - precedenceLength(left)
  return length !== 0 ? length : Number(right.match.kind === 'exact') - Number(left.match.kind === 'exact')
}

function precedenceLength({ match, path }: { readonly match: PathMatch; readonly path: string }): number {
  return match.kind === 'regex' ? path.length : match.value.replace(/\/+$/, '').length
}
