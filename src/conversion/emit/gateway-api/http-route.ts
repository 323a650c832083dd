/** The HTTPRoutes of a host. */
import { defined } from '../../../kubernetes/json.ts'
import type { RetryPolicy } from '../../model/ingress-settings.ts'
import type { HeaderMatch, Route as HostRoute, VirtualHost } from '../../model/virtual-host.ts'
import { actionFilters, redirectFilter, type HttpRouteFilter } from './http-route-filter.ts'
import { attachments, plainRef, secureRef, type ParentGateway, type ParentRef } from './parent-refs.ts'
import { apiMatch, needsExpressions, type ApiMatch, type ApiPath } from './route-matches.ts'
import { backendRefs, routeObject, type BackendRef, type Route } from './route-object.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#httproute */
export type HTTPRoute = Route<'HTTPRoute', HttpRule>

type HttpRule = {
  readonly matches?: readonly HttpRouteMatch[]
  readonly filters?: readonly HttpRouteFilter[]
  readonly backendRefs?: readonly BackendRef[]
  /** Experimental, so present only if the conversion may use that channel. */
  readonly retry?: HttpRouteRetry
  readonly timeouts?: { readonly backendRequest: string }
}

/** https://gateway-api.sigs.k8s.io/geps/gep-1731/ */
type HttpRouteRetry = { readonly attempts: number; readonly codes?: readonly number[] }

type HttpRouteMatch = {
  readonly path: ApiPath
  readonly headers?: readonly HttpHeaderMatch[]
  readonly method?: string
}

type HttpHeaderMatch = {
  readonly name: string
  readonly type: 'Exact' | 'RegularExpression'
  readonly value: string
}

/** The CRD's limits for a route. */
const [MAX_RULES, MAX_MATCHES] = [16, 128]

/**
 * If any route redirects to https, port 80 gets its own routes. Rules beyond the limit of one route continue in the
 * next; the most specific match wins across routes.
 */
export function httpRouteObjects(host: VirtualHost, parent: ParentGateway): readonly HTTPRoute[] {
  const rules = rulesOf(host.routes)
  const redirecting = host.routes.filter(({ redirectsToHttps }) => redirectsToHttps).length
  if (redirecting === 0)
    return attachments(host, parent).flatMap(({ suffix, parentRefs }) => routesOf(host, suffix, rules, parentRefs))
  const plain: readonly HttpRule[] =
    redirecting === host.routes.length
      ? [{ filters: [TO_HTTPS] }]
      : rules.map((rule, index) => plainRule(rule, host.routes[index]))
  return [
    ...routesOf(host, '', rules, [secureRef(host, parent)]),
    ...routesOf(host, 'http', plain, [plainRef(host, parent)]),
  ]
}

/** Returns the routes of port 80 only. */
export function plainRouteObjects(host: VirtualHost, parent: ParentGateway): readonly HTTPRoute[] {
  const rules = rulesOf(host.routes).map((rule, index) => plainRule(rule, host.routes[index]))
  return routesOf(host, 'http', rules, [plainRef(host, parent)])
}

const TO_HTTPS: HttpRouteFilter = {
  type: 'RequestRedirect',
  requestRedirect: { scheme: 'https', statusCode: 308 },
}

function plainRule(rule: HttpRule, route: HostRoute | undefined): HttpRule {
  return route?.redirectsToHttps === true ? defined({ matches: rule.matches, filters: [TO_HTTPS] }) : rule
}

function routesOf(
  host: VirtualHost,
  suffix: string,
  rules: readonly HttpRule[],
  parentRefs: readonly ParentRef[],
): readonly HTTPRoute[] {
  const mostMatches = rules.reduce((most, { matches = [] }) => Math.max(most, matches.length), 1)
  const size = Math.min(MAX_RULES, Math.floor(MAX_MATCHES / mostMatches))
  const chunks = Array.from({ length: Math.ceil(rules.length / size) }, (_, index) =>
    rules.slice(index * size, (index + 1) * size),
  )
  return chunks.map((chunk, index) => {
    const parts = [suffix, ...(index === 0 ? [] : [String(index + 1)])].filter((part) => part !== '')
    return routeObject('HTTPRoute', host, parts, parentRefs, chunk)
  })
}

function rulesOf(routes: readonly HostRoute[]): readonly HttpRule[] {
  const hasExpressions = needsExpressions(routes)
  return routes.map((route) => httpRule(route, apiMatch(route, hasExpressions)))
}

function httpRule({ headers, methods, action }: HostRoute, match: ApiMatch): HttpRule {
  const byHeader = headers.length === 0 ? undefined : headers.map(headerMatch)
  const matches = (methods ?? [undefined]).map((method) =>
    defined<HttpRouteMatch>({ path: match.path, headers: byHeader, method }),
  )
  if (action.kind === 'redirect') return { matches, filters: [redirectFilter(action)] }
  const filters = actionFilters(action, match)
  return defined({
    matches,
    filters: filters.length === 0 ? undefined : filters,
    backendRefs: backendRefs(action.backends),
    retry: action.retries && retryOf(action.retries),
    timeouts: action.retries && timeoutsOf(action.retries),
  })
}

/** Connection errors are always retried; only status codes are listed. */
function retryOf({ attempts, on }: RetryPolicy): HttpRouteRetry {
  const codes = on.split(',').filter((condition) => /^[45]\d\d$/.test(condition))
  return defined({ attempts, codes: codes.length === 0 ? undefined : codes.map(Number) })
}

function timeoutsOf({ perTryTimeoutSeconds: seconds }: RetryPolicy): HttpRule['timeouts'] {
  return seconds === undefined ? undefined : { backendRequest: `${seconds}s` }
}

function headerMatch({ name, kind, value }: HeaderMatch): HttpHeaderMatch {
  return { name, type: kind === 'exact' ? 'Exact' : 'RegularExpression', value }
}
