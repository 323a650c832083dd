/** Redirects from `/docs` to `/docs/`, which nginx answers by itself (docs/facts/ingress-nginx.md#trailing-slashes). */
import { traitsOf } from '../ingress/controller-traits.ts'
import type { Route } from '../model/virtual-host.ts'
import type { HostRule } from './host-rule.ts'

/**
 * | path   | another path of the host                | /docs                   |
 * |--------|-----------------------------------------|-------------------------|
 * | /docs/ | none, or one that only contains /docs   | 301 to /docs/           |
 * | /docs/ | /docs, of any type                      | belongs to that path    |
 * | /docs/ | any, and the paths are regular expressions | no redirect          |
 *
 * `routes` are those of the paths.
 */
export function slashRedirects(rules: readonly HostRule[], routes: readonly Route[]): readonly Route[] {
  const adding = new Set(
    rules.filter(({ reading }) => traitsOf(reading.controller).addsSlash).map(({ reading }) => reading.id),
  )
  const paths = new Set(routes.map(({ path }) => path))
  const found = routes.filter(({ ingress, path, match }) => {
    const isLocation = adding.has(ingress) && match.kind !== 'regex'
    return isLocation && path.length > 1 && path.endsWith('/') && !paths.has(path.slice(0, -1))
  })
  return [...new Map(found.toReversed().map((route) => [route.path, route])).values()].reverse().map(redirectOf)
}

/** The route keeps its redirect to HTTPS, which nginx answers second. */
function redirectOf(route: Route): Route {
  const match = { kind: 'exact', value: route.path.slice(0, -1) } as const
  const target = { scheme: undefined, authority: undefined, path: route.path, code: 301 } as const
  return { ...route, path: match.value, headers: [], match, action: { kind: 'redirect', ...target } }
}
