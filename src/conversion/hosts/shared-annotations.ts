/** Annotations of several Ingresses on one object: the older Ingress' value wins, and the other one is reported. */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { Reported, ReportLine } from '../model/report.ts'

export type Annotations = Readonly<Record<string, string>>

export interface OwnedAnnotations {
  /** The id of the Ingress. */
  readonly ingress: string
  readonly annotations: Annotations
}

export function dnsAnnotations(host: string, readings: readonly ReadIngress[]): Reported<Annotations> {
  const owned = [...new Set(readings)].map(({ id, settings }) => ({
    ingress: id,
    annotations: settings.dnsAnnotations ?? {},
  }))
  return joinAnnotations(owned, `host ${host}`)
}

/** The value of this annotation is a list, to which both Ingresses add. */
const HOSTNAMES = ['external-dns.kubernetes.io/hostname', 'external-dns.alpha.kubernetes.io/hostname']

export function joinAnnotations(owners: readonly OwnedAnnotations[], object: string): Reported<Annotations> {
  const held = new Map<string, { readonly value: string; readonly ingress: string }>()
  const lines: ReportLine[] = []
  for (const { ingress, annotations } of owners)
    for (const [key, value] of Object.entries(annotations)) {
      const first = held.get(key)
      if (first === undefined) held.set(key, { value, ingress })
      else if (HOSTNAMES.includes(key)) held.set(key, { ...first, value: joinNames(first.value, value) })
      else if (first.value !== value && !isDouble(key)) {
        const message = `${key} of Ingress ${first.ingress} applies to ${object}: ${first.value}, not ${value}`
        lines.push({ ingress, level: 'warn', about: 'metadata.annotations', outcome: 'unsupported', message })
      }
    }
  return { value: Object.fromEntries([...held].map(([key, { value }]) => [key, value])), lines }
}

function joinNames(left: string, right: string): string {
  const names = `${left},${right}`.split(',').map((name) => name.trim())
  return [...new Set(names)].filter((name) => name !== '').join(',')
}

/** Objects have external-dns annotations under two prefixes; one line covers both. */
function isDouble(key: string): boolean {
  return key.startsWith('external-dns.kubernetes.io/')
}
