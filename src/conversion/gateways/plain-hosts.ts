/** Hosts that the gateway serves only over plain HTTP although the Ingress asked for HTTPS. */
import { hasTls, ruleHosts, type TlsCoverage } from '../hosts/tls-coverage.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { Claim, ReportLine } from '../model/report.ts'

/**
 * Settles the claims of annotations that request a redirect to https. A claim fails if no host of the Ingress has TLS.
 * `tlsOf` returns the coverage of the gateway that serves an Ingress.
 */
export function settleClaims(
  lines: readonly (ReportLine | Claim)[],
  readings: readonly ReadIngress[],
  tlsOf: (ingress: string) => TlsCoverage,
): readonly ReportLine[] {
  const readingOf = new Map(readings.map((reading) => [reading.id, reading]))
  return lines.map((line) => {
    if (!('decidedBy' in line)) return line
    const reading = readingOf.get(line.line.ingress)
    const refusal = reading && refusalOf(line.decidedBy, reading, tlsOf(reading.id))
    return refusal === undefined ? line.line : { ...refusal, about: line.line.about }
  })
}

function refusalOf(claim: Claim['decidedBy'], reading: ReadIngress, tls: TlsCoverage): ReportLine | undefined {
  if (claim === 'client-certificate') {
    const plain = plainHosts(reading, tls)
    return plain.length === 0 ? undefined : noClientCertificate(reading.id, plain)
  }
  const plain = unredirectedHosts(reading, tls)
  return isPlainOnly(reading, plain) ? noRedirect(reading.id, plain, 'error') : undefined
}

function noClientCertificate(ingress: string, hosts: readonly string[]): ReportLine {
  const message = `SECURITY: ${hosts.join(', ')} has no HTTPS server, so no client is asked for a certificate: add spec.tls with a secret`
  return { ingress, level: 'error', about: 'spec.tls', outcome: 'unsupported', message }
}

export function plainHostLines(reading: ReadIngress, tls: TlsCoverage): readonly ReportLine[] {
  const unredirected = unredirectedHosts(reading, tls)
  const isClaimed = reading.settings.redirectsEveryHost === true
  // With ssl-redirect alone, ingress-nginx does not redirect such hosts either.
  const isExpected = traitsOf(reading.controller).servesEveryHostByHttps !== undefined && !isClaimed
  const isSettled = isClaimed && isPlainOnly(reading, unredirected)
  const redirectLines =
    unredirected.length === 0 || isExpected || isSettled
      ? []
      : [noRedirect(reading.id, unredirected, isClaimed ? 'error' : 'warn')]
  return [...redirectLines, ...noCertificateLines(reading, tls)]
}

/** Only hosts with TLS redirect; for other hosts nothing would answer at https. */
function unredirectedHosts(reading: ReadIngress, tls: TlsCoverage): readonly string[] {
  return reading.settings.redirectsToHttps === true ? plainHosts(reading, tls) : []
}

function plainHosts(reading: ReadIngress, tls: TlsCoverage): readonly string[] {
  const { ingress, settings } = reading
  if (settings.canary !== undefined || settings.isPassthrough === true) return []
  return ruleHosts(reading).filter((host) => !hasTls(host, ingress.namespace, tls))
}

function isPlainOnly(reading: ReadIngress, plain: readonly string[]): boolean {
  return plain.length > 0 && plain.length === ruleHosts(reading).length
}

function noRedirect(ingress: string, hosts: readonly string[], level: ReportLine['level']): ReportLine {
  const message = `no redirect to HTTPS: ${hosts.join(', ')} has no HTTPS server, so plain HTTP requests are served`
  return { ingress, level, about: 'spec.rules', outcome: 'unsupported', message }
}

function noCertificateLines(reading: ReadIngress, tls: TlsCoverage): readonly ReportLine[] {
  const { ingress, controller, settings } = reading
  const plain = plainHosts(reading, tls)
  const [first] = plain
  if (first === undefined || settings.isTlsOffloaded === true) return []
  if (ingress.tls.some(({ secret }) => secret === '')) return []
  const line = { ingress: reading.id, level: 'info', about: 'spec.tls', outcome: 'not-needed' } as const
  if (ingress.tls.length > 0)
    return [{ ...line, message: `${plain.join(', ')} has no certificate, so it has no HTTPS server` }]
  const server = traitsOf(controller).servesEveryHostByHttps
  if (server === undefined) return []
  const message = `without it, ${server} served https://${first} with its default certificate; the gateway does not`
  return [{ ...line, message }]
}
