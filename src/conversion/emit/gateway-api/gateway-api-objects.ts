/**
 * All Gateway API objects that replace the Ingresses. Istio's own objects cover what that API cannot express; Istio
 * applies them to gateways of the Gateway API as well.
 */
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import { hasClassGateways, hasIstioApis, isStandard, type ConversionOptions } from '../../model/conversion-options.ts'
import { groupBy } from '../../../kubernetes/group-by.ts'
import type { Reported, ReportLine } from '../../model/report.ts'
import { ownerOf, type VirtualHost } from '../../model/virtual-host.ts'
import type { EmittedObject } from '../emitted-object.ts'
import { certificateObjects } from '../mesh/certificate.ts'
import { destinationRules } from '../mesh/destination-rules.ts'
import { externalServices } from '../mesh/external-service.ts'
import { gatewayPolicies } from '../mesh/gateway-policies.ts'
import type { GatewayWorkload } from '../mesh/gateway-workload.ts'
import { backendTlsPolicies, withoutVerifiedTls } from './backend-tls-policy.ts'
import { classGateway } from './class-gateways.ts'
import { grpcRouteObjects } from './grpc-route.ts'
import { httpRouteObjects, plainRouteObjects } from './http-route.ts'
import { listenedHosts, type ParentGateway } from './parent-refs.ts'
import { mirrorGrants } from './reference-grant.ts'
import { reuseLines } from './reused-connections.ts'
import { neededListeners, secureListeners, type SecureListeners } from './secure-listeners.ts'
import { policyLabelLine, sharedObjects } from './shared-gateway.ts'
import { tlsRouteObject, type TLSRoute } from './tls-route.ts'

/** `hosts` must have printable routes only. */
export function gatewayApiObjects(
  plans: readonly GatewayPlan[],
  hosts: readonly VirtualHost[],
  options: ConversionOptions,
): Reported<readonly EmittedObject[]> {
  const { gateway } = options
  const readings = plans.flatMap(({ ingresses }) => ingresses)
  const groups = hasClassGateways(options)
    ? [...groupBy(plans, ({ className }) => className).values()].map((group) => ownGateway(group, options))
    : [sharedGateway(plans, hosts, options)]
  const rules = destinationRules(withoutVerifiedTls(readings), hosts, gateway.namespace)
  // Settings that need one of Istio's objects were refused with their annotations.
  const isPrintable = ({ apiVersion }: EmittedObject) => hasIstioApis(options) || !/\.istio\.io\//.test(apiVersion)
  const objects: readonly EmittedObject[] = [
    ...groups.flatMap(({ value }) => value),
    ...backendTlsPolicies(readings, hosts),
    ...rules.value,
    ...externalServices(plans, gateway.namespace),
    ...mirrorGrants(plans),
    ...groups.flatMap(({ policies }) => policies),
    ...plans.flatMap((plan) => certificateObjects(plan, gateway.namespace)),
  ]
  return {
    value: objects.filter(isPrintable),
    lines: [...groups.flatMap(({ lines }) => lines), ...rules.lines],
  }
}

interface EmittedGateway extends Reported<readonly EmittedObject[]> {
  readonly policies: readonly EmittedObject[]
}

/** `plans` are those of one ingress class. */
function ownGateway(plans: readonly GatewayPlan[], options: ConversionOptions): EmittedGateway {
  const { namespace } = options.gateway
  const { names, refsOf, objects, lines } = classGateway(plans, options)
  const served = plans.flatMap(({ hosts }) => hosts)
  const listeners = listenedHosts(plans.flatMap(neededListeners))
  const parent = { namespace, name: names[0] ?? '', listeners, refsOf }
  const policies = plans.map((plan) => policyObjects(plan, { namespace, names }, served))
  return {
    value: [...objects, ...served.flatMap((host) => hostObjects(host, parent, options))],
    policies: policies.flatMap(({ value }) => value),
    lines: [
      ...lines,
      ...plans.flatMap((plan) => reuseLines(plan, neededListeners(plan), parent)),
      ...served.flatMap((host) => noTlsRouteLine(host, options) ?? []),
      ...policies.flatMap((one) => one.lines),
    ],
  }
}

