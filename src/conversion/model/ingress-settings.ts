/** The settings of one Ingress, from any controller's annotations. An absent member means no setting. */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { PathMatch } from './path-match.ts'
import type { ServiceName } from './service-host.ts'

export interface IngressSettings {
  /** An annotation that cannot be converted and without which every route would be wrong, so no route is generated. */
  readonly blockedBy?: string
  /** Every path of the host is a regular expression (ingress-nginx); a rewritten path implies it. */
  readonly usesRegex?: boolean
  /** As written: `/$2`. */
  readonly rewriteTarget?: string
  /** The part of the path that the rule matches is removed before the backend sees it (Kong). */
  readonly stripsPath?: boolean
  /** Which of the Ingress' paths that are regular expressions go before others, the highest first (Kong). */
  readonly regexPriority?: number
  /** What nginx puts in the place of the path, by Service (F5). */
  readonly prefixesOf?: ReadonlyMap<string, string>
  /** Prefixes that are removed from the path (Traefik). */
  readonly strippedPrefixes?: readonly string[]
  /** A replacement in the path, by an expression of RE2 with its `\\1` (Traefik). */
  readonly pathReplacement?: { readonly pattern: string; readonly substitution: string }
  /** Conditions on request headers for every path. */
  readonly headerMatches?: readonly HeaderMatch[]
  /** The methods of the requests that every path is for, in upper case. */
  readonly methods?: readonly string[]
  /** The paths are regular expressions that match from the start, regardless of other Ingresses of the host (F5). */
  readonly pathExpressions?: 'case-sensitive' | 'case-insensitive' | 'exact'
  /** All paths redirect. */
  readonly redirect?: RedirectTarget
  /** Redirects of single paths, the first one first. */
  readonly pathRedirects?: readonly PathRedirect[]
  /** Redirects of single hosts, by host. */
  readonly hostRedirects?: ReadonlyMap<string, RedirectTarget>
  /** The target of redirects from `/`. */
  readonly appRoot?: string
  /** Plain requests to hosts with TLS redirect to https; undefined means the controller's default. */
  readonly redirectsToHttps?: boolean
  /** An annotation requests that redirect for every host, with or without TLS. */
  readonly redirectsEveryHost?: boolean
  /** TLS ends in front of the gateway, which serves only plain HTTP. */
  readonly isTlsOffloaded?: boolean
  /** The same redirect, based on `x-forwarded-proto`. */
  readonly redirectsForwardedHttp?: boolean
  /** The host with or without `www.` redirects here. */
  readonly redirectsWww?: boolean
  readonly aliases?: readonly string[]
  readonly authority?: string
  readonly cors?: CorsPolicy
  readonly headerChanges?: HeaderChanges
  /** `x-forwarded-prefix` of requests whose path is rewritten. */
  readonly forwardedPrefix?: string
  readonly retries?: RetryPolicy
  readonly mirror?: Mirror
  readonly canary?: Canary
  readonly isPassthrough?: boolean
  readonly isGrpc?: boolean
  readonly clientCertificate?: ClientCertificate
  /** How the gateway connects to every backend. */
  readonly connection?: ConnectionPolicy
  readonly allowedSources?: readonly string[]
  readonly deniedSources?: readonly string[]
  readonly externalAuth?: ExternalAuth
  readonly certificate?: CertificateRequest
  /** Members of the Certificate's `spec` other than names and issuer. */
  readonly certificateSpec?: JsonObject
  readonly certificateAnnotations?: Readonly<Record<string, string>>
  /** For the object that contains the hosts. */
  readonly dnsAnnotations?: Readonly<Record<string, string>>
  readonly gatewayAnnotations?: Readonly<Record<string, string>>
  /** Actions of paths whose backend names an annotation instead of a Service, by field. */
  readonly backendActions?: ReadonlyMap<string, BackendAction>
}

/** `name` is in lower case. */
export interface HeaderMatch {
  readonly name: string
  readonly kind: 'exact' | 'regex'
  readonly value: string
}

