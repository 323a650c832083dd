/**
 * How Envoy answers a request from a gateway's configuration: listener, filter chain by SNI, virtual host by the most
 * specific domain, first route that matches, then rewrite or redirect. Written from Envoy's documentation and from what
 * Istio programs (istio/istio pilot/pkg/networking/core/{gateway.go,route/route.go}); hack/conversion/test holds it
 * against a real Envoy. What it cannot answer faithfully it throws on: a simulator that guesses proves nothing.
 */
import { fullMatch, substitute } from './re2.ts'

export interface RoutedRequest {
  readonly host: string
  /** With its query, if any. */
  readonly path: string
  readonly port?: number
  /** Of the TLS connection, where it is not the host: browsers reuse a connection for other hosts of its certificate. */
  readonly serverName?: string
  readonly method?: string
  /** Keys in lower case. */
  readonly headers?: Readonly<Record<string, string>>
}

export type Answer =
  | BackendAnswer
  | { readonly kind: 'redirect'; readonly code: number; readonly location: string }
  /** Envoy's own answer: 404 without a route, 500 for a backend that is not there. */
  | { readonly kind: 'status'; readonly code: number }
  /** The connection, or the TLS handshake, is refused. */
  | { readonly kind: 'no-listener' }

export interface BackendAnswer {
  readonly kind: 'backend'
  /** More than one where requests are split. */
  readonly to: readonly WeightedBackend[]
  /** The path, with its query, that the backend sees. Absent for TLS passthrough. */
  readonly upstreamPath?: string
  /** The host that the backend sees, where the route changes it. */
  readonly authority?: string
  readonly requestHeaders: HeaderChange
  readonly responseHeaders: HeaderChange
  /** In the shape of a VirtualService's `corsPolicy`. */
  readonly cors: unknown
}

export interface WeightedBackend {
  /** `service.namespace.svc.cluster.local:port` */
  readonly to: string
  readonly weight: number
}

export interface HeaderChange {
  readonly set: Readonly<Record<string, string>>
  readonly add: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

export type PathMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'prefix'; readonly value: string }
  /** Envoy's `path_separated_prefix`: whole path elements. */
  | { readonly kind: 'elements'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }

export interface ValueMatch {
  readonly name: string
  readonly match: { readonly kind: 'exact' | 'prefix' | 'regex' | 'present'; readonly value: string }
  readonly isInverted: boolean
}

export interface Forward {
  readonly kind: 'forward'
  readonly to: readonly WeightedBackend[]
  readonly prefixRewrite?: string | undefined
  readonly regexRewrite?: { readonly match: string; readonly rewrite: string } | undefined
  readonly authority?: string | undefined
  readonly requestHeaders: HeaderChange
  readonly responseHeaders: HeaderChange
  readonly cors: unknown
}

export interface Redirect {
  readonly kind: 'redirect'
  readonly code: number
  readonly scheme?: string | undefined
  readonly authority?: string | undefined
  readonly port?: number | undefined
  /** Replaces the whole path. */
  readonly path?: string | undefined
  readonly prefixRewrite?: string | undefined
}

export interface Route {
  readonly path: PathMatch
  readonly ignoresCase: boolean
  readonly headers: readonly ValueMatch[]
  readonly query: readonly ValueMatch[]
  readonly method: ValueMatch | undefined
  readonly action: Forward | Redirect | { readonly kind: 'direct'; readonly code: number }
}

export interface VirtualHost {
  routes: readonly Route[]
  redirectsAllToTls: boolean
}

/** A plain listener has one chain without SNI; a TLS listener has one for each server. */
export interface FilterChain {
  readonly sniHosts: readonly string[] | undefined
  readonly virtualHosts: ReadonlyMap<string, VirtualHost>
  readonly passthrough?: readonly WeightedBackend[]
}

export interface Listener {
  readonly port: number
  readonly chains: readonly FilterChain[]
}

export function answer(listeners: readonly Listener[], request: RoutedRequest): Answer {
  const port = request.port ?? 80
  const listener = listeners.find((candidate) => candidate.port === port)
  const host = request.host.toLowerCase().replace(/:\d+$/, '')
  const chain = listener === undefined ? undefined : chainFor(listener, request.serverName ?? host)
  if (chain === undefined) return { kind: 'no-listener' }
  if (chain.passthrough !== undefined) return passedThrough(chain.passthrough)
  const isTls = chain.sniHosts !== undefined
  const virtualHost = chain.virtualHosts.get(mostSpecific([...chain.virtualHosts.keys()], host) ?? '')
  if (virtualHost === undefined) return { kind: 'status', code: 404 }
  if (virtualHost.redirectsAllToTls && !isTls)
    return { kind: 'redirect', code: 301, location: `https://${host}${request.path}` }
  const route = virtualHost.routes.find((candidate) => matches(candidate, request))
  return act(route, request, isTls)
}

