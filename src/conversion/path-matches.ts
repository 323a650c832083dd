/**
 * An Ingress path as the matches of a VirtualService that mean the same (spec/ingress.md 1.4 and 1.9).
 *
 * A VirtualService's `prefix: /foo` also matches `/foobar`; the Ingress' Prefix matches whole path elements only. So a
 * Prefix becomes two matches: the path itself, and everything below it.
 */
import type { ControllerClass } from './controller-class.ts'
import type { IngressPath } from './ingress.ts'

export type UriMatch = { readonly exact: string } | { readonly prefix: string }

/**
 * | pathType               | class            | path      | matches                     |
 * |------------------------|------------------|-----------|-----------------------------|
 * | Exact                  | any              | /foo      | exact /foo                  |
 * | Prefix                 | any              | / or ""   | prefix /                    |
 * | Prefix                 | any              | /foo[/]   | exact /foo, prefix /foo/    |
 * | ImplementationSpecific | nginx            | /foo      | prefix /foo (raw)           |
 * | ImplementationSpecific | alb, gce, istio  | /foo/*    | as Prefix /foo              |
 * | ImplementationSpecific | alb, gce, istio  | /foo      | exact /foo                  |
 * | ImplementationSpecific | traefik, unknown | /foo      | as Prefix /foo              |
 */
export function uriMatches({ path, pathType }: IngressPath, controller: ControllerClass): readonly UriMatch[] {
  if (pathType === 'Exact') return [{ exact: path }]
  if (pathType === 'Prefix') return elementWise(path)
  switch (controller) {
    case 'nginx':
      return [{ prefix: path === '' ? '/' : path }]
    case 'alb':
    case 'gce':
    case 'istio':
      return wildcardOrExact(path)
    case 'traefik':
    case 'unknown':
      return elementWise(path)
  }
}

function wildcardOrExact(path: string): readonly UriMatch[] {
  if (['', '*', '/*', '.*'].includes(path)) return [{ prefix: '/' }]
  if (path.endsWith('/*') || path.endsWith('.*')) return elementWise(path.slice(0, -2))
  return [{ exact: path }]
}

function elementWise(path: string): readonly UriMatch[] {
  const stripped = path.replace(/\/+$/, '')
  if (stripped === '') return [{ prefix: '/' }]
  return [{ exact: stripped }, { prefix: `${stripped}/` }]
}

/**
 * The order of an Ingress' precedence: longer path first, at equal length Exact first. Trailing slashes are normalised
 * before that, or a Prefix `/foo/` would swallow an Exact `/foo`.
 */
export function byPrecedence(left: IngressPath, right: IngressPath): number {
  const length = normalisedLength(right.path) - normalisedLength(left.path)
  return length !== 0 ? length : Number(right.pathType === 'Exact') - Number(left.pathType === 'Exact')
}

function normalisedLength(path: string): number {
  return path.replace(/\/+$/, '').length
}