/**
 * | kind      | the path                                                                |
 * |-----------|-------------------------------------------------------------------------|
 * | redirect  | answers with a redirect                                                 |
 * | elsewhere | has no route, because the action happens in front of the gateway        |
 * | problem   | has no route, because the annotation is missing or not supported        |
 */
export type BackendAction =
  | { readonly kind: 'redirect'; readonly target: RedirectTarget }
  | { readonly kind: 'elsewhere'; readonly message: string }
  | { readonly kind: 'problem'; readonly problem: string }

/**
 * The status codes of Istio's redirects; it refuses any other
 * (https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRedirect).
 */
export type RedirectCode = 301 | 302 | 303 | 307 | 308

/** Undefined members keep the client's value. */
export interface RedirectTarget {
  readonly scheme: 'http' | 'https' | undefined
  readonly authority: string | undefined
  readonly path: string | undefined
  readonly code: RedirectCode
}

/**
 * | place    | the redirect applies to                                               |
 * |----------|-----------------------------------------------------------------------|
 * | server   | every request of the host, before any path                            |
 * | location | requests that reach a path of the Ingress                             |
 */
export interface PathRedirect {
  readonly place: 'server' | 'location'
  readonly match: PathMatch
  readonly target: RedirectTarget
}

export interface CorsPolicy {
  /** As written: `*` for any origin, `https://*.example.com` for one more label. */
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposed: readonly string[]
  readonly allowsCredentials: boolean
  readonly maxAgeSeconds: number
}

export interface HeaderChanges {
  readonly request: HeaderEdit
  readonly response: HeaderEdit
}

/** Names are in lower case. */
export interface HeaderEdit {
  /** Replaces the header. */
  readonly set: Readonly<Record<string, string>>
  /** Adds a header to an existing one. */
  readonly add: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

const NO_EDIT: HeaderEdit = { set: {}, add: {}, remove: [] }

export const NO_HEADER_CHANGES: HeaderChanges = { request: NO_EDIT, response: NO_EDIT }

export interface RetryPolicy {
  readonly attempts: number
  /** Conditions in Istio's and Envoy's terms: `connect-failure,5xx`. */
  readonly on: string
  readonly perTryTimeoutSeconds: number | undefined
}

export interface Mirror {
  readonly host: string
  readonly port: number
  /** The Service of `host`; undefined for a host outside the cluster, which needs a ServiceEntry. */
  readonly service: ServiceName | undefined
  readonly usesTls: boolean
}

/** Header first, then cookie, then weight (ingress-nginx). */
export interface Canary {
  readonly header:
    { readonly name: string; readonly value: string | undefined; readonly pattern: string | undefined } | undefined
  readonly cookie: string | undefined
  readonly weight: number
  readonly weightTotal: number
}

/** Whether no request reaches the canary. */
export function isIdle({ header, cookie, weight }: Canary): boolean {
  return header === undefined && cookie === undefined && weight === 0
}

export interface ClientCertificate {
  /** `namespace/name` of the secret with `ca.crt`. */
  readonly secret: string
  readonly isOptional: boolean
}

export interface ConnectionPolicy {
  readonly connectTimeoutSeconds?: number
  readonly tls?: BackendTls
  readonly hash?: ConsistentHash
  readonly balancer?: 'ROUND_ROBIN' | 'LEAST_REQUEST'
}

export interface BackendTls {
  readonly verifies: boolean
  /** For SNI and certificate verification; undefined disables both. */
  readonly serverName: string | undefined
  /** `namespace/name` of the secret with `ca.crt` and the client certificate. */
  readonly secret: string | undefined
}

export type ConsistentHash =
  | { readonly kind: 'cookie'; readonly name: string; readonly path: string | undefined; readonly ttlSeconds: number }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'source-ip' }
  | { readonly kind: 'query'; readonly name: string }

export interface ExternalAuth {
  readonly host: string
  /** The host is outside the cluster, so it needs a ServiceEntry. */
  readonly isExternal: boolean
  readonly port: number
  readonly path: string
  readonly usesTls: boolean
}

/** A cert-manager Certificate for each TLS entry (https://cert-manager.io/docs/usage/certificate/). */
export interface CertificateRequest {
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string | undefined }
}
