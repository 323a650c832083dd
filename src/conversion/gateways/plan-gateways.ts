/**
 * The third stage: assigns hosts to Gateways. Ingresses of a namespace that share a host or a certificate share a
 * Gateway. If two Gateways have the same TLS host, Istio ignores the second; if they have the same certificate,
 * browsers reuse connections for the wrong one
 * (https://istio.io/latest/docs/ops/common-problems/network-issues/#404-errors-occur-when-multiple-gateways-configured-with-same-tls-certificate).
 */
import { ingressHosts, type TlsCoverage } from '../hosts/tls-coverage.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { labelName } from '../model/object-names.ts'
import { collect, type Reported } from '../model/report.ts'
import type { VirtualHost } from '../model/virtual-host.ts'
import { challengeLines } from './acme-challenges.ts'
import { connectedGroups } from './connected-groups.ts'
import { gatewayAnnotations } from './gateway-annotations.ts'
import type { GatewayPlan } from './gateway-plan.ts'
import { plainHostLines } from './plain-hosts.ts'
import { tlsServers } from './tls-servers.ts'

export function planGateways(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
  tls: TlsCoverage,
  options: ConversionOptions,
): Reported<readonly GatewayPlan[]> {
  const byHost = groupBy(hosts, ({ namespace, certificateHost }) => `${namespace}/${certificateHost}`)
  const groups = connectedGroups(readings, (reading) => [...hostKeys(reading), ...secretKeys(reading)])
  const plans = collect(groups.flatMap((group) => planGateway(group, byHost, options)))
  return {
    value: plans.value,
    lines: [
      ...readings.flatMap((reading) => plainHostLines(reading, tls)),
      ...plans.lines,
      ...readings.flatMap(challengeLines),
    ],
  }
}

function planGateway(
  group: readonly ReadIngress[],
  byHost: ReadonlyMap<string, readonly VirtualHost[]>,
  options: ConversionOptions,
): readonly Reported<GatewayPlan>[] {
  const hosts = [...new Set(group.flatMap(hostKeys))].flatMap((key) => byHost.get(key) ?? [])
  const [oldest] = group
  if (oldest === undefined || hosts.length === 0) return []
  const { namespace, name } = oldest.ingress
  const tls = tlsServers(group, hosts, options)
  const annotations = gatewayAnnotations(group)
  const value = {
    namespace,
    name: labelName(name),
    ingresses: group,
    hosts,
    tls: tls.value,
    annotations: annotations.value,
  }
  return [{ value, lines: [...tls.lines, ...annotations.lines] }]
}

function hostKeys({ ingress }: ReadIngress): readonly string[] {
  return ingressHosts(ingress).map((host) => `${ingress.namespace}/${host}`)
}

function secretKeys({ ingress }: ReadIngress): readonly string[] {
  return ingress.tls.filter(({ secret }) => secret !== '').map(({ secret }) => `${ingress.namespace}/secret/${secret}`)
}
