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

export function istioObjects(
  entrances: readonly Entrance[],
  sites: readonly Site[],
  readings: readonly ReadIngress[],
  { gateway }: ConversionOptions,
): readonly JsonObject[] {
  const workload = workloadOf(gateway)
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
  const { namespace, name, sites } = entrance
  const bound = gateway.shared === '' ? `${namespace}/${name}` : gateway.shared
  const services = sites.map((site) => virtualServiceObject(site, bound, gateway))
  if (gateway.shared === '') return [gatewayObject(entrance, gateway), ...services]
  remarkSharedGateway(entrance, gateway)
  return services
}

/** The one entry that somebody else has to add. */
function remarkSharedGateway(entrance: Entrance, { shared }: GatewaySettings): void {
  const message = `Gateway ${shared} needs these servers: ${JSON.stringify(gatewayServers(entrance))}`
  entrance.ingresses[0]?.remarks.push({ level: 'info', about: 'spec.rules', outcome: 'platform-step', message })
}
