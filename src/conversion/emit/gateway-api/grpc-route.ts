/** The GRPCRoutes of a host whose routes all lead to gRPC backends by what gRPC calls a path: service and method. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { Route, VirtualHost } from '../../model/virtual-host.ts'
import { backendRefs, hostnames, routeObject } from './http-route.ts'
import { attachments, type ParentGateway } from './parent-refs.ts'

/** Returns undefined if a GRPCRoute cannot express a route: then an HTTPRoute carries it, because gRPC is HTTP/2. */
export function grpcRouteObjects(host: VirtualHost, parent: ParentGateway): readonly JsonObject[] | undefined {
  const rules = host.routes.map(grpcRule)
  if (rules.length === 0 || rules.length > 16 || rules.some((rule) => rule === undefined)) return undefined
  return attachments(host, parent).map(({ suffix, parentRef }) =>
    routeObject('GRPCRoute', host, suffix === '' ? [] : [suffix], {
      parentRefs: [parentRef],
      ...hostnames(host),
      rules: rules.filter((rule) => rule !== undefined),
    }),
  )
}

function grpcRule({ match, headers, action, redirectsToHttps }: Route): JsonObject | undefined {
  if (action.kind !== 'forward' || !action.isGrpc || redirectsToHttps || headers.length > 0) return undefined
  const isPlain =
    action.rewrite === undefined &&
    action.authority === undefined &&
    action.cors === undefined &&
    action.mirror === undefined
  const method = methodOf(match.kind, match.value)
  if (!isPlain || method === undefined) return undefined
  const matches = Object.keys(method).length === 0 ? {} : { matches: [{ method: { type: 'Exact', ...method } }] }
  return { ...matches, backendRefs: backendRefs(action.backends) }
}

/** `/` matches every call, `/package.Service` those of a service, `/package.Service/Method` those of a method. */
function methodOf(kind: Route['match']['kind'], value: string): JsonObject | undefined {
  if (kind === 'elements' && value === '/') return {}
  const [, service, method] = /^\/([A-Za-z_][\w.]*)(?:\/([A-Za-z_]\w*))?$/.exec(value) ?? []
  if (kind === 'elements' && service !== undefined && method === undefined) return { service }
  return kind === 'exact' && service !== undefined && method !== undefined ? { service, method } : undefined
}
