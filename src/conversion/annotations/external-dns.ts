/**
 * external-dns. Its annotations move to the object that contains the hosts (docs/facts/istio-gateway.md#external-dns).
 */
import type { Ingress } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { Note } from '../model/report.ts'
import { approximate, converted, type AnnotationPlace, type AnnotationTable, type Effect, type Entry } from './entry.ts'

/**
 * external-dns reads the first prefix since version 0.22, without falling back to the second, which earlier versions
 * read (https://kubernetes-sigs.github.io/external-dns/v0.23.0/docs/annotations/annotations/). Objects get both.
 */
export const DNS_PREFIXES = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/'] as const

/** Says which version of external-dns reads which prefix, if an object gets any of its annotations. */
export function prefixNotes(readings: readonly ReadIngress[]): readonly Note[] {
  const isWritten = readings.some(({ settings: { dnsAnnotations = {}, gatewayAnnotations = {} } }) =>
    [...Object.keys(dnsAnnotations), ...Object.keys(gatewayAnnotations)].some((key) => key.startsWith('external-dns.')),
  )
  if (!isWritten) return []
  const [current, earlier] = DNS_PREFIXES
  const message = `the objects have its annotations under both prefixes: external-dns 0.22 and later reads ${current} only, unless 0.23 and later runs with --enable-legacy-annotation-prefix; earlier versions read ${earlier} only`
  return [{ level: 'info', about: 'external-dns', outcome: 'approximate', message }]
}

/** Sets the value under both prefixes, unless the Ingress has its own value for the other one. */
function underBoth(name: string, value: string, { annotations }: Ingress): Readonly<Record<string, string>> {
  return Object.fromEntries(
    DNS_PREFIXES.map((prefix) => [`${prefix}${name}`, annotations.get(`${prefix}${name}`) ?? value]),
  )
}

export const EXTERNAL_DNS: AnnotationTable = {
  hostname,
  target,
  ttl: carry('ttl'),
  controller: carry('controller'),
  'set-identifier': carry('set-identifier'),
  alias: carry('alias'),
  'ingress-hostname-source': hostnameSource,
  access: onService('access'),
  'internal-hostname': onService('internal-hostname'),
  'endpoints-type': onService('endpoints-type'),
}

/** Provider settings such as `aws-weight`, `cloudflare-proxied` and `scw-...`. */
export function carryDns(name: string): Entry {
  return carry(name)
}

function carry(name: string): Entry {
  return (value, place) => converted({ dnsAnnotations: underBoth(name, value, place.ingress) }, carriedTo(place))
}

function carriedTo({ target: to }: AnnotationPlace): string {
  return to === 'istio'
    ? 'on the VirtualService, under both prefixes; external-dns needs --source=istio-virtualservice'
    : 'on the route, under both prefixes; external-dns needs --source=gateway-httproute'
}

/** A name without a rule gets a DNS record but no route. */
function hostname(value: string, place: AnnotationPlace): Effect {
  const hosts = place.ingress.rules.map(({ host }) => host)
  const extra = value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && !hosts.includes(name))
  const source = place.sibling('ingress-hostname-source')
  if (source === 'defined-hosts-only')
    return {
      outcome: 'not-needed',
      level: 'info',
      message: 'ingress-hostname-source limits records to the hosts of the rules',
    }
  const settings = { dnsAnnotations: underBoth('hostname', value, place.ingress) }
  if (extra.length === 0) return converted(settings, carriedTo(place))
  return approximate('warn', settings, `${extra.join(', ')} gets a DNS record but no route, because no rule names it`)
}

/** The Gateway API source reads the target only from the Gateway. */
function target(value: string, place: AnnotationPlace): Effect {
  if (place.target === 'istio') return carry('target')(value, place)
  const settings = { gatewayAnnotations: underBoth('target', value, place.ingress) }
  if (place.hasListenerSets)
    return converted(
      settings,
      'on the ListenerSet, under both prefixes; external-dns reads it with --gateway-listener-sets',
    )
  if (place.gateway.shared === '') return converted(settings, 'on the Gateway, where external-dns reads it')
  return {
    outcome: 'platform-step',
    level: 'warn',
    message: `external-dns reads it from the Gateway ${place.gateway.shared} only`,
  }
}

function hostnameSource(value: string, { target: to, ingress }: AnnotationPlace): Effect {
  if (value === 'defined-hosts-only') return converted({}, 'the hostname annotation is dropped')
  if (value !== 'annotation-only')
    return { outcome: 'not-needed', level: 'info', message: 'external-dns uses both kinds of names by default' }
  if (to === 'gateway-api')
    return converted(
      { dnsAnnotations: underBoth('gateway-hostname-source', value, ingress) },
      'gateway-hostname-source of the route',
    )
  return {
    outcome: 'approximate',
    level: 'warn',
    message:
      "external-dns' Istio sources always use the hosts as well; annotate the VirtualService with controller: none to opt out",
  }
}

function onService(name: string): Entry {
  return () => ({ outcome: 'foreign', level: 'info', message: `external-dns reads ${name} from Services only` })
}
