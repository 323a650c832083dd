/** All Istio objects that replace the Ingresses: first those for their owners, then those for the platform team. */
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
import { gatewayObject, gatewayServers } from './gateway.ts'
import { virtualServiceObject } from './virtual-service.ts'
import { gatewayParts, gatewaysOf, partLines, shadowLines, wildcardsOfServers } from './wildcard-gateways.ts'

export function istioObjects(
  plans: readonly GatewayPlan[],
  hosts: readonly VirtualHost[],
  { gateway }: ConversionOptions,
): Reported<readonly EmittedObject[]> {
  const readings = plans.flatMap(({ ingresses }) => ingresses)
  const routing = gateway.shared === '' ? ownGateways(plans, gateway) : sharedGateway(plans, gateway)
  const rules = destinationRules(readings, hosts, gateway.namespace)
  const policies = plans.map((plan) => gatewayPolicies(plan.ingresses, plan.hosts, workloadOf(gateway), hosts))
  return {
    value: [
      ...routing.value,
      ...rules.value,
      ...externalServices(plans, gateway.namespace),
      ...policies.flatMap(({ value }) => value),
      ...plans.flatMap((plan) => certificateObjects(plan, gateway.namespace)),
    ],
    lines: [...routing.lines, ...rules.lines, ...policies.flatMap(({ lines }) => lines)],
  }
}

function workloadOf({ namespace, selector }: GatewaySettings): GatewayWorkload {
  return {
    namespace,
    policyTarget: { selector: { matchLabels: selector } },
  }
}

function ownGateways(plans: readonly GatewayPlan[], gateway: GatewaySettings): Reported<readonly EmittedObject[]> {
  const wildcards = wildcardsOfServers(plans.flatMap(({ tls }) => tls))
  const apart = plans.map((plan) => ({ plan, parts: gatewayParts(plan, wildcards) }))
  const parts = apart.flatMap((one) => one.parts)
  const wildcardParts = groupBy(
    parts.filter(({ tls }) => wildcardsOfServers(tls).length > 0),
    ({ namespace }) => namespace,
  )
  const existing = new Map(plans.flatMap((plan) => [...plan.existing]))
  const placed = new Set(parts.flatMap(({ hosts }) => hosts))
  return {
    value: [
      ...parts.flatMap((part) => [
        gatewayObject(part, gateway),
        ...part.hosts.map((host) => {
          const gateways = gatewaysOf(host, part, wildcardParts.get(part.namespace) ?? [])
          const further = existing.get(host)
          return virtualServiceObject(host, further === undefined ? gateways : [...gateways, further])
        }),
      ]),
      ...[...existing]
        .filter(([host]) => !placed.has(host) && host.isPrintedElsewhere !== true)
        .map(([host, name]) => virtualServiceObject(host, [name])),
    ],
    lines: apart.flatMap((one) => one.parts.flatMap((part) => partLines(part, one.plan))),
  }
}

/** Reports the servers that the platform team must add to the shared Gateway. */
function sharedGateway(plans: readonly GatewayPlan[], { shared }: GatewaySettings): Reported<readonly EmittedObject[]> {
  return {
    value: plans.flatMap(({ hosts }) =>
      hosts.filter((host) => host.isPrintedElsewhere !== true).map((host) => virtualServiceObject(host, [shared])),
    ),
    lines: [...shadowLines(plans), ...plans.flatMap((plan) => serverLines(plan, shared))],
  }
}

function serverLines(plan: GatewayPlan, shared: string): readonly ReportLine[] {
  const message = `Gateway ${shared} needs these servers: ${JSON.stringify(gatewayServers({ ...plan, hosts: plan.served }))}`
  return plan.ingresses.slice(0, 1).map(({ id }) => {
    return { ingress: id, level: 'info', about: 'spec.rules', outcome: 'platform-step', message }
  })
}
