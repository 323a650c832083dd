/** Hosts that the gateway serves over plain HTTP only, where the Ingress asked for more. */
import { hasTls, ruleHosts, type TlsCoverage } from '../hosts/tls-coverage.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { Claim, ReportLine } from '../model/report.ts'

/** Settles the claims of annotations that ask for a redirect to https: refused where no host of the Ingress has TLS. */
export function settleClaims(
  lines: readonly (ReportLine | Claim)[],
  readings: readonly ReadIngress[],
  tls: TlsCoverage,
): readonly ReportLine[] {
  const refused = new Map(
    readings
      .filter((reading) => isPlainOnly(reading, unredirectedHosts(reading, tls)))
      .map((reading) => [reading.id, noRedirect(reading.id, unredirectedHosts(reading, tls))]),
  )
  return lines.map((line) => {
    if (!('decidedBy' in line)) return line
    const { ingress, about } = line.line
    const refusal = refused.get(ingress)
    return refusal === undefined ? line.line : { ...refusal, about }
  })
}

export function plainHostLines(reading: ReadIngress, tls: TlsCoverage): readonly ReportLine[] {
  const unredirected = unredirectedHosts(reading, tls)
  const isClaimed = reading.settings.redirectsEveryHost === true
  // By ssl-redirect alone ingress-nginx does not redirect such hosts either.
  const isExpected = reading.controller === 'nginx' && !isClaimed
  const isSettled = isClaimed && isPlainOnly(reading, unredirected)
  const redirectLines =
    unredirected.length === 0 || isExpected || isSettled ? [] : [noRedirect(reading.id, unredirected)]
  return [...redirectLines, ...noCertificateLines(reading, tls)]
}

/** A redirect is printed for hosts with TLS only: elsewhere it would lead to nothing. */
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

function noRedirect(ingress: string, hosts: readonly string[]): ReportLine {
  const message = `no redirect to HTTPS: ${hosts.join(', ')} has no HTTPS server, so plain HTTP requests are served`
  return { ingress, level: 'warn', about: 'spec.rules', outcome: 'unsupported', message }
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
  if (controller !== 'nginx') return []
  const message = `without it, ingress-nginx served https://${first} with its default certificate; the gateway does not`
  return [{ ...line, message }]
}
