/** The settings of one Ingress, from the annotations of any controller. An absent member asks for nothing. */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { ServiceName } from './service-host.ts'

export interface IngressSettings {
  /** An annotation that cannot be converted and without which every route would be wrong, so no route is generated. */
  readonly blockedBy?: string
  /** Every path of the host is a regular expression (ingress-nginx); a path that is rewritten makes it so as well. */
  readonly usesRegex?: boolean
  /** As written: `/$2`. */
  readonly rewriteTarget?: string
  /** All paths answer with a redirect. */
  readonly redirect?: RedirectTarget
  /** The same for one host, by its name. */
  readonly hostRedirects?: ReadonlyMap<string, RedirectTarget>
  /** Where `/` redirects to. */
  readonly appRoot?: string
  /** Plain requests to hosts with TLS go to https; the controller's own default where undefined. */
  readonly redirectsToHttps?: boolean
  /** An annotation asks for that redirect on every host, with TLS or without. */
  readonly redirectsEveryHost?: boolean
  /** TLS ends in front of the gateway, which serves plain HTTP only. */
  readonly isTlsOffloaded?: boolean
  /** The same redirect, known by `x-forwarded-proto`. */
  readonly redirectsForwardedHttp?: boolean
  /** The host with or without `www.` redirects here. */
  readonly redirectsWww?: boolean
  readonly aliases?: readonly string[]
  readonly authority?: string
  readonly cors?: CorsPolicy
  readonly headerChanges?: HeaderChanges
  /** `x-forwarded-prefix` of the requests whose path is rewritten. */
  readonly forwardedPrefix?: string
  readonly retries?: RetryPolicy
  readonly mirror?: Mirror
  readonly canary?: Canary
  readonly isPassthrough?: boolean
  readonly isGrpc?: boolean
  readonly clientCertificate?: ClientCertificate
  /** For every backend: how the gateway connects to it. */
  readonly connection?: ConnectionPolicy
  readonly allowedSources?: readonly string[]
  readonly deniedSources?: readonly string[]
  readonly externalAuth?: ExternalAuth
  readonly rateLimit?: RateLimit
  readonly certificate?: CertificateRequest
  /** Members of the Certificate's `spec` besides names and issuer. */
  readonly certificateSpec?: JsonObject
  readonly certificateAnnotations?: Readonly<Record<string, string>>
  /** On the object that carries the hosts. */
  readonly dnsAnnotations?: Readonly<Record<string, string>>
  readonly gatewayAnnotations?: Readonly<Record<string, string>>
  /** By the field of a path: what it does where its backend names an annotation instead of a Service. */
  readonly backendActions?: ReadonlyMap<string, BackendAction>
}

/**
 * | kind      | the path                                                                |
 * |-----------|-------------------------------------------------------------------------|
 * | redirect  | answers with a redirect                                                 |
 * | elsewhere | has no route, because what it asks for happens in front of the gateway  |
 * | problem   | has no route, because the annotation is missing or not supported        |
 */
export type BackendAction =
  | { readonly kind: 'redirect'; readonly target: RedirectTarget }
  | { readonly kind: 'elsewhere'; readonly message: string }
  | { readonly kind: 'problem'; readonly problem: string }

/**
 * The status codes that Istio can redirect with; it refuses any other
 * (https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRedirect).
 */
export type RedirectCode = 301 | 302 | 303 | 307 | 308

/** Undefined members keep what the client asked for. */
export interface RedirectTarget {
  readonly scheme: 'http' | 'https' | undefined
  readonly authority: string | undefined
  readonly path: string | undefined
  readonly code: RedirectCode
}

export interface CorsPolicy {
  /** As written: `*` for any, `https://*.example.com` for one more label. */
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
  /** Is sent beside the header that is there. */
  readonly add: Readonly<Record<string, string>>
  readonly remove: readonly string[]
}

const NO_EDIT: HeaderEdit = { set: {}, add: {}, remove: [] }

export const NO_HEADER_CHANGES: HeaderChanges = { request: NO_EDIT, response: NO_EDIT }

export interface RetryPolicy {
  readonly attempts: number
  /** Istio's and Envoy's words, `connect-failure,5xx`. */
  readonly on: string
  readonly perTryTimeoutSeconds: number | undefined
}

export interface Mirror {
  readonly host: string
  readonly port: number
  /** The Service that `host` names; undefined for a host outside the cluster, which needs a ServiceEntry. */
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

/** Nothing sends a request to it. */
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
  /** For SNI and the certificate; undefined: not sent, not checked. */
  readonly serverName: string | undefined
  /** `namespace/name` of the secret with `ca.crt` and the client's certificate. */
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
  /** In lower case. */
  readonly responseHeaders: readonly string[]
}

export interface RateLimit {
  readonly requests: number
  readonly perSeconds: number
  readonly burst: number
}

/** A cert-manager Certificate for each TLS entry (https://cert-manager.io/docs/usage/certificate/). */
export interface CertificateRequest {
  readonly issuer: { readonly name: string; readonly kind: string; readonly group: string | undefined }
}
