/**
 * A wildcard host beside a narrower one with a certificate of its own: in one Gateway, Istio binds the wildcard's
 * VirtualService to the narrower host's server, too, and of two that both fit the older one has the word (seen in Envoy).
 */
import type { ConversionOptions } from './conversion-options.ts'
import { isCoveredByWildcard } from './hosts.ts'
import type { ReadIngress } from './read-ingresses.ts'
import type { TlsServer } from './site.ts'
import { ruleHosts } from './tls-coverage.ts'

export function remarkWildcardCertificates(
  servers: readonly TlsServer[],
  group: readonly ReadIngress[],
  { target }: ConversionOptions,
): void {
  if (target !== 'istio' || servers.length < 2) return
  for (const server of servers)
    for (const wildcard of server.hosts.filter((host) => host.startsWith('*'))) {
      const others = servers.filter((other) => other !== server).flatMap(({ hosts }) => hosts)
      const narrower = others.filter((host) => isCoveredByWildcard(host, wildcard))
      const owner = group.find((reading) => ruleHosts(reading).includes(wildcard))
      if (narrower.length === 0 || owner === undefined) continue
      const message = `${narrower.join(', ')} has a certificate of its own, and in one Gateway the routes of ${wildcard} may win there: give ${wildcard} a Gateway of its own`
      owner.remarks.push({ level: 'error', about: 'spec.tls', outcome: 'approximate', message })
    }
}
