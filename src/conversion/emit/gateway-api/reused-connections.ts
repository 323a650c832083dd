/**
 * Browsers reuse a connection for every host of its certificate, but only the most specific listener serves a host, and
 * Istio does not answer 421 (https://gateway-api.sigs.k8s.io/geps/gep-3567/; observed in Envoy, see
 * test/conversion/support/wildcard-cases.ts). One listener for all hosts of a certificate would avoid that, but would
 * also take requests for other Gateways in the same Envoy.
 */
import { groupBy } from '../../../kubernetes/group-by.ts'
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { ReportLine } from '../../model/report.ts'
import { ownerOf, type VirtualHost } from '../../model/virtual-host.ts'
import { isListened, narrowerHosts, type ParentGateway } from './parent-refs.ts'
import type { SecureListener } from './secure-listeners.ts'

export function reuseLines(
  plan: GatewayPlan,
  listeners: readonly SecureListener[],
  parent: ParentGateway,
): readonly ReportLine[] {
  const secrets = groupBy(
    listeners.filter(({ server }) => server !== undefined),
    ({ server }) => server?.secret ?? '',
  )
  const groups = [...secrets.values()].map((group) => group.map(({ host }) => host))
  const byName = new Map(plan.hosts.map((host) => [host.host, host]))
  return [
    ...groups.flatMap((names) => sameCertificateLine(names, byName) ?? []),
    ...plan.hosts.flatMap((host) => wildcardLine(host, groups, parent) ?? []),
  ]
}

function sameCertificateLine(
  names: readonly string[],
  hosts: ReadonlyMap<string, VirtualHost>,
): ReportLine | undefined {
  const [first] = names.flatMap((name) => hosts.get(name) ?? [])
  if (names.length < 2 || first === undefined) return undefined
  const remedy = names.some((name) => name.startsWith('*'))
    ? 'use --to istio to avoid this'
    : 'use a separate secret for each host to avoid this'
  const message = `browsers may reuse an HTTP/2 connection between ${names.join(', ')}, which have the same certificate. Such requests reach the wrong listener, because Istio does not answer 421; ${remedy}`
  return { ingress: ownerOf(first), level: 'warn', about: 'spec.tls', outcome: 'approximate', message }
}

/** For hosts with another certificate, which the wildcard's certificate covers as well. */
function wildcardLine(
  host: VirtualHost,
  groups: readonly (readonly string[])[],
  parent: ParentGateway,
): ReportLine | undefined {
  if (host.passthrough !== undefined || !isListened(host, parent)) return undefined
  const narrower = narrowerHosts(host, parent)
  if (narrower.length === 0) return undefined
  const same = new Set(groups.find((names) => names.includes(host.host)))
  const others = narrower.filter((name) => !same.has(name))
  if (others.length === 0) return undefined
  const message = `browsers may reuse an HTTP/2 connection to a host of ${host.host} for ${others.join(', ')}. The routes of ${host.host} then answer, because Istio does not answer 421; use --to istio to avoid this`
  return { ingress: ownerOf(host), level: 'warn', about: 'spec.tls', outcome: 'approximate', message }
}
