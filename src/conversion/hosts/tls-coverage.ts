/** The hosts with TLS at the gateway. In ingress-nginx TLS is a property of the host, not of an Ingress. */
import { hasClassGateways, type ConversionOptions } from '../model/conversion-options.ts'
import { coveringNames } from '../model/hosts.ts'
import type { Ingress, IngressTls } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'

export interface TlsEntry {
  readonly reading: ReadIngress
  readonly entry: IngressTls
  /** The hosts of the entry, or of the Ingress' rules if it lists none. */
  readonly hosts: readonly string[]
}

/** Returns the entries that the gateway can serve: those with a secret, unless TLS ends in front of the gateway. */
export function tlsEntries(readings: readonly ReadIngress[]): readonly TlsEntry[] {
  return readings
    .filter(({ settings }) => settings.isTlsOffloaded !== true)
    .flatMap((reading) =>
      reading.ingress.tls
        .filter(({ secret }) => secret !== '')
        .map((entry) => ({ reading, entry, hosts: entry.hosts.length > 0 ? entry.hosts : ruleHosts(reading) })),
    )
}

/** A rule without a host, or a default backend without rules, counts as host `*`. */
export function ingressHosts({ rules, defaultBackend }: Ingress): readonly string[] {
  if (rules.length === 0 && defaultBackend !== undefined) return ['*']
  return rules.map(({ host }) => (host === '' ? '*' : host))
}

export function ruleHosts({ ingress }: ReadIngress): readonly string[] {
  return [...new Set(ingress.rules.map(({ host }) => host).filter((host) => host !== ''))]
}

/** `namespace/host` of every host of an entry, with wildcards as written; namespace `*` for a host that has TLS in all. */
export type TlsCoverage = ReadonlySet<string>

/**
 * All namespaces share the gateway, or that of an ingress class, so a host that has TLS in one namespace has it in all.
 */
export function tlsCoverage(
  readings: readonly ReadIngress[],
  options: Pick<ConversionOptions, 'target' | 'gateway'>,
): TlsCoverage {
  const named = new Set(
    tlsEntries(readings).flatMap(({ reading, hosts }) => hosts.map((host) => `${reading.ingress.namespace}/${host}`)),
  )
  if (options.target !== 'istio' && !hasClassGateways(options)) return named
  const secured = readings.flatMap((reading) =>
    ruleHosts(reading).filter((host) => hasTls(host, reading.ingress.namespace, named)),
  )
  return new Set([...named, ...secured.map((host) => `${ANY_NAMESPACE}/${host}`)])
}

const ANY_NAMESPACE = '*'

export function hasTls(host: string, namespace: string, coverage: TlsCoverage): boolean {
  return (
    coverage.has(`${ANY_NAMESPACE}/${host}`) || coveringNames(host).some((name) => coverage.has(`${namespace}/${name}`))
  )
}
