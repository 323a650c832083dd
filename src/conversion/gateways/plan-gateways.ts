/**
 * The third stage: assigns hosts to Gateways. Ingresses of a namespace that share a host or a certificate share a
 * Gateway. If two Gateways have the same TLS host, Istio ignores the second; if they have the same certificate,
 * browsers reuse connections for the wrong one
 * (https://istio.io/latest/docs/ops/common-problems/network-issues/#404-errors-occur-when-multiple-gateways-configured-with-same-tls-certificate).
 */
import type { TlsCoverage } from '../hosts/tls-coverage.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { hasClassGateways, type ConversionOptions } from '../model/conversion-options.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { labelName } from '../model/object-names.ts'
import { collect, type Reported } from '../model/report.ts'
import type { VirtualHost } from '../model/virtual-host.ts'
import { challengeLines } from './acme-challenges.ts'
import { classDrafts } from './class-drafts.ts'
import { connectedGroups } from './connected-groups.ts'
import { gatewayAnnotations } from './gateway-annotations.ts'
import type { GatewayDraft } from './gateway-draft.ts'
import { hostKeys, secretKeys, type HostsByKey } from './group-keys.ts'
import type { GatewayPlan } from './gateway-plan.ts'
import { hostHomes, type HostHomes } from './host-homes.ts'
import { plainHostLines } from './plain-hosts.ts'
import { tlsServers } from './tls-servers.ts'

export function planGateways(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
  tls: TlsCoverage,
  options: ConversionOptions,
): Reported<readonly GatewayPlan[]> {
  const byHost = groupBy(hosts, ({ namespace, certificateHost }) => `${namespace}/${certificateHost}`)
  const drafts = hasClassGateways(options) ? classDrafts(readings, byHost, options) : groupDrafts(readings, byHost)
  const homes = hostHomes(drafts, options)
  const plans = collect(drafts.map((draft) => planGateway(draft, homes, options)))
  return {
    value: plans.value,
    lines: [
      ...readings.flatMap((reading) => plainHostLines(reading, tls)),
      ...plans.lines,
      ...readings.flatMap(challengeLines),
    ],
  }
}

function groupDrafts(readings: readonly ReadIngress[], byHost: HostsByKey): readonly GatewayDraft[] {
  const groups = connectedGroups(readings, (reading) => [...hostKeys(reading), ...secretKeys(reading)])
  return groups.flatMap((group) => draftOf(group, byHost))
}

function draftOf(group: readonly ReadIngress[], byHost: HostsByKey): readonly GatewayDraft[] {
  const hosts = [...new Set(group.flatMap(hostKeys))].flatMap((key) => byHost.get(key) ?? [])
  const [oldest] = group
  if (oldest === undefined || hosts.length === 0) return []
  const { namespace, name } = oldest.ingress
  return [{ namespace, name: labelName(name), className: '', ingresses: group, hosts }]
}

function planGateway(draft: GatewayDraft, homes: HostHomes, options: ConversionOptions): Reported<GatewayPlan> {
  const tls = tlsServers(draft, homes, options)
  const annotations = gatewayAnnotations(draft.ingresses)
  const homeOf = ({ host }: VirtualHost) => homes.homeOf(draft, host)
  const existing = draft.hosts.flatMap((host) => {
    const home = homeOf(host)
    return home !== undefined && 'gateway' in home ? [[host, home.gateway] as const] : []
  })
  const own = draft.hosts.filter((host) => {
    if (host.isPrintedElsewhere === true) return false
    const home = homeOf(host)
    return home === undefined || ('gateway' in home && !home.servesPlain && host.passthrough === undefined)
  })
  return {
    value: {
      ...draft,
      // The backend of one Ingress ends TLS that is passed through, so there is no second one.
      served: [...own, ...homes.guestsOf(draft).filter(({ passthrough }) => passthrough === undefined)],
      existing: new Map(existing),
      tls: tls.value,
      annotations: annotations.value,
    },
    lines: [...tls.lines, ...annotations.lines],
  }
}
