/** How issuers that speak ACME reach the hosts once the gateway serves them (spec/ingress.md 3.3). */
import { hasIssuer } from '../model/issuers.ts'
import type { ReadIngress } from '../read-ingresses.ts'

/** An annotation does not say which kind its issuer is of: said of all of them, and graver where HTTP-01 cannot do it. */
export function remarkChallenges(reading: ReadIngress): void {
  if (!asksForCertificates(reading)) return
  const { ingress, remarks } = reading
  const wildcards = ingress.tls.flatMap(({ hosts }) => hosts.filter((host) => host.startsWith('*.')))
  const solver =
    'for HTTP-01 an ACME issuer needs a solver that the gateway serves: ingress class istio, or gatewayHTTPRoute'
  remarks.push({ level: 'info', about: 'spec.tls', outcome: 'platform-step', message: solver })
  if (wildcards.length === 0) return
  const message = `an ACME issuer needs a DNS-01 solver for ${wildcards.join(', ')}: HTTP-01 proves no wildcard`
  remarks.push({ level: 'warn', about: 'spec.tls', outcome: 'platform-step', message })
}

function asksForCertificates({ ingress, settings }: ReadIngress): boolean {
  if (ingress.tls.every(({ secret }) => secret === '')) return false
  return settings.certificate !== undefined || hasIssuer(settings.gatewayAnnotations ?? {})
}
