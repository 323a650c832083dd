/** external-dns: its annotations go to the object that carries the hosts (docs/facts/istio-gateway.md#external-dns). */
import { approximate, converted, type AnnotationPlace, type AnnotationTable, type Effect, type Entry } from './entry.ts'

const PREFIX = 'external-dns.alpha.kubernetes.io/'

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

/** Provider settings: `aws-weight`, `cloudflare-proxied`, `scw-...` and the like. */
export function carryDns(name: string): Entry {
  return carry(name)
}

function carry(name: string): Entry {
  return (value, place) => converted({ dnsAnnotations: { [`${PREFIX}${name}`]: value } }, carriedTo(place))
}

function carriedTo({ target: to }: AnnotationPlace): string {
  return to === 'istio'
    ? 'on the VirtualService; external-dns needs --source=istio-virtualservice'
    : 'on the route; external-dns needs --source=gateway-httproute'
}

/** A name that no rule has gets a DNS record and no route. */
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
  const settings = { dnsAnnotations: { [`${PREFIX}hostname`]: value } }
  if (extra.length === 0) return converted(settings, carriedTo(place))
  return approximate('warn', settings, `${extra.join(', ')} gets a DNS record but no route, because no rule names it`)
}

/** The Gateway API source reads the target from the Gateway only. */
function target(value: string, place: AnnotationPlace): Effect {
  if (place.target === 'istio') return carry('target')(value, place)
  const settings = { gatewayAnnotations: { [`${PREFIX}target`]: value } }
  if (place.gateway.shared === '') return converted(settings, 'on the Gateway, where external-dns reads it')
  return {
    outcome: 'platform-step',
    level: 'warn',
    message: `external-dns reads it from the Gateway ${place.gateway.shared} only`,
  }
}

function hostnameSource(value: string, { target: to }: AnnotationPlace): Effect {
  if (value === 'defined-hosts-only') return converted({}, 'the hostname annotation is dropped')
  if (value !== 'annotation-only')
    return { outcome: 'not-needed', level: 'info', message: 'external-dns uses both kinds of names by default' }
  if (to === 'gateway-api')
    return converted(
      { dnsAnnotations: { [`${PREFIX}gateway-hostname-source`]: value } },
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
