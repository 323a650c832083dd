/**
 * All Gateway API objects that replace the Ingresses. Istio's own objects cover what that API cannot express; Istio
 * applies them to gateways of the Gateway API as well.
 */
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { ConversionOptions, GatewaySettings } from '../../model/conversion-options.ts'
import { groupBy } from '../../../kubernetes/group-by.ts'
import type { Reported, ReportLine } from '../../model/report.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import type { EmittedObject } from '../emitted-object.ts'
import { certificateObjects } from '../mesh/certificate.ts'
import { destinationRules } from '../mesh/destination-rules.ts'
import { externalServices } from '../mesh/external-service.ts'
import { gatewayPolicies } from '../mesh/gateway-policies.ts'
import type { GatewayWorkload } from '../mesh/gateway-workload.ts'
import { backendTlsPolicies, withoutVerifiedTls } from './backend-tls-policy.ts'
import { gatewayObject } from './gateway.ts'
import { grpcRouteObjects } from './grpc-route.ts'
import { httpRouteObjects, plainRouteObjects } from './http-route.ts'
import { listenedHosts, type ListenedHosts, type ParentGateway } from './parent-refs.ts'
import { mirrorGrants } from './reference-grant.ts'
import { reuseLines } from './reused-connections.ts'
import { secureListeners, type SecureListeners } from './secure-listeners.ts'
import { policyLabelLine, sharedObjects } from './shared-gateway.ts'
import { tlsRouteObject } from './tls-route.ts'

/** `hosts` must have printable routes only. */
export function gatewayApiObjects(
  plans: readonly GatewayPlan[],
  hosts: readonly VirtualHost[],
  { gateway }: ConversionOptions,
): Reported<readonly EmittedObject[]> {
  const isShared = gateway.shared !== ''
  const readings = plans.flatMap(({ ingresses }) => ingresses)
  const routing = placed(plans, gateway).map((one) => placedObjects(one, gateway))
  const rules = destinationRules(withoutVerifiedTls(readings), hosts, isShared ? gateway.namespace : '.')
  const policies = plans.map((plan) => policyObjects(plan, gateway, isShared ? hosts : plan.hosts))
  return {
    value: [
      ...routing.flatMap(({ value }) => value),
      ...backendTlsPolicies(readings, hosts),
      ...rules.value,
      ...externalServices(plans, gateway.namespace),
      ...mirrorGrants(plans),
      ...policies.flatMap(({ value }) => value),
      ...(isShared ? plans.flatMap((plan) => certificateObjects(plan, gateway.namespace)) : []),
    ],
    lines: [...routing.flatMap(({ lines }) => lines), ...rules.lines, ...policies.flatMap(({ lines }) => lines)],
  }
}

/** A plan with the Gateway to which its routes attach. */
interface Placed {
  readonly plan: GatewayPlan
  readonly secure: SecureListeners
  readonly parent: ParentGateway
}

/** A shared Gateway has the listeners of all plans in its namespace. */
function placed(plans: readonly GatewayPlan[], gateway: GatewaySettings): readonly Placed[] {
  const isShared = gateway.shared !== ''
  const apart = plans.map((plan) => ({ plan, secure: secureListeners(plan, isShared) }))
  const together = new Map<string, ListenedHosts>()
  for (const [namespace, group] of groupBy(apart, ({ plan }) => plan.namespace))
    together.set(namespace, listenedHosts(group.flatMap(({ secure }) => secure.printed)))
  return apart.map(({ plan, secure }) => {
    const listeners = (isShared ? together.get(plan.namespace) : undefined) ?? listenedHosts(secure.printed)
    return { plan, secure, parent: { ...gatewayOf(plan, gateway), listeners } }
  })
}

function gatewayOf(plan: GatewayPlan, { shared }: GatewaySettings): Pick<ParentGateway, 'namespace' | 'name'> {
  const [namespace = '', name = ''] = shared.split('/')
  return shared === '' ? { namespace: plan.namespace, name: plan.name } : { namespace, name }
}

function workloadOf(plan: GatewayPlan, gateway: GatewaySettings): GatewayWorkload {
  const { namespace, name } = gatewayOf(plan, gateway)
  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name } as const]
  return { namespace, policyTarget: { targetRefs } }
}

/** Policies of a shared Gateway select pods by a label that only Istio's own deployments have. */
function policyObjects(
  plan: GatewayPlan,
  gateway: GatewaySettings,
  served: readonly VirtualHost[],
): Reported<readonly EmittedObject[]> {
  const own = plan.ingresses.map((reading) => {
    const { value, lines } = gatewayPolicies([reading], plan.hosts, workloadOf(plan, gateway), served)
    const needsLabel = value.length > 0 && gateway.shared !== ''
    return { value, lines: needsLabel ? [...lines, policyLabelLine(reading, gateway)] : lines }
  })
  return { value: own.flatMap(({ value }) => value), lines: own.flatMap(({ lines }) => lines) }
}

function placedObjects({ plan, secure, parent }: Placed, gateway: GatewaySettings): Reported<readonly EmittedObject[]> {
  const routes = plan.hosts.flatMap((host) => hostObjects(host, parent))
  const lines = [...lostLines(secure, plan), ...reuseLines(plan, secure.printed, parent)]
  if (gateway.shared === '') return { value: [gatewayObject(plan, secure.printed, gateway), ...routes], lines }
  const shared = sharedObjects(plan, secure.printed, gateway)
  return { value: [...routes, ...shared.value], lines: [...lines, ...shared.lines] }
}

function lostLines({ lost }: SecureListeners, { ingresses }: GatewayPlan): readonly ReportLine[] {
  if (lost.length === 0) return []
  const message = `a Gateway has at most 64 listeners: no HTTPS for ${lost.join(', ')}`
  return ingresses.slice(0, 1).map(({ id }) => {
    return { ingress: id, level: 'error', about: 'spec.tls', outcome: 'unsupported', message }
  })
}

function hostObjects(host: VirtualHost, parent: ParentGateway): readonly EmittedObject[] {
  if (host.passthrough !== undefined)
    return [tlsRouteObject(host, host.passthrough, parent), ...plainRouteObjects(host, parent)]
  if (host.routes.length === 0) return []
  return grpcRouteObjects(host, parent) ?? httpRouteObjects(host, parent)
}
