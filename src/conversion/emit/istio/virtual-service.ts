/** The VirtualService of a host. */
import { defined } from '../../../kubernetes/json.ts'
import { hostName } from '../../model/object-names.ts'
import type { HeaderMatch, PathMatch, Route, RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { someOf, type ObjectMetadata } from '../emitted-object.ts'
import { actionOf, destinationOf, type Destination, type HttpAction } from './http-action.ts'

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/ */
export type VirtualService = {
  readonly apiVersion: 'networking.istio.io/v1'
  readonly kind: 'VirtualService'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly hosts: readonly string[]
    readonly gateways: readonly string[]
    readonly tls?: readonly TlsRoute[]
    readonly http?: readonly HttpRoute[]
  }
}

export type HttpRoute = HttpAction & {
  readonly name?: string
  readonly match: readonly HttpMatch[]
}

export type HttpMatch = {
  readonly uri?: StringMatch
  readonly headers?: Readonly<Record<string, StringMatch>>
  readonly method?: StringMatch
  readonly port?: number
}

export type StringMatch = { readonly exact: string } | { readonly prefix: string } | { readonly regex: string }

export type TlsRoute = {
  readonly match: readonly { readonly port: number; readonly sniHosts: readonly string[] }[]
  readonly route: readonly { readonly destination: Destination }[]
}

/** `gateways` are names such as `namespace/name`. */
export function virtualServiceObject(virtualHost: VirtualHost, gateways: readonly string[]): VirtualService {
  const { namespace, host, ingressName, dnsAnnotations, passthrough, routes } = virtualHost
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: defined({ name: hostName(ingressName, host), namespace, annotations: someOf(dnsAnnotations) }),
    spec: defined({
      hosts: [host],
      gateways,
      tls: passthrough === undefined ? undefined : [tlsRoute(host, passthrough)],
      http: routes.length === 0 ? undefined : withHttpsRedirects(routes),
    }),
  }
}

function tlsRoute(host: string, backend: RouteBackend): TlsRoute {
  return { match: [{ port: 443, sniHosts: [host] }], route: [{ destination: destinationOf(backend) }] }
}

/**
 * If every route redirects, one entry redirects them all; otherwise each redirecting route gets an entry before its
 * own.
 */
function withHttpsRedirects(routes: readonly Route[]): readonly HttpRoute[] {
  const isRedirected = ({ redirectsToHttps }: Route) => redirectsToHttps
  if (routes.length > 0 && routes.every(isRedirected))
    return [{ name: 'https-redirect', match: [{ port: 80 }], ...TO_HTTPS }, ...routes.map(httpRoute)]
  return routes.flatMap((route) =>
    isRedirected(route) ? [httpsRedirect(route), httpRoute(route)] : [httpRoute(route)],
  )
}

/**
 * `httpsRedirect` of a Gateway would answer 301 for every path, even ACME's
 * (docs/facts/istio-gateway.md#https-redirect).
 */
const TO_HTTPS: HttpAction = { redirect: { scheme: 'https', redirectCode: 308 } }

function httpsRedirect(route: Route): HttpRoute {
  return { match: matchesOf(route).map((match) => ({ ...match, port: 80 })), ...TO_HTTPS }
}

function httpRoute(route: Route): HttpRoute {
  return { match: matchesOf(route), ...actionOf(route.action) }
}

function matchesOf({ match, headers, methods }: Route): readonly HttpMatch[] {
  const byHeader = headers.length === 0 ? undefined : Object.fromEntries(headers.map(headerMatch))
  const method = methods && methodMatch(methods)
  return uriMatches(match).map((uri) => defined<HttpMatch>({ uri, headers: byHeader, method }))
}

function methodMatch([first = '', ...further]: readonly string[]): StringMatch {
  return further.length === 0 ? { exact: first } : { regex: [first, ...further].join('|') }
}

/**
 * `prefix: /foo` also matches `/foobar`, so whole elements take two matches (docs/facts/istio-gateway.md#path-types).
 */
function uriMatches({ kind, value }: PathMatch): readonly StringMatch[] {
  switch (kind) {
    case 'exact':
      return [{ exact: value }]
    case 'prefix':
      return [{ prefix: value }]
    case 'regex':
      return [{ regex: value }]
    case 'elements':
      return value === '/' ? [{ prefix: '/' }] : [{ exact: value }, { prefix: `${value}/` }]
  }
}

function headerMatch({ name, kind, value }: HeaderMatch): readonly [string, StringMatch] {
  return [name, kind === 'exact' ? { exact: value } : { regex: value }]
}
