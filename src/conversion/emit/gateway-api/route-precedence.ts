/**
 * The order in which the Gateway API tries routes, whatever their order in the objects
 * (https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule; Istio's is in sortHTTPRoutes, see route-matches.ts).
 */
import { overlaps } from '../../hosts/route-order.ts'
import type { ReportLine } from '../../model/report.ts'
import type { Route } from '../../model/virtual-host.ts'
import { apiMatch, type ApiPath } from './route-matches.ts'

/** Routes whose place does not follow from their path, and that the Gateway API tries after one that they precede. */
export function precedenceLines(routes: readonly Route[], hasExpressions: boolean): readonly ReportLine[] {
  if (!routes.some(({ isPlaced }) => isPlaced)) return []
  return routes.flatMap((route, index) => {
    const later = routes
      .slice(index + 1)
      .find((other) => (route.isPlaced ?? other.isPlaced) === true && isHidden(route, other, hasExpressions))
    return later === undefined ? [] : [precedenceLine(route, later)]
  })
}

function isHidden(route: Route, later: Route, hasExpressions: boolean): boolean {
  return overlaps(route.match, later.match) && comparePrecedence(later, route, hasExpressions) < 0
}

/** Negative if `left` is tried first. */
function comparePrecedence(left: Route, right: Route, hasExpressions: boolean): number {
  const [one, other] = [left, right].map((route) => ranksOf(route, apiMatch(route, hasExpressions).path))
  const difference = one?.findIndex((rank, index) => rank !== other?.[index]) ?? -1
  return difference === -1 ? 0 : (other?.[difference] ?? 0) - (one?.[difference] ?? 0)
}

const KINDS: Readonly<Record<ApiPath['type'], number>> = { Exact: 2, PathPrefix: 1, RegularExpression: 0 }

function ranksOf({ headers, methods }: Route, { type, value }: ApiPath): readonly number[] {
  return [KINDS[type], value.length, methods === undefined ? 0 : 1, headers.length]
}

function precedenceLine({ ingress, field, path }: Route, later: Route): ReportLine {
  const message = `${path} goes before ${later.path}, and the Gateway API tries ${later.path} first, because it goes by kind and length of a path: requests for both reach the route of ${later.path}. Use --to istio`
  return { ingress, level: 'error', about: field, outcome: 'approximate', message }
}
