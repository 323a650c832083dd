/** Everything that takes the Ingresses' place in Istio's API: what their owners apply first, then what a platform team does. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { ConversionOptions, GatewaySettings } from '../../model/conversion-options.ts'
import { groupBy } from '../../model/group-by.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { Entrance, Site } from '../../model/virtual-host.ts'
import { destinationRules, externalServices, gatewayPolicies } from '../mesh/backend-objects.ts'
import { certificateObjects } from '../mesh/certificate.ts'
import { gatewayObject, gatewayServers } from './gateway.ts'
import type { GatewayWorkload } from '../mesh/gateway-policies.ts'
import { virtualServiceObject } from './virtual-service.ts'
import { gatewayParts, gatewaysOf, remarkPart, remarkStrays, wildcardsOfServers } from './wildcard-gateways.ts'

export function istioObjects(
  entrances: readonly Entrance[],
  sites: readonly Site[],
  readings: readonly ReadIngress[],
  { gateway }: ConversionOptions,
): readonly JsonObject[] {
  const workload = workloadOf(gateway)
  return [
    ...(gateway.shared === '' ? ownGatewayObjects(entrances, gateway) : sharedGatewayObjects(entrances, gateway)),
    ...destinationRules(readings, sites, gateway.namespace),
    ...externalServices(entrances, gateway),
    ...entrances.flatMap((entrance) => gatewayPolicies(entrance, workload, sites)),
    ...entrances.flatMap((entrance) => certificateObjects(entrance, gateway.namespace)),
  ]
}

function workloadOf({ namespace, selector }: GatewaySettings): GatewayWorkload {
  return {
    namespace,
    policyTarget: { selector: { matchLabels: selector } },
    filterTarget: { workloadSelector: { labels: selector } },
  }
}

function ownGatewayObjects(entrances: readonly Entrance[], gateway: GatewaySettings): readonly JsonObject[] {
  const wildcards = wildcardsOfServers(entrances.flatMap(({ tls }) => tls))
  const apart = entrances.map((entrance) => ({ entrance, parts: gatewayParts(entrance, wildcards) }))
  const wildcardParts = groupBy(
    apart.flatMap(({ parts }) => parts).filter(({ tls }) => wildcardsOfServers(tls).length > 0),
    ({ namespace }) => namespace,
  )
  return apart.flatMap(({ entrance, parts }) => {
    for (const part of parts) remarkPart(part, entrance)
    return parts.flatMap((part) => [
      gatewayObject(part, gateway),
      ...part.sites.map((site) => {
        const gateways = gatewaysOf(site, part, wildcardParts.get(part.namespace) ?? [])
        return virtualServiceObject(site, gateways)
      }),
    ])
  })
}

/** The servers are an entry that somebody else has to add. */
function sharedGatewayObjects(entrances: readonly Entrance[], gateway: GatewaySettings): readonly JsonObject[] {
  const { shared } = gateway
  remarkStrays(entrances)
  return entrances.flatMap((entrance) => {
    const message = `Gateway ${shared} needs these servers: ${JSON.stringify(gatewayServers(entrance))}`
    entrance.ingresses[0]?.remarks.push({ level: 'info', about: 'spec.rules', outcome: 'platform-step', message })
    return entrance.sites.map((site) => virtualServiceObject(site, [shared]))
  })
}
