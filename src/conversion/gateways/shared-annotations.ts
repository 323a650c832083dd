/** Annotations of several Ingresses on one object: of two values the older Ingress' holds, and the other is told. */
import { hasIssuer } from '../model/issuers.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Level } from '../model/report.ts'

type Annotations = Readonly<Record<string, string>>

/** Records of all of the names: external-dns takes a list. */
const HOSTNAME = 'external-dns.alpha.kubernetes.io/hostname'
const CERT_MANAGER = /^(?:acme\.)?cert-manager\.io\//

export function dnsAnnotationsOf(host: string, readings: readonly ReadIngress[]): Annotations {
  const owned = [...new Set(readings)].map((reading) => owner(reading, reading.settings.dnsAnnotations))
  return joined(owned, `host ${host}`)
}

export function gatewayAnnotationsOf(group: readonly ReadIngress[]): Annotations {
  const [issuing] = group.filter(({ settings }) => hasIssuer(settings.gatewayAnnotations ?? {}))
  if (issuing !== undefined) for (const reading of group) remarkIssuer(reading, issuing, group)
  const owned = group.map((reading) => {
    const entries = Object.entries(reading.settings.gatewayAnnotations ?? {})
    // What cert-manager is told belongs together: of one Ingress all of it, of the others nothing.
    const isKept = (key: string) => !CERT_MANAGER.test(key) || issuing === undefined || reading === issuing
    return owner(reading, Object.fromEntries(entries.filter(([key]) => isKept(key))))
  })
  return joined(owned, 'the Gateway that they share')
}

interface Owner {
  readonly reading: ReadIngress
  readonly annotations: Annotations
}

function owner(reading: ReadIngress, annotations: Annotations = {}): Owner {
  return { reading, annotations }
}

function joined(owners: readonly Owner[], object: string): Annotations {
  const held = new Map<string, { readonly value: string; readonly id: string }>()
  for (const { reading, annotations } of owners)
    for (const [key, value] of Object.entries(annotations)) {
      const first = held.get(key)
      if (first === undefined) held.set(key, { value, id: reading.id })
      else if (key === HOSTNAME) held.set(key, { value: joinedNames(first.value, value), id: first.id })
      else if (first.value !== value)
        remark(reading, 'warn', `${key} of Ingress ${first.id} holds for ${object}: ${first.value}, not ${value}`)
    }
  return Object.fromEntries([...held].map(([key, { value }]) => [key, value]))
}

function joinedNames(left: string, right: string): string {
  const names = `${left},${right}`.split(',').map((name) => name.trim())
  return [...new Set(names)].filter((name) => name !== '').join(',')
}

/** cert-manager issues every secret that a listener of the Gateway names. */
function remarkIssuer(reading: ReadIngress, issuing: ReadIngress, group: readonly ReadIngress[]): void {
  if (reading === issuing) return
  const own = reading.settings.gatewayAnnotations ?? {}
  if (hasIssuer(own)) remarkOtherIssuer(reading, issuing)
  else remarkTakenSecrets(reading, issuing, group)
}

function remarkOtherIssuer(reading: ReadIngress, issuing: ReadIngress): void {
  if (certManagerText(reading) === certManagerText(issuing)) return
  const message = `the Gateway that they share has the cert-manager annotations of Ingress ${issuing.id}, and not these: make them the same, or write a Certificate for each secret and take the issuer off the Gateway`
  remark(reading, 'error', message)
}

function certManagerText({ settings }: ReadIngress): string {
  const entries = Object.entries(settings.gatewayAnnotations ?? {}).filter(([key]) => CERT_MANAGER.test(key))
  return JSON.stringify(entries.toSorted())
}

function remarkTakenSecrets(reading: ReadIngress, issuing: ReadIngress, group: readonly ReadIngress[]): void {
  const issued = new Set(
    group.filter(({ settings }) => hasIssuer(settings.gatewayAnnotations ?? {})).flatMap(secretsOf),
  )
  const taken = secretsOf(reading).filter((secret) => !issued.has(secret))
  if (taken.length === 0) return
  const message = `cert-manager would issue secret ${taken.join(', ')} anew and replace what is in it, as Ingress ${issuing.id} has an issuer and both share a Gateway: write Certificates for the secrets of ${issuing.id} and take the issuer off the Gateway before it is applied, or agree that cert-manager issues this one, too`
  remark(reading, 'error', message)
}

function secretsOf({ ingress }: ReadIngress): readonly string[] {
  return ingress.tls.map(({ secret }) => secret).filter((secret) => secret !== '')
}

function remark({ remarks }: ReadIngress, level: Level, message: string): void {
  remarks.push({ level, about: 'metadata.annotations', outcome: 'unsupported', message })
}
