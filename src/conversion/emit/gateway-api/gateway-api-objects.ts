/**
 * Everything that takes the Ingresses' place in Gateway API. Where that has nothing to say, Istio's own objects do, which
 * Istio honours for Gateway API gateways as well.
 */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { ConversionOptions, GatewaySettings } from '../../model/conversion-options.ts'
import { destinationRules, externalServices, gatewayPolicies } from '../mesh/backend-objects.ts'
import { groupBy } from '../../model/group-by.ts'
import { certificateObjects } from '../mesh/certificate.ts'
import type { GatewayWorkload } from '../mesh/gateway-policies.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { Entrance, Route, Site } from '../../model/virtual-host.ts'
import { backendTlsPolicies, withoutVerifiedTls } from './backend-tls-policy.ts'
import { gatewayObject } from './gateway.ts'
import { grpcRouteObjects } from './grpc-route.ts'
import { hostnames, backendRefs, httpRouteObjects, routeObject } from './http-route.ts'
import { listenedHosts, secureRef, type ListenedHosts, type ParentGateway } from './parent-refs.ts'
import { mirrorGrants } from './reference-grant.ts'
import { remarkReuse } from './reused-connections.ts'
import { apiMatch, needsExpressions, pathProblem } from './route-matches.ts'
import { secureListeners, type SecureListeners } from './secure-listeners.ts'
import { remarkPolicyLabel, sharedObjects } from './shared-gateway.ts'

export function gatewayApiObjects(
  entrances: readonly Entrance[],
  sites: readonly Site[],
  readings: readonly ReadIngress[],
  { gateway }: ConversionOptions,
): readonly JsonObject[] {
  const printable = entrances.map((entrance) => ({
    ...entrance,
    sites: entrance.sites.map((site) => printableSite(site, entrance)),
  }))
  return [
    ...placed(printable, gateway).flatMap((one) => placedObjects(one, gateway)),
    ...backendTlsPolicies(readings, sites),
    ...destinationRules(withoutVerifiedTls(readings), sites, gateway.shared === '' ? '.' : gateway.namespace),
    ...externalServices(entrances, gateway),
    ...mirrorGrants(entrances),
    ...printable.flatMap((entrance) =>
      policyObjects(entrance, gateway, gateway.shared === '' ? entrance.sites : sites),
    ),
    ...(gateway.shared === '' ? [] : entrances.flatMap((entrance) => certificateObjects(entrance, gateway.namespace))),
  ]
}

/** An entrance at the Gateway that its routes attach to. */
interface Placed {
  readonly entrance: Entrance
  readonly secure: SecureListeners
  readonly parent: ParentGateway
}

/** In a Gateway that is shared, the listeners of all entrances of a namespace meet. */
function placed(entrances: readonly Entrance[], gateway: GatewaySettings): readonly Placed[] {
  const isShared = gateway.shared !== ''
  const apart = entrances.map((entrance) => ({ entrance, secure: secureListeners(entrance, isShared) }))
  const together = new Map<string, ListenedHosts>()
  for (const [namespace, group] of groupBy(apart, ({ entrance }) => entrance.namespace))
    together.set(namespace, listenedHosts(group.flatMap(({ secure }) => secure.printed)))
  return apart.map(({ entrance, secure }) => {
    const listeners = (isShared ? together.get(entrance.namespace) : undefined) ?? listenedHosts(secure.printed)
    return { entrance, secure, parent: { ...gatewayOf(entrance, gateway), listeners } }
  })
}

function gatewayOf(entrance: Entrance, { shared }: GatewaySettings): Pick<ParentGateway, 'namespace' | 'name'> {
  const [namespace = '', name = ''] = shared.split('/')
  return shared === '' ? { namespace: entrance.namespace, name: entrance.name } : { namespace, name }
}

function workloadOf(entrance: Entrance, gateway: GatewaySettings): GatewayWorkload {
  const { namespace, name } = gatewayOf(entrance, gateway)
  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }]
  return { namespace, policyTarget: { targetRefs }, filterTarget: { targetRefs } }
}

function policyObjects(entrance: Entrance, gateway: GatewaySettings, served: readonly Site[]): readonly JsonObject[] {
  return entrance.ingresses.flatMap((reading) => {
    const policies = gatewayPolicies({ ...entrance, ingresses: [reading] }, workloadOf(entrance, gateway), served)
    if (policies.length > 0 && gateway.shared !== '') remarkPolicyLabel(reading, gateway)
    return policies
  })
}

/** Without the routes whose path the CRD refuses; how the others differ is told. */
function printableSite(site: Site, { ingresses }: Entrance): Site {
  const hasExpressions = needsExpressions(site.routes)
  return { ...site, routes: site.routes.filter((route) => isPrintable(route, hasExpressions, ingresses)) }
}

function isPrintable(route: Route, hasExpressions: boolean, ingresses: readonly ReadIngress[]): boolean {
  const remarks = ingresses.find(({ id }) => id === route.ingress)?.remarks ?? []
  const about = `${route.field}.path`
  const { path, caution } = apiMatch(route, hasExpressions)
  const problem = pathProblem(path)
  const isSaid = remarks.some((remark) => remark.about === about)
  if (problem !== undefined && !isSaid)
    remarks.push({
      level: 'error',
      about,
      outcome: 'unsupported',
      message: `${path.value} ${problem}; the path is left out`,
    })
  else if (caution !== undefined && !isSaid)
    remarks.push({ level: 'warn', about, outcome: 'approximate', message: caution })
  return problem === undefined
}

function placedObjects({ entrance, secure, parent }: Placed, gateway: GatewaySettings): readonly JsonObject[] {
  const routes = entrance.sites.flatMap((site) => siteObjects(site, parent))
  remarkLost(secure, entrance)
  remarkReuse(entrance, secure.printed, parent)
  return gateway.shared === ''
    ? [gatewayObject(entrance, secure.printed, gateway), ...routes]
    : [...routes, ...sharedObjects(entrance, secure.printed, gateway)]
}

function remarkLost({ lost }: SecureListeners, { ingresses }: Entrance): void {
  if (lost.length === 0) return
  const message = `a Gateway has at most 64 listeners: no HTTPS for ${lost.join(', ')}`
  ingresses[0]?.remarks.push({ level: 'error', about: 'spec.tls', outcome: 'unsupported', message })
}

function siteObjects(site: Site, parent: ParentGateway): readonly JsonObject[] {
  if (site.passthrough !== undefined) {
    const spec = {
      parentRefs: [secureRef(site, parent)],
      ...hostnames(site),
      rules: [{ backendRefs: backendRefs([site.passthrough]) }],
    }
    return [routeObject('TLSRoute', site, [], spec)]
  }
  if (site.routes.length === 0) return []
  return grpcRouteObjects(site, parent) ?? httpRouteObjects(site, parent)
}
