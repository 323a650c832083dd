/** The VirtualService of a host. */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import type { CorsPolicy, HeaderChanges, HeaderEdit, Mirror, RetryPolicy } from '../../model/ingress-settings.ts'
import { hostName } from '../../model/object-names.ts'
import { escapeRegex } from '../../model/regular-expression.ts'
import type {
  Forward,
  HeaderMatch,
  PathMatch,
  PathRewrite,
  Redirect,
  Route,
  RouteBackend,
  VirtualHost,
} from '../../model/virtual-host.ts'

/** `gateways` have the form `namespace/name`. */
export function virtualServiceObject(virtualHost: VirtualHost, gateways: readonly string[]): JsonObject {
  const { namespace, host, ingressName, dnsAnnotations } = virtualHost
  const annotations = Object.keys(dnsAnnotations).length === 0 ? {} : { annotations: dnsAnnotations }
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: hostName(ingressName, host), namespace, ...annotations },
    spec: { hosts: [host], gateways, ...routesOf(virtualHost) },
  }
}

function routesOf({ host, routes, passthrough }: VirtualHost): JsonObject {
  if (passthrough !== undefined)
    return {
      tls: [{ match: [{ port: 443, sniHosts: [host] }], route: [{ destination: destinationOf(passthrough) }] }],
    }
  return { http: withHttpsRedirects(routes) }
}

/** If every route redirects, one entry does it for all; otherwise each redirecting route gets its own entry before it. */
function withHttpsRedirects(routes: readonly Route[]): readonly JsonObject[] {
  const plain = routes.map((route) => httpRoute(route))
  if (routes.every(({ redirectsToHttps }) => !redirectsToHttps)) return plain
  if (routes.every(({ redirectsToHttps }) => redirectsToHttps))
    return [{ name: 'https-redirect', match: [{ port: 80 }], ...TO_HTTPS }, ...plain]
  return routes.flatMap((route, index) => {
    const own = plain[index] ?? {}
    if (!route.redirectsToHttps) return [own]
    return [{ match: matchesOf(route).map((match) => ({ ...match, port: 80 })), ...TO_HTTPS }, own]
  })
}

/** `httpsRedirect` of a Gateway would answer 301 for every path, even ACME's (docs/facts/istio-gateway.md#https-redirect). */
const TO_HTTPS = { redirect: { scheme: 'https', redirectCode: 308 } }

function httpRoute(route: Route): JsonObject {
  const match = matchesOf(route)
  return { match, ...(route.action.kind === 'redirect' ? redirectOf(route.action) : forwardOf(route.action)) }
}

function matchesOf({ match, headers }: Route): readonly JsonObject[] {
  const byHeader = headers.length === 0 ? {} : { headers: Object.fromEntries(headers.map(headerMatch)) }
  return uriMatches(match).map((uri) => ({ uri, ...byHeader }))
}

/** `prefix: /foo` also matches `/foobar`, so whole elements take two matches (docs/facts/istio-gateway.md#path-types). */
function uriMatches({ kind, value }: PathMatch): readonly JsonObject[] {
  if (kind !== 'elements') return [{ [kind]: value }]
  return value === '/' ? [{ prefix: '/' }] : [{ exact: value }, { prefix: `${value}/` }]
}

function headerMatch({ name, kind, value }: HeaderMatch): readonly [string, JsonObject] {
  return [name, { [kind]: value }]
}

function redirectOf({ scheme, authority, path, code }: Redirect): JsonObject {
  return { redirect: defined({ scheme, authority, uri: path, redirectCode: code }) }
}

function forwardOf(action: Forward): JsonObject {
  return defined({
    rewrite: rewriteOf(action.rewrite, action.authority),
    route: action.backends.map((backend) => ({
      destination: destinationOf(backend),
      ...(action.backends.length > 1 ? { weight: backend.weight } : {}),
    })),
    headers: headersOf(action.headerChanges),
    corsPolicy: corsOf(action.cors),
    retries: retriesOf(action.retries),
    ...mirrorOf(action.mirror),
  })
}

function destinationOf({ host, port }: RouteBackend): JsonObject {
  return { host, port: { number: port } }
}

/** `rewrite.uri` would replace the matched prefix only. */
function rewriteOf(rewrite: PathRewrite | undefined, authority: string | undefined): JsonObject | undefined {
  if (rewrite === undefined) return authority === undefined ? undefined : { authority }
  const regex =
    rewrite.kind === 'regex'
      ? { match: rewrite.pattern, rewrite: rewrite.substitution }
      : { match: '^/.*$', rewrite: rewrite.path.replaceAll('\\', '\\\\') }
  return defined({ authority, uriRegexRewrite: regex })
}

function headersOf({ request, response }: HeaderChanges): JsonObject | undefined {
  const sides = Object.entries({ request, response }).flatMap(([side, edit]) => {
    const printed = headerEdit(edit)
    return printed === undefined ? [] : [[side, printed] as const]
  })
  return sides.length === 0 ? undefined : Object.fromEntries(sides)
}

function headerEdit({ set, add, remove }: HeaderEdit): JsonObject | undefined {
  const parts = defined({
    set: Object.keys(set).length === 0 ? undefined : set,
    add: Object.keys(add).length === 0 ? undefined : add,
    remove: remove.length === 0 ? undefined : remove,
  })
  return Object.keys(parts).length === 0 ? undefined : parts
}

function corsOf(cors: CorsPolicy | undefined): JsonObject | undefined {
  if (cors === undefined) return undefined
  return defined({
    allowOrigins: cors.origins.map(originMatch),
    allowMethods: cors.methods,
    allowHeaders: cors.headers,
    exposeHeaders: cors.exposed.length === 0 ? undefined : cors.exposed,
    allowCredentials: cors.allowsCredentials,
    maxAge: `${cors.maxAgeSeconds}s`,
  })
}

function originMatch(origin: string): JsonObject {
  if (origin === '*') return { regex: '.*' }
  return origin.includes('*') ? { regex: origin.split('*').map(escapeRegex).join('[^.]+') } : { exact: origin }
}

function retriesOf(retries: RetryPolicy | undefined): JsonObject | undefined {
  if (retries === undefined) return undefined
  const { attempts, on, perTryTimeoutSeconds: seconds } = retries
  return defined({
    attempts,
    retryOn: on === '' ? undefined : on,
    perTryTimeout: seconds === undefined ? undefined : `${seconds}s`,
  })
}

function mirrorOf(mirror: Mirror | undefined): JsonObject {
  return mirror === undefined ? {} : { mirror: { host: mirror.host, port: { number: mirror.port } } }
}
