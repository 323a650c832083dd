/**
 * Redirects of single paths, which snippets of ingress-nginx contain. nginx evaluates those of a server before it looks for a
 * location, and those of a location after that (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html).
 */
import type { PathRedirect } from '../model/ingress-settings.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { Route } from '../model/virtual-host.ts'
import type { HostRule } from './host-rule.ts'
import { overlaps } from './route-order.ts'

/** `routes` are those of the paths, by precedence. */
export function withPathRedirects(rules: readonly HostRule[], routes: readonly Route[]): Reported<readonly Route[]> {
  const readings = [...new Set(rules.map(({ reading }) => reading))].filter(
    ({ settings }) => settings.pathRedirects !== undefined,
  )
  const first: Route[] = []
  const lines: ReportLine[] = []
  let placed = routes
  for (const { id, settings } of readings)
    for (const redirect of settings.pathRedirects ?? []) {
      const model = routes.find(({ ingress }) => ingress === id)
      if (model === undefined) continue
      if (redirect.place === 'server') first.push(redirectRoute(redirect, model))
      else {
        const place = placeOf(redirect, id, placed)
        if (place === undefined) lines.push(hiddenLine(redirect, id))
        else placed = placed.toSpliced(place, 0, redirectRoute(redirect, model))
      }
    }
  return { value: [...first, ...placed], lines }
}

function redirectRoute({ match, target }: PathRedirect, model: Route): Route {
  return {
    ...model,
    path: match.value,
    match,
    headers: [],
    action: { kind: 'redirect', ...target },
    isPlaced: true,
  }
}

/**
 * Returns the place before the first path of the Ingress that the redirect meets. Undefined if a path of another Ingress comes
 * after it and takes some of the requests: they reach another location, without the redirect.
 */
function placeOf({ match }: PathRedirect, ingress: string, routes: readonly Route[]): number | undefined {
  const meets = (route: Route) => overlaps(match, route.match)
  const index = routes.findIndex((route) => route.ingress === ingress && meets(route) && !isRedirectOf(route))
  if (index === -1) return undefined
  const last = routes.findLastIndex((route) => route.ingress === ingress && meets(route))
  const isTaken = routes.slice(index, last).some((route) => route.ingress !== ingress && meets(route))
  return isTaken ? undefined : index
}

function isRedirectOf({ isPlaced }: Route): boolean {
  return isPlaced === true
}

function hiddenLine({ match }: PathRedirect, ingress: string): ReportLine {
  const message = `the redirect of ${match.value} is left out: other Ingresses of the host have paths among those that it redirects`
  return { ingress, level: 'error', about: 'spec.rules', outcome: 'unsupported', message }
}
