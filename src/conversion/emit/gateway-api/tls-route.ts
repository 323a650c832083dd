/** The TLSRoute of a host whose backend ends TLS itself. */
import type { RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { secureRef, type ParentGateway } from './parent-refs.ts'
import { backendRefs, routeObject, type BackendRef, type Route } from './route-object.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#tlsroute */
export type TLSRoute = Route<'TLSRoute', { readonly backendRefs: readonly BackendRef[] }>

export function tlsRouteObject(host: VirtualHost, backend: RouteBackend, parent: ParentGateway): TLSRoute {
  return routeObject('TLSRoute', host, [], [secureRef(host, parent)], [{ backendRefs: backendRefs([backend]) }])
}
