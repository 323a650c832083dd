/** Objects that both APIs share: how backends are connected to, what is outside of the mesh, and the gateway's policies. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { GatewaySettings } from '../../model/conversion-options.ts'
import type { ConnectionPolicy } from '../../model/ingress-settings.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { Entrance, RouteBackend, Site } from '../../model/virtual-host.ts'
import { destinationRuleObject } from './destination-rule.ts'
import { externalServiceObjects, type ExternalService } from './external-service.ts'
import {
  externalAuthPolicy,
  policyScope,
  rateLimitFilter,
  sourcePolicy,
  type GatewayWorkload,
} from './gateway-policies.ts'
import { isGuarded, remarkScope } from './policy-warnings.ts'

interface OwnedConnection {
  readonly connection: ConnectionPolicy
  readonly of: ReadIngress
}

interface ServicePolicies {
  readonly backend: RouteBackend
  readonly ports: Map<number, OwnedConnection>
}

/** One for each Service; where two Ingresses ask differently for one port, the older one has it. */
export function destinationRules(
  readings: readonly ReadIngress[],
  sites: readonly Site[],
  exportTo: string,
): readonly JsonObject[] {
  const byId = new Map(
    readings
      .filter(({ settings }) => Object.keys(settings.connection ?? {}).length > 0)
      .map((reading) => [reading.id, reading]),
  )
  const services = new Map<string, ServicePolicies>()
  for (const { ingress, action } of sites.flatMap(({ routes }) => routes)) {
    const reading = byId.get(ingress)
    const connection = reading?.settings.connection
    if (reading === undefined || connection === undefined || action.kind !== 'forward') continue
    for (const backend of action.backends) {
      const { namespace, service, port } = backend
      const key = `${namespace}/${service}`
      const known = services.get(key) ?? { backend, ports: new Map<number, OwnedConnection>() }
      services.set(key, known)
      const before = known.ports.get(port)
      if (before === undefined) known.ports.set(port, { connection, of: reading })
      else remarkConflict(reading, before, connection, `${service}:${port}`)
    }
  }
  return [...services.values()].map(({ backend, ports }) =>
    destinationRuleObject(
      backend,
      [...ports].map(([port, { connection }]) => ({ port, connection })),
      exportTo,
    ),
  )
}

function remarkConflict(
  reading: ReadIngress,
  before: OwnedConnection,
  connection: ConnectionPolicy,
  backend: string,
): void {
  if (before.of === reading || JSON.stringify(before.connection) === JSON.stringify(connection)) return
  const about = 'spec.rules'
  const message = `Ingress ${before.of.id} connects to ${backend} in another way, and stands first; one DestinationRule holds for all`
  if (!reading.remarks.some((remark) => remark.message === message))
    reading.remarks.push({ level: 'warn', about, outcome: 'unsupported', message })
}

export function externalServices(entrances: readonly Entrance[], gateway: GatewaySettings): readonly JsonObject[] {
  const found = new Map<string, ExternalService>()
  for (const { namespace, ingresses } of entrances)
    for (const { mirror, externalAuth } of ingresses.map(({ settings }) => settings)) {
      if (mirror !== undefined && mirror.service === undefined)
        found.set(mirror.host, { namespace, host: mirror.host, port: mirror.port, usesTls: mirror.usesTls })
      if (externalAuth?.isExternal === true)
        found.set(externalAuth.host, {
          namespace: gateway.namespace,
          host: externalAuth.host,
          port: externalAuth.port,
          usesTls: externalAuth.usesTls,
        })
    }
  return [...found.values()].flatMap(externalServiceObjects)
}

/** `served`: all sites of the same gateway pods. */
export function gatewayPolicies(
  { ingresses, sites }: Entrance,
  workload: GatewayWorkload,
  served: readonly Site[],
): readonly JsonObject[] {
  const asking = ingresses.filter((reading) => isGuarded(reading) || reading.settings.rateLimit !== undefined)
  return asking.flatMap((reading) => {
    const scope = policyScope(reading, sites, served)
    if (scope.length === 0) return []
    remarkScope(reading, scope, served)
    return [
      sourcePolicy(reading, scope, workload),
      externalAuthPolicy(reading, scope, workload),
      rateLimitFilter(reading, scope, workload),
    ].filter((policy) => policy !== undefined)
  })
}
