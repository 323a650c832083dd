/**
 * How ACME issuers reach hosts that the gateway serves (https://cert-manager.io/docs/configuration/acme/http01/ and
 * https://cert-manager.io/docs/configuration/acme/dns01/).
 */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { hasIssuer } from '../model/issuers.ts'
import type { ReportLine } from '../model/report.ts'

/**
 * The annotation does not say whether its issuer uses ACME, so every issuer gets the lines. HTTP-01 cannot prove a
 * wildcard.
 */
export function challengeLines(reading: ReadIngress): readonly ReportLine[] {
  if (!asksForCertificates(reading)) return []
  const line = { ingress: reading.id, about: 'spec.tls', outcome: 'platform-step' } as const
  const message =
    'an ACME issuer that uses HTTP-01 needs a solver that the gateway serves: ingress class istio, or gatewayHTTPRoute'
  const wildcards = reading.ingress.tls.flatMap(({ hosts }) => hosts.filter((host) => host.startsWith('*.')))
  if (wildcards.length === 0) return [{ ...line, level: 'info', message }]
  const wildcardMessage = `an ACME issuer needs a DNS-01 solver for ${wildcards.join(', ')}: HTTP-01 cannot validate wildcards`
  return [
    { ...line, level: 'info', message },
    { ...line, level: 'warn', message: wildcardMessage },
  ]
}

function asksForCertificates({ ingress, settings }: ReadIngress): boolean {
  if (ingress.tls.every(({ secret }) => secret === '')) return false
  return settings.certificate !== undefined || hasIssuer(settings.gatewayAnnotations ?? {})
}
