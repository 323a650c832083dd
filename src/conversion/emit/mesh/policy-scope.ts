/** Where a policy of the gateway holds. */
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { PathMatch, Route, VirtualHost } from '../../model/virtual-host.ts'

/** Where a policy holds, by host. */
export type PolicyScope = readonly HostScope[]

interface HostScope {
  readonly host: string
  /** Undefined: all of them. Else those of the Ingress, as other Ingresses have routes of the host, too. */
  readonly paths: readonly string[] | undefined
  /** Others' routes of the host. */
  readonly siblings: readonly Route[]
}

/** `served`: all hosts of the same pods, whoever's they are. */
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

/** Without a pattern for one of the routes all of the host is meant, which shuts out rather than lets in. */
function pathsOf(routes: readonly Route[]): readonly string[] | undefined {
  const paths = new Set(routes.flatMap(pathPatterns))
  return paths.has('*') ? undefined : [...paths]
}

/** `*` where an AuthorizationPolicy has no pattern. */
function pathPatterns({ match }: Route): readonly string[] {
  const patterns: Readonly<Record<PathMatch['kind'], readonly string[]>> = {
    exact: [match.value],
    elements: match.value === '/' ? ['*'] : [match.value, `${match.value}/*`],
    prefix: [`${match.value}*`],
    regex: ['*'],
  }
  return patterns[match.kind]
}
