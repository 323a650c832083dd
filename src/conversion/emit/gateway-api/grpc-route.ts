/** The GRPCRoutes of a host if all of its routes forward by gRPC service and method to gRPC backends. */
import { defined } from '../../../kubernetes/json.ts'
import type { Route as HostRoute, VirtualHost } from '../../model/virtual-host.ts'
import { attachments, type ParentGateway } from './parent-refs.ts'
import { backendRefs, routeObject, type BackendRef, type Route } from './route-object.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#grpcroute */
export type GRPCRoute = Route<'GRPCRoute', GrpcRule>

type GrpcRule = {
  readonly matches?: readonly { readonly method: { readonly type: 'Exact' } & GrpcMethod }[]
  readonly backendRefs: readonly BackendRef[]
}

type GrpcMethod = { readonly service?: string; readonly method?: string }

/** Returns undefined if a GRPCRoute cannot express a route. An HTTPRoute is used instead, because gRPC is HTTP/2. */
export function grpcRouteObjects(host: VirtualHost, parent: ParentGateway): readonly GRPCRoute[] | undefined {
  const rules = host.routes.map(grpcRule)
  if (rules.length === 0 || rules.length > 16 || rules.some((rule) => rule === undefined)) return undefined
  const printed = rules.filter((rule) => rule !== undefined)
  return attachments(host, parent).map(({ suffix, parentRefs }) =>
    routeObject('GRPCRoute', host, suffix === '' ? [] : [suffix], parentRefs, printed),
  )
}

function grpcRule({ match, headers, methods, action, redirectsToHttps }: HostRoute): GrpcRule | undefined {
  if (action.kind !== 'forward' || !action.isGrpc || redirectsToHttps || headers.length > 0 || methods !== undefined)
    return undefined
  const isPlain =
    action.rewrite === undefined &&
    action.authority === undefined &&
    action.cors === undefined &&
    action.mirror === undefined
  const method = methodOf(match.kind, match.value)
  if (!isPlain || method === undefined) return undefined
  const matches = method === 'any' ? undefined : [{ method: { type: 'Exact', ...method } as const }]
  return defined({ matches, backendRefs: backendRefs(action.backends) })
}

/** `/` matches every call, `/package.Service` the calls of a service, `/package.Service/Method` those of a method. */
function methodOf(kind: HostRoute['match']['kind'], value: string): GrpcMethod | 'any' | undefined {
  if (kind === 'elements' && value === '/') return 'any'
  const [, service, method] = /^\/([A-Za-z_][\w.]*)(?:\/([A-Za-z_]\w*))?$/.exec(value) ?? []
  if (kind === 'elements' && service !== undefined && method === undefined) return { service }
  return kind === 'exact' && service !== undefined && method !== undefined ? { service, method } : undefined
}
