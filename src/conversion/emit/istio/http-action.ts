/** The action of a VirtualService's route. */
import { defined } from '../../../kubernetes/json.ts'
import type { HeaderChanges, HeaderEdit, Mirror, RetryPolicy } from '../../model/ingress-settings.ts'
import type { Forward, PathRewrite, Redirect, RouteBackend } from '../../model/virtual-host.ts'
import { someOf } from '../emitted-object.ts'
import { corsOf, type CorsPolicy } from './cors-policy.ts'

/** Either a redirect, or a route with all other settings. */
export type HttpAction = {
  readonly redirect?: HttpRedirect
  readonly rewrite?: HttpRewrite
  readonly route?: readonly HttpRouteDestination[]
  readonly headers?: Headers
  readonly corsPolicy?: CorsPolicy
  readonly retries?: HttpRetry
  readonly mirror?: Destination
}

export type HttpRedirect = {
  readonly scheme?: 'http' | 'https'
  readonly authority?: string
  readonly uri?: string
  readonly redirectCode: number
}

export type HttpRewrite = {
  readonly authority?: string
  readonly uriRegexRewrite?: { readonly match: string; readonly rewrite: string }
}

export type HttpRouteDestination = { readonly destination: Destination; readonly weight?: number }

export type Destination = { readonly host: string; readonly port: { readonly number: number } }

export type Headers = { readonly request?: HeaderOperations; readonly response?: HeaderOperations }

type HeaderOperations = {
  readonly set?: Readonly<Record<string, string>>
  readonly add?: Readonly<Record<string, string>>
  readonly remove?: readonly string[]
}

export type HttpRetry = {
  readonly attempts: number
  readonly retryOn?: string
  readonly perTryTimeout?: string
}

export function actionOf(action: Forward | Redirect): HttpAction {
  return action.kind === 'redirect' ? redirectOf(action) : forwardOf(action)
}

function redirectOf({ scheme, authority, path, code }: Redirect): HttpAction {
  return { redirect: defined({ scheme, authority, uri: path, redirectCode: code }) }
}

function forwardOf(action: Forward): HttpAction {
  return defined({
    rewrite: rewriteOf(action.rewrite, action.authority),
    route: routeDestinations(action.backends),
    headers: headersOf(action.headerChanges),
    corsPolicy: corsOf(action.cors),
    retries: retriesOf(action.retries),
    mirror: mirrorOf(action.mirror),
  })
}

function routeDestinations(backends: readonly RouteBackend[]): readonly HttpRouteDestination[] {
  return backends.map((backend) =>
    defined<HttpRouteDestination>({
      destination: destinationOf(backend),
      weight: backends.length > 1 ? backend.weight : undefined,
    }),
  )
}

export function destinationOf({ host, port }: RouteBackend): Destination {
  return { host, port: { number: port } }
}

/** `rewrite.uri` would replace only the matched prefix. */
function rewriteOf(rewrite: PathRewrite | undefined, authority: string | undefined): HttpRewrite | undefined {
  if (rewrite === undefined) return authority === undefined ? undefined : { authority }
  const uriRegexRewrite =
    rewrite.kind === 'regex'
      ? { match: rewrite.pattern, rewrite: rewrite.substitution }
      : { match: '^/.*$', rewrite: rewrite.path.replaceAll('\\', '\\\\') }
  return defined({ authority, uriRegexRewrite })
}

function headersOf({ request, response }: HeaderChanges): Headers | undefined {
  const [onRequest, onResponse] = [operationsOf(request), operationsOf(response)]
  if (onRequest === undefined && onResponse === undefined) return undefined
  return defined({ request: onRequest, response: onResponse })
}

function operationsOf({ set, add, remove }: HeaderEdit): HeaderOperations | undefined {
  const isEmpty = Object.keys({ ...set, ...add }).length === 0 && remove.length === 0
  if (isEmpty) return undefined
  return defined({ set: someOf(set), add: someOf(add), remove: remove.length === 0 ? undefined : remove })
}

function retriesOf(retries: RetryPolicy | undefined): HttpRetry | undefined {
  if (retries === undefined) return undefined
  const { attempts, on, perTryTimeoutSeconds: seconds } = retries
  return defined({
    attempts,
    retryOn: on === '' ? undefined : on,
    perTryTimeout: seconds === undefined ? undefined : `${seconds}s`,
  })
}

function mirrorOf(mirror: Mirror | undefined): Destination | undefined {
  return mirror && { host: mirror.host, port: { number: mirror.port } }
}
