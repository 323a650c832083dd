/** Virtual hosts: hosts with their routes by precedence, for both APIs. */
import type { PathMatch } from './path-match.ts'
import type { PrefixRewrite } from './rewrite-idiom.ts'
import type { CorsPolicy, HeaderChanges, HeaderMatch, Mirror, RedirectCode, RetryPolicy } from './ingress-settings.ts'

export type { PathMatch, PrefixRewrite }
export type { HeaderMatch } from './ingress-settings.ts'

export interface Route {
  /** The Ingress' `namespace/name`. */
  readonly ingress: string
  /** `spec.rules[0].http.paths[1]` */
  readonly field: string
  /** As written in the Ingress. */
  readonly path: string
  readonly match: PathMatch
  readonly headers: readonly HeaderMatch[]
  /** The methods of requests, in upper case; undefined for any. */
  readonly methods?: readonly string[]
  /** Plain requests are redirected to https (308). */
  readonly redirectsToHttps: boolean
  readonly action: Forward | Redirect
  /** Its place among the routes does not follow from its path. */
  readonly isPlaced?: true
  /** A path that is marked as a regular expression, which goes before others (F5, Kong). */
  readonly expression?: ExpressionOrder
}

export interface ExpressionOrder {
  /** The highest goes first. */
  readonly priority: number
  /** Equal ones are in the order of the Ingress; otherwise the longest goes first. */
  readonly isAsWritten: boolean
}

export interface Forward {
  readonly kind: 'forward'
  /** Weights apply if there are several. */
  readonly backends: readonly RouteBackend[]
  readonly rewrite: PathRewrite | undefined
  /** The Host header for the backend; undefined means the client's. */
  readonly authority: string | undefined
  readonly cors: CorsPolicy | undefined
  readonly headerChanges: HeaderChanges
  readonly retries: RetryPolicy | undefined
  readonly mirror: Mirror | undefined
  /** The backend speaks gRPC, for which Gateway API has a separate route kind. */
  readonly isGrpc: boolean
}

export interface RouteBackend {
  readonly namespace: string
  readonly service: string
  /** `web.shop.svc.cluster.local` */
  readonly host: string
  readonly port: number
  readonly weight: number
}

/**
 * | kind  | replacement                                                                        |
 * |-------|------------------------------------------------------------------------------------|
 * | regex | `pattern` matches the whole path, `substitution` replaces it, with RE2's `\1`      |
 * | full  | `path` replaces the whole path                                                     |
 */
export type PathRewrite =
  | {
      readonly kind: 'regex'
      readonly pattern: string
      readonly substitution: string
      /** The prefix that is replaced, if that is all the rewrite does. Gateway API supports no other expression. */
      readonly ofPrefix: PrefixRewrite | undefined
    }
  | { readonly kind: 'full'; readonly path: string }

/** Undefined members keep the client's value. */
export interface Redirect {
  readonly kind: 'redirect'
  readonly scheme: 'http' | 'https' | undefined
  readonly authority: string | undefined
  readonly path: string | undefined
  readonly code: RedirectCode
}

export interface VirtualHost {
  readonly namespace: string
  readonly host: string
  /** The host whose certificate is used: its own, or that of the host it is an alias of. */
  readonly certificateHost: string
  /** By precedence. If TLS is passed through, only those of plain requests. */
  readonly routes: readonly Route[]
  /** The VirtualService of the host in another namespace has these routes, because their order matters. */
  readonly isPrintedElsewhere?: true
  /** The backend that terminates TLS; the gateway only reads the server name. */
  readonly passthrough: RouteBackend | undefined
  /** Annotations of external-dns, for the object that contains the host. */
  readonly dnsAnnotations: Readonly<Record<string, string>>
  /**
   * The name of the first Ingress with this host. Objects are named after it, and report lines about the host refer to
   * it.
   */
  readonly ingressName: string
}

/** Returns the id of the Ingress for report lines about the host. */
export function ownerOf({ namespace, ingressName }: VirtualHost): string {
  return `${namespace}/${ingressName}`
}
