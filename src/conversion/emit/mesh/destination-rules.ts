/** The gateway's connections to backends: one DestinationRule for each Service for which an Ingress has settings. */
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import { groupBy } from '../../../kubernetes/group-by.ts'
import type { ConnectionPolicy } from '../../model/ingress-settings.ts'
import type { Reported, ReportLine } from '../../model/report.ts'
import type { RouteBackend, VirtualHost } from '../../model/virtual-host.ts'
import { destinationRuleObject, type DestinationRule, type PortPolicy } from './destination-rule-object.ts'

interface Connection {
  readonly backend: RouteBackend
  readonly policy: ConnectionPolicy
  readonly ingress: string
}

/** If two Ingresses have different settings for one port, the older one wins. */
export function destinationRules(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
  exportTo: string,
): Reported<readonly DestinationRule[]> {
  const connections = connectionsOf(readings, hosts)
  const first = new Map(connections.toReversed().map((connection) => [portKey(connection), connection]))
  const services = groupBy(connections, ({ backend: { namespace, service } }) => `${namespace}/${service}`)
  const conflicts = connections.flatMap((connection) => conflictLine(connection, first.get(portKey(connection))) ?? [])
  return {
    value: [...services.values()].flatMap((group) => {
      const [model] = group
      return model === undefined ? [] : [destinationRuleObject(model.backend, portPolicies(group), exportTo)]
    }),
    lines: [...new Map(conflicts.map((line) => [`${line.ingress} ${line.message}`, line])).values()],
  }
}

/** Ordered by route. */
function connectionsOf(readings: readonly ReadIngress[], hosts: readonly VirtualHost[]): readonly Connection[] {
  const policies = new Map(readings.map(({ id, settings }) => [id, settings.connection ?? {}]))
  return hosts
    .flatMap(({ routes }) => routes)
    .flatMap(({ ingress, action }) => {
      const policy = policies.get(ingress) ?? {}
      if (action.kind !== 'forward' || Object.keys(policy).length === 0) return []
      return action.backends.map((backend) => ({ backend, policy, ingress }))
    })
}

function portKey({ backend: { namespace, service, port } }: Connection): string {
  return `${namespace}/${service}:${port}`
}

function portPolicies(connections: readonly Connection[]): readonly PortPolicy[] {
  const ports = new Map(connections.toReversed().map((connection) => [connection.backend.port, connection.policy]))
  const order = [...new Set(connections.map(({ backend }) => backend.port))]
  return order.map((port) => ({ port, connection: ports.get(port) ?? {} }))
}

function conflictLine({ backend, policy, ingress }: Connection, first: Connection | undefined): ReportLine | undefined {
  if (first === undefined || first.ingress === ingress) return undefined
  if (JSON.stringify(first.policy) === JSON.stringify(policy)) return undefined
  const message = `Ingress ${first.ingress} sets other connection options for ${backend.service}:${backend.port} and takes precedence: a Service has one DestinationRule`
  return { ingress, level: 'warn', about: 'spec.rules', outcome: 'unsupported', message }
}
