/** The annotations of a ListenerSet that several Ingresses share. */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { hasIssuer } from '../model/issuers.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import { joinAnnotations, type Annotations } from '../hosts/shared-annotations.ts'

const CERT_MANAGER = /^(?:acme\.)?cert-manager\.io\//

export function gatewayAnnotations(group: readonly ReadIngress[]): Reported<Annotations> {
  const issuing = group.find((reading) => hasIssuer(ownAnnotations(reading)))
  const owned = group.map((reading) => {
    // cert-manager's annotations belong together, so all of them come from one Ingress.
    const isKept = (key: string) => !CERT_MANAGER.test(key) || issuing === undefined || reading === issuing
    const kept = Object.entries(ownAnnotations(reading)).filter(([key]) => isKept(key))
    return { ingress: reading.id, annotations: Object.fromEntries(kept) }
  })
  const joined = joinAnnotations(owned, 'the shared ListenerSet')
  const issuerLines =
    issuing === undefined ? [] : group.flatMap((reading) => issuerConflict(reading, issuing, group) ?? [])
  return { value: joined.value, lines: [...issuerLines, ...joined.lines] }
}

function ownAnnotations({ settings }: ReadIngress): Annotations {
  return settings.gatewayAnnotations ?? {}
}

/**
 * cert-manager issues every secret that a listener names (https://cert-manager.io/docs/usage/gateway/).
 */
function issuerConflict(
  reading: ReadIngress,
  issuing: ReadIngress,
  group: readonly ReadIngress[],
): ReportLine | undefined {
  if (reading === issuing) return undefined
  const message = hasIssuer(ownAnnotations(reading))
    ? otherIssuerMessage(reading, issuing)
    : takenSecretsMessage(reading, issuing, group)
  if (message === undefined) return undefined
  return { ingress: reading.id, level: 'error', about: 'metadata.annotations', outcome: 'unsupported', message }
}

function otherIssuerMessage(reading: ReadIngress, issuing: ReadIngress): string | undefined {
  if (certManagerText(reading) === certManagerText(issuing)) return undefined
  return `the shared ListenerSet has the cert-manager annotations of Ingress ${issuing.id} instead of these. Make them equal, or create a Certificate for each secret and remove the issuer from the ListenerSet`
}

function certManagerText(reading: ReadIngress): string {
  const entries = Object.entries(ownAnnotations(reading)).filter(([key]) => CERT_MANAGER.test(key))
  return JSON.stringify(entries.toSorted())
}

function takenSecretsMessage(
  reading: ReadIngress,
  issuing: ReadIngress,
  group: readonly ReadIngress[],
): string | undefined {
  const issued = new Set(group.filter((one) => hasIssuer(ownAnnotations(one))).flatMap(secretsOf))
  const taken = secretsOf(reading).filter((secret) => !issued.has(secret))
  if (taken.length === 0) return undefined
  return `sharing a ListenerSet with Ingress ${issuing.id} would make cert-manager overwrite secret ${taken.join(', ')}. Create Certificates for the secrets of ${issuing.id} and remove the issuer from the ListenerSet, or let cert-manager manage this secret`
}

function secretsOf({ ingress }: ReadIngress): readonly string[] {
  return ingress.tls.map(({ secret }) => secret).filter((secret) => secret !== '')
}
