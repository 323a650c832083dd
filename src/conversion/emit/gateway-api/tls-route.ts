/** The TLSRoute of a host whose backend ends TLS itself. */
import type { RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { secureRef, type ParentGateway } from './parent-refs.ts'
import { backendRefs, routeObject, type BackendRef, type Route } from './route-object.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#tlsroute */
export type TLSRoute = Omit<Route<'TLSRoute', { readonly backendRefs: readonly BackendRef[] }>, 'apiVersion'> & {
  readonly apiVersion: 'gateway.networking.k8s.io/v1' | 'gateway.networking.k8s.io/v1alpha2'
}

export function tlsRouteObject(
  host: VirtualHost,
  backend: RouteBackend,
  parent: ParentGateway,
  apiVersion: TLSRoute['apiVersion'],
): TLSRoute {
  const route = routeObject('TLSRoute', host, [], [secureRef(host, parent)], [{ backendRefs: backendRefs([backend]) }])
  return { ...route, apiVersion }
}
