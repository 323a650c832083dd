/**
 * Everything that takes the Ingresses' place in Gateway API. Where that has nothing to say, Istio's own objects do, which
 * Istio honours for Gateway API gateways as well.
 */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { ConversionOptions, GatewaySettings } from '../conversion-options.ts'
import { destinationRules, externalServices, gatewayPolicies } from '../istio-api/backend-objects.ts'
import { certificateObjects } from '../istio-api/certificate.ts'
import type { GatewayWorkload } from '../istio-api/gateway-policies.ts'
import { credentialName } from '../object-names.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Entrance, Route, Site, TlsServer } from '../site.ts'
import { backendTlsPolicies, withoutVerifiedTls } from './backend-tls-policy.ts'
import { gatewayObject, listenersOf, secureListeners, unlistenedHosts } from './gateway.ts'
import { grpcRouteObjects } from './grpc-route.ts'
import { hostnames, backendRefs, httpRouteObjects, routeObject } from './http-route.ts'
import { secureRef, type ParentGateway } from './parent-refs.ts'
import { mirrorGrants, secretGrant } from './reference-grant.ts'
import { apiMatch, needsExpressions, pathProblem } from './route-matches.ts'

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
    ...printable.flatMap((entrance) => entranceObjects(entrance, parentOf(entrance, printable, gateway), gateway)),
    ...backendTlsPolicies(readings, sites),
    ...destinationRules(withoutVerifiedTls(readings), sites, gateway.shared === '' ? '.' : gateway.namespace, gateway),
    ...externalServices(entrances, gateway),
    ...mirrorGrants(entrances, gateway),
    ...printable.flatMap((entrance) => policyObjects(entrance, gateway)),
    ...(gateway.shared === '' ? [] : entrances.flatMap((entrance) => certificateObjects(entrance, gateway.namespace))),
  ]
}

/** In a Gateway that is shared, the listeners of all entrances of a namespace meet. */
function parentOf(entrance: Entrance, entrances: readonly Entrance[], gateway: GatewaySettings): ParentGateway {
  const isBeside = ({ namespace }: Entrance) => gateway.shared !== '' && namespace === entrance.namespace
  const listeners = secureListeners(entrances.filter((other) => other === entrance || isBeside(other)))
  return { ...gatewayOf(entrance, gateway), listeners }
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
    if (policies.length > 0 && gateway.shared !== '') remarkLabel(reading, gateway.shared)
    return policies
  })
}

/** Elsewhere Istio passes over what has a `targetRefs` (`pilot/pkg/model/policyattachment.go`, ShouldAttachPolicy). */
function remarkLabel({ remarks }: ReadIngress, shared: string): void {
  const label = `gateway.networking.k8s.io/gateway-name: ${shared.split('/')[1] ?? ''}`
  const message = `SECURITY: the policies hold for pods with label ${label}, which those have that Istio deploys for Gateway ${shared} itself; give it to the pods of any other`
  remarks.push({ level: 'warn', about: 'spec.rules', outcome: 'platform-step', message })
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

/** The one entry that somebody else has to add, and the leave to read the secrets here. */
function sharedObjects(entrance: Entrance, { shared, namespace }: GatewaySettings): readonly JsonObject[] {
  const isIssued = ({ secret }: TlsServer) =>
    entrance.ingresses.some(
      ({ settings, ingress }) =>
        settings.certificate !== undefined && ingress.tls.some((entry) => entry.secret === secret),
    )
  const certificateRef = (server: TlsServer) =>
    isIssued(server)
      ? { name: credentialName(entrance.namespace, server.secret) }
      : { name: server.secret, namespace: entrance.namespace }
  const listeners = listenersOf(entrance, { certificateRef })
  const needs = [
    ...(entrance.sites.some(({ passthrough }) => passthrough === undefined) ? ['an HTTP listener on port 80'] : []),
    ...(listeners.length === 0 ? [] : [`these listeners: ${JSON.stringify(listeners)}`]),
  ].join(' and ')
  const message = `Gateway ${shared} needs ${needs}, and to let in routes of namespace ${entrance.namespace}`
  entrance.ingresses[0]?.remarks.push({ level: 'info', about: 'spec.rules', outcome: 'platform-step', message })
  const secrets = entrance.tls.filter((server) => !isIssued(server)).map(({ secret }) => secret)
  return entrance.namespace === namespace || secrets.length === 0
    ? []
    : [secretGrant(entrance, namespace, [...new Set(secrets)])]
}
