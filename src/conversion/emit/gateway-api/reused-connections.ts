/**
 * What a browser meets that reuses a connection for every host of its certificate: a host is served by the listener that
 * names it best and no other, and Istio has no answer 421 that would send the browser away (GEP-3567; seen in Envoy,
 * test/conversion/support/wildcard-cases.ts). One listener for all hosts of a certificate would mend it, and take what is meant for
 * other Gateways where they share an Envoy.
 */
import { groupBy } from '../../model/group-by.ts'
import type { Entrance, Site } from '../../model/virtual-host.ts'
import { siteOwner } from '../../model/site-owner.ts'
import { isListened, narrowerHosts, type ParentGateway } from './parent-refs.ts'
import type { SecureListener } from './secure-listeners.ts'

export function remarkReuse(entrance: Entrance, listeners: readonly SecureListener[], parent: ParentGateway): void {
  const secrets = groupBy(
    listeners.filter(({ server, host }) => server !== undefined && host !== undefined),
    ({ server }) => server?.secret ?? '',
  )
  const groups = [...secrets.values()].map((group) => group.flatMap(({ host }) => host ?? []))
  for (const hosts of groups) remarkOneCertificate(hosts, entrance)
  for (const site of entrance.sites) remarkWildcard(site, groups, parent, entrance)
}

function remarkOneCertificate(hosts: readonly string[], entrance: Entrance): void {
  const first = entrance.sites.find(({ host }) => hosts.includes(host))
  if (hosts.length < 2 || first === undefined) return
  const mend = hosts.some((host) => host.startsWith('*'))
    ? '--to istio has no such limit'
    : 'a secret for each mends it'
  const message = `a browser that is connected to one of ${hosts.join(', ')} may reuse that for another, as their certificate is the same, and does not get to its routes there: Istio does not turn it away (421); ${mend}`
  siteOwner(first, entrance)?.remarks.push({ level: 'warn', about: 'spec.tls', outcome: 'approximate', message })
}

/** For hosts that have another certificate, and are covered by the wildcard's all the same. */
function remarkWildcard(
  site: Site,
  groups: readonly (readonly string[])[],
  parent: ParentGateway,
  entrance: Entrance,
): void {
  if (site.passthrough !== undefined || !isListened(site, parent)) return
  const same = groups.find((hosts) => hosts.includes(site.host)) ?? []
  const hosts = narrowerHosts(site, parent).filter((host) => !same.includes(host))
  if (hosts.length === 0) return
  const message = `a browser that is connected to another host of ${site.host} may reuse that for ${hosts.join(', ')}, and is answered by the routes of ${site.host}: Istio does not turn it away (421); --to istio has no such limit`
  siteOwner(site, entrance)?.remarks.push({ level: 'warn', about: 'spec.tls', outcome: 'approximate', message })
}
