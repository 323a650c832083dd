/** The HTTPRoutes of a host. */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import type { CorsPolicy, HeaderChanges, HeaderEdit, Mirror } from '../../model/ingress-settings.ts'
import { hostName } from '../../model/object-names.ts'
import type { Forward, Redirect, Route, RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { GATEWAY_API } from './gateway.ts'
import { attachments, plainRef, secureRef, type ParentGateway } from './parent-refs.ts'
import { apiMatch, needsExpressions, type ApiMatch } from './route-matches.ts'

/** The CRD's limit. One match per rule also keeps the total number of matches below its limit. */
const MAX_RULES = 16

/**
 * If any route redirects to https, port 80 gets its own routes. Rules beyond the limit of one route continue in the next; the
 * most specific match wins across routes.
 */
export function httpRouteObjects(host: VirtualHost, parent: ParentGateway): readonly JsonObject[] {
  const rules = rulesOf(host.routes)
  const redirecting = host.routes.filter(({ redirectsToHttps }) => redirectsToHttps).length
  if (redirecting === 0)
    return attachments(host, parent).flatMap(({ suffix, parentRef }) => routesOf(host, suffix, rules, parentRef))
  const plain =
    redirecting === host.routes.length
      ? [{ filters: [TO_HTTPS] }]
      : rules.map((rule, index) => plainRule(rule, host.routes[index]))
  return [
    ...routesOf(host, '', rules, secureRef(host, parent)),
    ...routesOf(host, 'http', plain, plainRef(host, parent)),
  ]
}

const TO_HTTPS = { type: 'RequestRedirect', requestRedirect: { scheme: 'https', statusCode: 308 } }

function plainRule(rule: JsonObject, route: Route | undefined): JsonObject {
  return route?.redirectsToHttps === true ? defined({ matches: rule['matches'], filters: [TO_HTTPS] }) : rule
}

function routesOf(
  host: VirtualHost,
  suffix: string,
  rules: readonly JsonObject[],
  parentRef: JsonObject,
): readonly JsonObject[] {
  const chunks = Array.from({ length: Math.ceil(rules.length / MAX_RULES) }, (_, index) =>
    rules.slice(index * MAX_RULES, (index + 1) * MAX_RULES),
  )
  return chunks.map((chunk, index) => {
    const parts = [suffix, ...(index === 0 ? [] : [String(index + 1)])].filter((part) => part !== '')
    return routeObject('HTTPRoute', host, parts, { parentRefs: [parentRef], ...hostnames(host), rules: chunk })
  })
}

export function routeObject(
  kind: string,
  virtualHost: VirtualHost,
  suffixes: readonly string[],
  spec: JsonObject,
): JsonObject {
  const { namespace, ingressName, host, dnsAnnotations } = virtualHost
  const annotations = Object.keys(dnsAnnotations).length === 0 ? {} : { annotations: dnsAnnotations }
  return {
    apiVersion: GATEWAY_API,
    kind,
    metadata: { name: hostName(ingressName, host, ...suffixes), namespace, ...annotations },
    spec,
  }
}

export function hostnames({ host }: VirtualHost): JsonObject {
  return host === '*' ? {} : { hostnames: [host] }
}

function rulesOf(routes: readonly Route[]): readonly JsonObject[] {
  const hasExpressions = needsExpressions(routes)
  return routes.map((route) => httpRule(route, apiMatch(route, hasExpressions)))
}

function httpRule({ headers, action }: Route, match: ApiMatch): JsonObject {
  const byHeader = headers.map(({ name, kind, value }) => ({
    name,
    type: kind === 'exact' ? 'Exact' : 'RegularExpression',
    value,
  }))
  const matches = [{ path: match.path, ...(byHeader.length === 0 ? {} : { headers: byHeader }) }]
  if (action.kind === 'redirect') return { matches, filters: [redirectFilter(action)] }
  const filters = [
    ...rewriteFilters(action, match),
    ...headerFilters(action.headerChanges),
    ...corsFilters(action.cors),
    ...mirrorFilters(action.mirror),
  ]
  return { matches, ...(filters.length === 0 ? {} : { filters }), backendRefs: backendRefs(action.backends) }
}

export function backendRefs(backends: readonly RouteBackend[]): readonly JsonObject[] {
  return backends.map(({ service, port, weight }) => ({
    name: service,
    port,
    ...(backends.length > 1 ? { weight } : {}),
  }))
}

function redirectFilter({ scheme, authority, path, code }: Redirect): JsonObject {
  const [hostname, port] = authority?.split(':') ?? []
  return {
    type: 'RequestRedirect',
    requestRedirect: defined({
      scheme,
      hostname,
      port: port === undefined ? undefined : Number(port),
      path: path === undefined ? undefined : { type: 'ReplaceFullPath', replaceFullPath: path },
      statusCode: code,
    }),
  }
}

function rewriteFilters({ rewrite, authority }: Forward, { isStripped }: ApiMatch): readonly JsonObject[] {
  const path = isStripped
    ? { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' }
    : rewrite?.kind === 'full'
      ? { type: 'ReplaceFullPath', replaceFullPath: rewrite.path }
      : undefined
  if (path === undefined && authority === undefined) return []
  return [{ type: 'URLRewrite', urlRewrite: defined({ hostname: authority, path }) }]
}

function headerFilters({ request, response }: HeaderChanges): readonly JsonObject[] {
  const requested = headerEdit(request)
  const responded = headerEdit(response)
  return [
    ...(requested === undefined ? [] : [{ type: 'RequestHeaderModifier', requestHeaderModifier: requested }]),
    ...(responded === undefined ? [] : [{ type: 'ResponseHeaderModifier', responseHeaderModifier: responded }]),
  ]
}

function headerEdit({ set, add, remove }: HeaderEdit): JsonObject | undefined {
  const list = (headers: Readonly<Record<string, string>>) => {
    const pairs = Object.entries(headers).map(([name, value]) => ({ name, value }))
    return pairs.length === 0 ? undefined : pairs
  }
  const parts = defined({ set: list(set), add: list(add), remove: remove.length === 0 ? undefined : remove })
  return Object.keys(parts).length === 0 ? undefined : parts
}

function corsFilters(cors: CorsPolicy | undefined): readonly JsonObject[] {
  if (cors === undefined) return []
  const { origins, methods, headers, exposed, allowsCredentials, maxAgeSeconds } = cors
  return [
    {
      type: 'CORS',
      cors: defined({
        allowOrigins: anyAlone(origins),
        allowMethods: anyAlone(methods),
        allowHeaders: anyAlone(headers),
        exposeHeaders: exposed.length === 0 ? undefined : exposed,
        allowCredentials: allowsCredentials ? true : undefined,
        maxAge: Math.max(1, maxAgeSeconds),
      }),
    },
  ]
}

/** The CRD refuses `*` beside others. */
function anyAlone(list: readonly string[]): readonly string[] {
  return list.includes('*') ? ['*'] : list
}

/** Istio allows a route to reference a host outside the cluster, defined by a ServiceEntry, as kind Hostname. */
function mirrorFilters(mirror: Mirror | undefined): readonly JsonObject[] {
  if (mirror === undefined) return []
  const { host, port, service } = mirror
  const backendRef =
    service === undefined
      ? { group: 'networking.istio.io', kind: 'Hostname', name: host, port }
      : { name: service.name, namespace: service.namespace, port }
  return [{ type: 'RequestMirror', requestMirror: { backendRef } }]
}
