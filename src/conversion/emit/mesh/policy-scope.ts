/** The hosts and paths that a policy of the gateway covers: those whose requests reach the Ingress. */
import { byPrecedence } from '../../hosts/path-matches.ts'
import { overlaps } from '../../hosts/route-order.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { Route, VirtualHost } from '../../model/virtual-host.ts'

/** The scope of a policy. A host may have several members, which add up. */
export type PolicyScope = readonly HostScope[]

export interface HostScope {
  readonly host: string
  /** Patterns of paths; undefined for the whole host. */
  readonly paths: readonly string[] | undefined
  /** Patterns of paths that are left out, because routes of other Ingresses take them. */
  readonly notPaths: readonly string[]
  /** Routes of other Ingresses to which the policy also applies. */
  readonly hit: readonly Route[]
}

/** `served` are all hosts of the same pods. */
export function policyScope(
  { id }: ReadIngress,
  hosts: readonly VirtualHost[],
  served: readonly VirtualHost[],
): PolicyScope {
  return hosts.flatMap(({ host, routes }) => {
    const own = routes.filter(({ ingress }) => ingress === id)
    if (own.length === 0) return []
    const all = served.filter((one) => one.host === host).flatMap((one) => one.routes)
    const siblings = all.filter(({ ingress }) => ingress !== id)
    if (siblings.length === 0) return [{ host, paths: undefined, notPaths: [], hit: [] }]
    return joined(own.map((route) => routeScope(host, route, siblings)))
  })
}

/**
 * | route of another Ingress                | requests for both | the policy                             |
 * |-----------------------------------------|-------------------|----------------------------------------|
 * | goes before this one, and has a pattern | reach the other   | leaves them out                        |
 * | goes before this one, and has none      | reach the other   | covers them: too strict                |
 * | comes after this one                    | reach this one    | covers them                            |
 * | has no path in common with this one     | do not exist      | leaves them out if this has no pattern |
 */
function routeScope(host: string, route: Route, siblings: readonly Route[]): HostScope {
  const paths = patternsOf(route)
  const meets = (other: Route) => overlaps(other.match, route.match)
  const covered = siblings.filter((other) => paths === undefined || meets(other))
  const foreign = covered.filter((other) => !meets(other) || byPrecedence(other, route) < 0)
  const isConditional = ({ headers, methods }: Route) => headers.length > 0 || methods !== undefined
  const excluded = foreign.filter((other) => !isConditional(other) && exclusionsOf(other) !== undefined)
  const isAll = route.match.kind === 'elements' && route.match.value === '/'
  const hit = covered.filter((other) => foreign.includes(other) || (paths === undefined && !isAll))
  return {
    host,
    paths,
    notPaths: [...new Set(excluded.flatMap((other) => exclusionsOf(other) ?? []))],
    hit: hit.filter((other) => !excluded.includes(other)),
  }
}

/** Routes that leave out the same paths share one member. */
function joined(scopes: readonly HostScope[]): PolicyScope {
  const byExclusions = new Map<string, HostScope>()
  for (const scope of scopes) {
    const key = scope.notPaths.join(' ')
    const other = byExclusions.get(key) ?? { ...scope, paths: [], hit: [] }
    const isWhole = scope.paths === undefined || other.paths === undefined
    const paths = isWhole ? undefined : [...new Set([...other.paths, ...scope.paths])]
    byExclusions.set(key, { ...scope, paths, hit: [...new Set([...other.hit, ...scope.hit])] })
  }
  return [...byExclusions.values()]
}

/** Undefined for every path, and for matches that an AuthorizationPolicy cannot express. */
function patternsOf({ match: { kind, value } }: Route): readonly string[] | undefined {
  if (value === '/' && kind === 'elements') return undefined
  if (kind === 'regex' || /[*{}]/.test(value)) return undefined
  if (kind === 'exact') return [value]
  return kind === 'elements' ? [value, `${value}/*`] : [`${value}*`]
}

/** Patterns that match no more than the route does: those of a regular expression leave out other letter case. */
function exclusionsOf(route: Route): readonly string[] | undefined {
  if (route.match.kind !== 'regex') return patternsOf(route)
  const [, start] = /^(?:\(\?i\))?(\/[\w\-/~]+)\.\*$/.exec(route.match.value) ?? []
  return start === undefined ? undefined : [`${start}*`]
}