function chainFor(listener: Listener, host: string): FilterChain | undefined {
  const plain = listener.chains.find((chain) => chain.sniHosts === undefined)
  if (plain !== undefined) return plain
  const sni = mostSpecific(
    listener.chains.flatMap((chain) => chain.sniHosts ?? []),
    host,
  )
  return sni === undefined ? undefined : listener.chains.find((chain) => chain.sniHosts?.includes(sni))
}

/** The domain that Envoy takes: the exact one, else the longest `*.suffix`, else `*`. */
export function mostSpecific(domains: readonly string[], host: string): string | undefined {
  if (domains.includes(host)) return host
  return domains
    .filter((domain) => domain.startsWith('*') && host.endsWith(domain.slice(1)) && host.length > domain.length - 1)
    .toSorted((left, right) => right.length - left.length)[0]
}

function passedThrough(to: readonly WeightedBackend[]): BackendAnswer {
  return { kind: 'backend', to, requestHeaders: NO_CHANGE, responseHeaders: NO_CHANGE, cors: undefined }
}

export const NO_CHANGE: HeaderChange = { set: {}, add: {}, remove: [] }

function matches(route: Route, request: RoutedRequest): boolean {
  const [path, query] = splitQuery(request.path)
  const parameters = new URLSearchParams(query)
  const headers: Readonly<Record<string, string>> = { host: request.host, ...request.headers }
  return (
    matchesPath(route, path) &&
    (route.method === undefined || matchesValue(route.method, request.method ?? 'GET')) &&
    route.headers.every((header) => matchesValue(header, headers[header.name.toLowerCase()])) &&
    route.query.every((parameter) => matchesValue(parameter, parameters.get(parameter.name) ?? undefined))
  )
}

function matchesPath({ path: { kind, value }, ignoresCase }: Route, path: string): boolean {
  if (kind === 'regex') return fullMatch(value, path)
  const [wanted, given] = ignoresCase ? [value.toLowerCase(), path.toLowerCase()] : [value, path]
  switch (kind) {
    case 'exact':
      return given === wanted
    case 'prefix':
      return given.startsWith(wanted)
    case 'elements':
      return given === wanted || given.startsWith(`${wanted}/`)
  }
}

function matchesValue({ match: { kind, value }, isInverted }: ValueMatch, given: string | undefined): boolean {
  if (given === undefined) return isInverted
  const isMatch =
    kind === 'present' ||
    (kind === 'exact' && given === value) ||
    (kind === 'prefix' && given.startsWith(value)) ||
    (kind === 'regex' && fullMatch(value, given))
  return isMatch !== isInverted
}

function act(route: Route | undefined, request: RoutedRequest, isTls: boolean): Answer {
  if (route === undefined) return { kind: 'status', code: 404 }
  const { action, path } = route
  if (action.kind === 'direct') return { kind: 'status', code: action.code }
  if (action.kind === 'redirect')
    return { kind: 'redirect', code: action.code, location: location(action, path, request, isTls) }
  if (action.to.length === 0) return { kind: 'status', code: 500 }
  return {
    kind: 'backend',
    to: action.to,
    upstreamPath: rewritten(action, path, request.path),
    ...(action.authority === undefined ? {} : { authority: action.authority }),
    requestHeaders: action.requestHeaders,
    responseHeaders: action.responseHeaders,
    cors: action.cors,
  }
}

/** Only the path is rewritten; the query follows it. */
function rewritten({ prefixRewrite, regexRewrite }: Forward, match: PathMatch, whole: string): string {
  const [path, query] = splitQuery(whole)
  if (regexRewrite !== undefined) return substitute(regexRewrite.match, path, regexRewrite.rewrite) + query
  return prefixRewrite === undefined ? whole : replacePrefix(match, path, prefixRewrite) + query
}

/** What the route matched is replaced: all of the path for an exact or a regular expression. */
function replacePrefix({ kind, value }: PathMatch, path: string, replacement: string): string {
  return kind === 'prefix' || kind === 'elements' ? replacement + path.slice(value.length) : replacement
}

/** Envoy's `newUri`: a path given with a query keeps that one, else the request's query follows. */
function location(redirect: Redirect, match: PathMatch, request: RoutedRequest, isTls: boolean): string {
  const [path, query] = splitQuery(request.path)
  const scheme = redirect.scheme ?? (isTls ? 'https' : 'http')
  const host = redirect.authority ?? request.host
  const port = redirect.port === undefined ? '' : `:${redirect.port}`
  const to =
    redirect.path ?? (redirect.prefixRewrite === undefined ? path : replacePrefix(match, path, redirect.prefixRewrite))
  return `${scheme}://${host}${port}${to}${to.includes('?') ? '' : query}`
}

/** The path, and `?query` or nothing. */
function splitQuery(path: string): readonly [string, string] {
  const index = path.indexOf('?')
  return index === -1 ? [path, ''] : [path.slice(0, index), path.slice(index)]
}
