/** Everything that takes the Ingresses' place in Istio's API: what their owners apply first, then what a platform team does. */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { ConversionOptions, GatewaySettings } from '../conversion-options.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Entrance, Site } from '../site.ts'
import { destinationRules, externalServices, gatewayPolicies } from './backend-objects.ts'
import { certificateObjects } from './certificate.ts'
import { gatewayObject, gatewayServers } from './gateway.ts'
import type { GatewayWorkload } from './gateway-policies.ts'
import { virtualServiceObject } from './virtual-service.ts'
import { gatewayParts, gatewaysOf, remarkPart, remarkStrays } from './wildcard-gateways.ts'

export function istioObjects(
  entrances: readonly Entrance[],
  sites: readonly Site[],
  readings: readonly ReadIngress[],
  { gateway }: ConversionOptions,
): readonly JsonObject[] {
  const workload = workloadOf(gateway)
  if (gateway.shared !== '') remarkStrays(entrances)
  return [
    ...entrances.flatMap((entrance) => entranceObjects(entrance, gateway)),
    ...destinationRules(readings, sites, gateway.namespace, gateway),
    ...externalServices(entrances, gateway),
    ...entrances.flatMap((entrance) => gatewayPolicies(entrance, workload)),
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

function entranceObjects(entrance: Entrance, gateway: GatewaySettings): readonly JsonObject[] {
  if (gateway.shared !== '') return sharedObjects(entrance, gateway)
  const parts = gatewayParts(entrance)
  for (const part of parts) remarkPart(part, entrance)
  return parts.flatMap((part) => [
    gatewayObject(part, gateway),
    ...part.sites.map((site) => virtualServiceObject(site, gatewaysOf(site, part, parts), gateway)),
  ])
}

/** The servers are an entry that somebody else has to add. */
function sharedObjects(entrance: Entrance, gateway: GatewaySettings): readonly JsonObject[] {
  const { shared } = gateway
  const message = `Gateway ${shared} needs these servers: ${JSON.stringify(gatewayServers(entrance))}`
  entrance.ingresses[0]?.remarks.push({ level: 'info', about: 'spec.rules', outcome: 'platform-step', message })
  return entrance.sites.map((site) => virtualServiceObject(site, [shared], gateway))
}
