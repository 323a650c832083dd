/** The hosts and paths that a policy of the gateway covers. */
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { PathMatch, Route, VirtualHost } from '../../model/virtual-host.ts'

/** The scope of a policy, by host. */
export type PolicyScope = readonly HostScope[]

interface HostScope {
  readonly host: string
  /** The Ingress' paths if other Ingresses have routes of the host; undefined for the whole host. */
  readonly paths: readonly string[] | undefined
  /** Routes of other Ingresses for the host. */
  readonly siblings: readonly Route[]
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
    return [{ host, siblings, paths: siblings.length === 0 ? undefined : pathsOf(own) }]
  })
}

/** If one route cannot be expressed as a pattern, the policy covers the whole host: too strict rather than too open. */
function pathsOf(routes: readonly Route[]): readonly string[] | undefined {
  const paths = new Set(routes.flatMap(pathPatterns))
  return paths.has('*') ? undefined : [...paths]
}

/** Returns `*` for matches that an AuthorizationPolicy cannot express. */
function pathPatterns({ match }: Route): readonly string[] {
  const patterns: Readonly<Record<PathMatch['kind'], readonly string[]>> = {
    exact: [match.value],
    elements: match.value === '/' ? ['*'] : [match.value, `${match.value}/*`],
    prefix: [`${match.value}*`],
    regex: ['*'],
  }
  return patterns[match.kind]
}
