/**
 * Everything that takes the Ingresses' place in Gateway API. Where that has nothing to say, Istio's own objects do, which
 * Istio honours for Gateway API gateways as well.
 */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { ConversionOptions, GatewaySettings } from '../conversion-options.ts'
import { destinationRules, externalServices, gatewayPolicies } from '../istio-api/backend-objects.ts'
import { certificateObjects } from '../istio-api/certificate.ts'
import type { GatewayWorkload } from '../istio-api/gateway-policies.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Entrance, Route, Site, TlsServer } from '../site.ts'
import { siteOwner } from '../site-owner.ts'
import { backendTlsPolicies, withoutVerifiedTls } from './backend-tls-policy.ts'
import { gatewayObject, secureListeners, serversByHost, unlistenedHosts, type SecureListeners } from './gateway.ts'
import { grpcRouteObjects } from './grpc-route.ts'
import { hostnames, backendRefs, httpRouteObjects, routeObject } from './http-route.ts'
import { reusedHosts, secureRef, type ParentGateway } from './parent-refs.ts'
import { mirrorGrants } from './reference-grant.ts'
import { apiMatch, needsExpressions, pathProblem } from './route-matches.ts'
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
  const shared = gateway.shared === '' ? undefined : sharedListeners(printable)
  const parentOf = (entrance: Entrance): ParentGateway => {
    const listeners = shared?.get(entrance.namespace) ?? secureListeners([entrance])
    return { ...gatewayOf(entrance, gateway), listeners }
  }
  return [
    ...printable.flatMap((entrance) => entranceObjects(entrance, parentOf(entrance), gateway)),
    ...backendTlsPolicies(readings, sites),
    ...destinationRules(withoutVerifiedTls(readings), sites, gateway.shared === '' ? '.' : gateway.namespace, gateway),
    ...externalServices(entrances, gateway),
    ...mirrorGrants(entrances, gateway),
    ...printable.flatMap((entrance) => policyObjects(entrance, gateway)),
    ...(gateway.shared === '' ? [] : entrances.flatMap((entrance) => certificateObjects(entrance, gateway.namespace))),
  ]
}

/** By namespace: in a Gateway that is shared, the listeners of all its entrances meet. */
function sharedListeners(entrances: readonly Entrance[]): ReadonlyMap<string, SecureListeners> {
  const namespaces = new Set(entrances.map(({ namespace }) => namespace))
  const within = (name: string) => entrances.filter(({ namespace }) => namespace === name)
  return new Map([...namespaces].map((name) => [name, secureListeners(within(name))]))
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

function policyObjects(entrance: Entrance, gateway: GatewaySettings): readonly JsonObject[] {
  return entrance.ingresses.flatMap((reading) => {
    const policies = gatewayPolicies({ ...entrance, ingresses: [reading] }, workloadOf(entrance, gateway))
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

function entranceObjects(entrance: Entrance, parent: ParentGateway, gateway: GatewaySettings): readonly JsonObject[] {
  const routes = entrance.sites.flatMap((site) => siteObjects(site, parent, gateway))
  for (const site of entrance.sites) remarkReuse(site, parent, entrance)
  for (const server of serversByHost(entrance)) remarkStranded(server, entrance)
  if (gateway.shared !== '') return [...routes, ...sharedObjects(entrance, gateway)]
  const unlistened = unlistenedHosts(entrance)
  if (unlistened.length > 0)
    entrance.ingresses[0]?.remarks.push({
      level: 'error',
      about: 'spec.tls',
      outcome: 'unsupported',
      message: `a Gateway has at most 64 listeners: no HTTPS for ${unlistened.join(', ')}`,
    })
  return [gatewayObject(entrance, gateway), ...routes]
}

function remarkReuse(site: Site, parent: ParentGateway, entrance: Entrance): void {
  const hosts = reusedHosts(site, parent)
  if (hosts.length === 0) return
  const message = `a browser that is connected to another host of ${site.host} may reuse that for ${hosts.join(', ')}, and is answered by the routes of ${site.host}: Istio does not turn it away (421)`
  siteOwner(site, entrance)?.remarks.push({ level: 'warn', about: 'spec.tls', outcome: 'approximate', message })
}

/** One listener for all of them would mend it, and take what is meant for other Gateways where they share an Envoy. */
function remarkStranded({ hosts }: TlsServer, entrance: Entrance): void {
  const first = entrance.sites.find(({ host }) => hosts.includes(host))
  if (hosts.length === 1 || first === undefined) return
  const message = `a browser that is connected to one of ${hosts.join(', ')} may reuse that for another, as their certificate is the same, and is answered 404: Istio does not turn it away (421); a secret for each host mends it`
  siteOwner(first, entrance)?.remarks.push({ level: 'warn', about: 'spec.tls', outcome: 'approximate', message })
}

function siteObjects(site: Site, parent: ParentGateway, gateway: GatewaySettings): readonly JsonObject[] {
  if (site.passthrough !== undefined) {
    const spec = {
      parentRefs: [secureRef(site, parent)],
      ...hostnames(site),
      rules: [{ backendRefs: backendRefs([site.passthrough]) }],
    }
    return [routeObject('TLSRoute', site, [], spec)]
  }
  if (site.routes.length === 0) return []
  return grpcRouteObjects(site, parent) ?? httpRouteObjects(site, parent, gateway)
}
