/** Virtual hosts: hosts with their routes in the order of precedence, for either API. */
import type { CorsPolicy, HeaderChanges, Mirror, RedirectCode, RetryPolicy } from './ingress-settings.ts'

/**
 * | kind     | value   | a path matches when                                     |
 * |----------|---------|---------------------------------------------------------|
 * | exact    | `/foo`  | it is the value                                         |
 * | elements | `/foo`  | it is the value, or continues it with `/`; `/` is all   |
 * | prefix   | `/foo`  | it starts with the value, also in the middle of a word  |
 * | regex    | `/f.*`  | RE2 matches all of it                                   |
 *
 * The query string never counts.
 */
export interface PathMatch {
  readonly kind: 'exact' | 'elements' | 'prefix' | 'regex'
  readonly value: string
}

/** `name` in lower case. */
export interface HeaderMatch {
  readonly name: string
  readonly kind: 'exact' | 'regex'
  readonly value: string
}

export interface Route {
  /** Of the Ingress, `namespace/name`. */
  readonly ingress: string
  /** `spec.rules[0].http.paths[1]` */
  readonly field: string
  /** As written in the Ingress. */
  readonly path: string
  readonly match: PathMatch
  readonly headers: readonly HeaderMatch[]
  /** Plain requests are sent to https first (308). */
  readonly redirectsToHttps: boolean
  readonly action: Forward | Redirect
}

export interface Forward {
  readonly kind: 'forward'
  /** With several, the weights count. */
  readonly backends: readonly RouteBackend[]
  readonly rewrite: PathRewrite | undefined
  /** The Host header that the backend gets; undefined: the client's. */
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
 * | kind  | what is replaced                                                                    |
 * |-------|-------------------------------------------------------------------------------------|
 * | regex | what `pattern` matches, which is all of the path, by `substitution` with RE2's `\1`  |
 * | full  | all of the path, by `path`                                                          |
 */
export type PathRewrite =
  | {
      readonly kind: 'regex'
      readonly pattern: string
      readonly substitution: string
      /** The idiom `/prefix(/|$)(.*)` with `/$2`, which Gateway API can say: this prefix is cut off. */
      readonly stripsPrefix: string | undefined
    }
  | { readonly kind: 'full'; readonly path: string }

/** Undefined members keep what the client asked for. */
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
  /** The host whose certificate it uses: its own, or the host that it is an alias of. */
  readonly certificateHost: string
  /** In the order of precedence. */
  readonly routes: readonly Route[]
  /** The backend that terminates TLS; the gateway only reads the server name. */
  readonly passthrough: RouteBackend | undefined
  /** Annotations of external-dns, for the object that has the host. */
  readonly dnsAnnotations: Readonly<Record<string, string>>
  /** The name of the first Ingress that has it: objects are named after it, and lines about the host go to it. */
  readonly ingressName: string
}

/** Returns the id of the Ingress that lines about the host go to. */
export function ownerOf({ namespace, ingressName }: VirtualHost): string {
  return `${namespace}/${ingressName}`
}
