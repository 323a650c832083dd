/** The filters of an HTTPRoute, which change requests and responses. */
import { defined } from '../../../kubernetes/json.ts'
import type { CorsPolicy, HeaderChanges, HeaderEdit, Mirror } from '../../model/ingress-settings.ts'
import type { Forward, Redirect } from '../../model/virtual-host.ts'
import type { ApiMatch } from './route-matches.ts'
import type { BackendRef } from './route-object.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter */
export type HttpRouteFilter =
  | { readonly type: 'RequestRedirect'; readonly requestRedirect: RequestRedirect }
  | { readonly type: 'URLRewrite'; readonly urlRewrite: UrlRewrite }
  | { readonly type: 'RequestHeaderModifier'; readonly requestHeaderModifier: HeaderModifier }
  | { readonly type: 'ResponseHeaderModifier'; readonly responseHeaderModifier: HeaderModifier }
  | { readonly type: 'CORS'; readonly cors: CorsFilter }
  | { readonly type: 'RequestMirror'; readonly requestMirror: { readonly backendRef: BackendRef } }

type RequestRedirect = {
  readonly scheme?: 'http' | 'https'
  readonly hostname?: string
  readonly port?: number
  readonly path?: PathModifier
  readonly statusCode: number
}

type UrlRewrite = { readonly hostname?: string; readonly path?: PathModifier }

type PathModifier =
  | { readonly type: 'ReplaceFullPath'; readonly replaceFullPath: string }
  | { readonly type: 'ReplacePrefixMatch'; readonly replacePrefixMatch: string }

type HeaderModifier = {
  readonly set?: readonly HttpHeader[]
  readonly add?: readonly HttpHeader[]
  readonly remove?: readonly string[]
}

type HttpHeader = { readonly name: string; readonly value: string }

type CorsFilter = {
  readonly allowOrigins: readonly string[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders?: readonly string[]
  readonly allowCredentials?: true
  readonly maxAge: number
}

export function redirectFilter({ scheme, authority, path, code }: Redirect): HttpRouteFilter {
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

export function actionFilters(action: Forward, match: ApiMatch): readonly HttpRouteFilter[] {
  return [
    ...rewriteFilters(action, match),
    ...headerFilters(action.headerChanges),
    ...corsFilters(action.cors),
    ...mirrorFilters(action.mirror),
  ]
}

function rewriteFilters(action: Forward, match: ApiMatch): readonly HttpRouteFilter[] {
  const { authority } = action
  const path = pathModifier(action, match)
  if (path === undefined && authority === undefined) return []
  return [{ type: 'URLRewrite', urlRewrite: defined({ hostname: authority, path }) }]
}

function pathModifier({ rewrite }: Forward, { path, replacement }: ApiMatch): PathModifier | undefined {
  if (rewrite?.kind === 'full') return { type: 'ReplaceFullPath', replaceFullPath: rewrite.path }
  if (replacement === undefined || replacement === path.value) return undefined
  return { type: 'ReplacePrefixMatch', replacePrefixMatch: replacement }
}

function headerFilters({ request, response }: HeaderChanges): readonly HttpRouteFilter[] {
  const [onRequest, onResponse] = [modifierOf(request), modifierOf(response)]
  return [
    ...(onRequest === undefined ? [] : [{ type: 'RequestHeaderModifier', requestHeaderModifier: onRequest } as const]),
    ...(onResponse === undefined
      ? []
      : [{ type: 'ResponseHeaderModifier', responseHeaderModifier: onResponse } as const]),
  ]
}

function modifierOf({ set, add, remove }: HeaderEdit): HeaderModifier | undefined {
  const isEmpty = Object.keys({ ...set, ...add }).length === 0 && remove.length === 0
  if (isEmpty) return undefined
  return defined({ set: headerList(set), add: headerList(add), remove: remove.length === 0 ? undefined : remove })
}

function headerList(headers: Readonly<Record<string, string>>): readonly HttpHeader[] | undefined {
  const list = Object.entries(headers).map(([name, value]) => ({ name, value }))
  return list.length === 0 ? undefined : list
}

function corsFilters(cors: CorsPolicy | undefined): readonly HttpRouteFilter[] {
  if (cors === undefined) return []
  const { origins, methods, headers, exposed, allowsCredentials, maxAgeSeconds } = cors
  const filter = defined<CorsFilter>({
    allowOrigins: anyAlone(origins),
    allowMethods: anyAlone(methods),
    allowHeaders: anyAlone(headers),
    exposeHeaders: exposed.length === 0 ? undefined : exposed,
    allowCredentials: allowsCredentials ? true : undefined,
    maxAge: Math.max(1, maxAgeSeconds),
  })
  return [{ type: 'CORS', cors: filter }]
}

/** The CRD refuses `*` next to other entries. */
function anyAlone(list: readonly string[]): readonly string[] {
  return list.includes('*') ? ['*'] : list
}

function mirrorFilters(mirror: Mirror | undefined): readonly HttpRouteFilter[] {
  return mirror === undefined ? [] : [{ type: 'RequestMirror', requestMirror: { backendRef: mirrorRef(mirror) } }]
}

/** Istio allows a route to reference a host outside the cluster, defined by a ServiceEntry, as kind Hostname. */
function mirrorRef({ host, port, service }: Mirror): BackendRef {
  if (service === undefined) return { group: 'networking.istio.io', kind: 'Hostname', name: host, port }
  return { name: service.name, namespace: service.namespace, port }
}