/** A shared Gateway has the listeners of all plans in its namespace. Policies select pods by a label. */
function sharedGateway(
  plans: readonly GatewayPlan[],
  hosts: readonly VirtualHost[],
  options: ConversionOptions,
): EmittedGateway {
  const { gateway } = options
  const [namespace = '', name = ''] = gateway.shared.split('/')
  const apart = plans.map((plan) => ({ plan, secure: secureListeners(plan) }))
  const together = groupBy(apart, ({ plan }) => plan.namespace)
  const routing = apart.map(({ plan, secure }) => {
    const listeners = listenedHosts((together.get(plan.namespace) ?? []).flatMap((one) => one.secure.printed))
    return placedObjects({ plan, secure, parent: { namespace, name, listeners } }, options)
  })
  const policies = plans.map((plan) => policyObjects(plan, { namespace, names: [name] }, hosts))
  const noRoutes = hosts.flatMap((host) => noTlsRouteLine(host, options) ?? [])
  const labels = policies.flatMap(({ guarded }) => guarded.map((reading) => policyLabelLine(reading, gateway)))
  return {
    value: routing.flatMap(({ value }) => value),
    policies: policies.flatMap(({ value }) => value),
    lines: [
      ...routing.flatMap(({ lines }) => lines),
      ...policies.flatMap(({ lines }) => lines),
      ...labels,
      ...noRoutes,
    ],
  }
}

/** A plan with the Gateway to which its routes attach. */
interface Placed {
  readonly plan: GatewayPlan
  readonly secure: SecureListeners
  readonly parent: ParentGateway
}

/** `guarded` are the Ingresses that have policies. */
function policyObjects(
  plan: GatewayPlan,
  { namespace, names }: { readonly namespace: string; readonly names: readonly string[] },
  served: readonly VirtualHost[],
) {
  const targetRefs = names.map((name) => ({ group: 'gateway.networking.k8s.io', kind: 'Gateway', name }) as const)
  const workload: GatewayWorkload = { namespace, policyTarget: { targetRefs } }
  const own = plan.ingresses.map((reading) => ({
    reading,
    ...gatewayPolicies([reading], plan.hosts, workload, served),
  }))
  return {
    value: own.flatMap(({ value }) => value),
    lines: own.flatMap(({ lines }) => lines),
    guarded: own.filter(({ value }) => value.length > 0).map(({ reading }) => reading),
  }
}

function placedObjects(
  { plan, secure, parent }: Placed,
  options: ConversionOptions,
): Reported<readonly EmittedObject[]> {
  const routes = plan.hosts.flatMap((host) => hostObjects(host, parent, options))
  const lines = [...lostLines(secure, plan), ...reuseLines(plan, secure.printed, parent)]
  const shared = sharedObjects(plan, secure.printed, options.gateway)
  return { value: [...routes, ...shared.value], lines: [...lines, ...shared.lines] }
}

function lostLines({ lost }: SecureListeners, { ingresses }: GatewayPlan): readonly ReportLine[] {
  if (lost.length === 0) return []
  const message = `a Gateway has at most 64 listeners: no HTTPS for ${lost.join(', ')}`
  return ingresses.slice(0, 1).map(({ id }) => {
    return { ingress: id, level: 'error', about: 'spec.tls', outcome: 'unsupported', message }
  })
}

function noTlsRouteLine(host: VirtualHost, options: ConversionOptions): ReportLine | undefined {
  if (host.passthrough === undefined || tlsRouteVersion(options) !== undefined) return undefined
  const message = `TLS of ${host.host} is not passed through: before version 1.5 only the experimental channel of Gateway API has TLSRoutes. Add --experimental if it is installed, or use --to istio`
  return { ingress: ownerOf(host), level: 'error', about: 'spec.rules', outcome: 'unsupported', message }
}

/** Undefined if the cluster has no TLSRoutes (https://kubernetes.io/blog/2026/04/21/gateway-api-v1-5/). */
function tlsRouteVersion({ gatewayApi }: ConversionOptions): TLSRoute['apiVersion'] | undefined {
  if (isStandard(gatewayApi)) return 'gateway.networking.k8s.io/v1'
  return gatewayApi?.isExperimental === true ? 'gateway.networking.k8s.io/v1alpha2' : undefined
}

function hostObjects(host: VirtualHost, parent: ParentGateway, options: ConversionOptions): readonly EmittedObject[] {
  if (host.passthrough !== undefined) {
    // Without a listener, another namespace serves the host.
    const isServed = parent.refsOf === undefined || parent.refsOf(host).secure !== undefined
    const version = tlsRouteVersion(options)
    const passed = isServed && version !== undefined ? [tlsRouteObject(host, host.passthrough, parent, version)] : []
    return [...passed, ...plainRouteObjects(host, parent)]
  }
  if (host.routes.length === 0) return []
  return grpcRouteObjects(host, parent) ?? httpRouteObjects(host, parent)
}
