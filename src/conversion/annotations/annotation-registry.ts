/**
 * Every annotation that is known, and what becomes of each of an Ingress' annotations: exactly one line for each, whatever
 * it is (spec/ingress.md 2.4, "output contract").
 */
import type { ControllerClass } from '../controller-class.ts'
import type { ConversionOptions } from '../conversion-options.ts'
import type { Ingress } from '../ingress.ts'
import type { IngressSettings } from '../ingress-settings.ts'
import { mergeSettings } from '../merge-settings.ts'
import type { Remark } from '../report.ts'
import {
  foreign,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './annotation-entry.ts'
import { CERT_MANAGER, CERT_MANAGER_ACME, TLS_ACME } from './cert-manager.ts'
import { ALB, ALB_PATTERNS, APPGW, GCE, GCE_KUBERNETES, GCE_STATUS, GKE } from './cloud-controllers.ts'
import { carryDns, EXTERNAL_DNS } from './external-dns.ts'
import { FOREIGN_PREFIXES, KUBERNETES } from './general.ts'
import { NGINX_ROUTING } from './nginx-routing.ts'
import { NGINX_AUTHENTICATION } from './nginx-authentication.ts'
import { NGINX_BACKENDS } from './nginx-backends.ts'
import { NGINX_CORS } from './nginx-cors.ts'
import { NGINX_LIMITS } from './nginx-limits.ts'
import { NGINX_TRAFFIC } from './nginx-traffic.ts'
import { CONTOUR, HAPROXY, HAPROXY_COMMUNITY, LEGACY, TRAEFIK, TRAEFIK_PATTERNS } from './other-controllers.ts'

interface Family {
  readonly prefix: string
  readonly table: AnnotationTable
  readonly patterns?: readonly (readonly [RegExp, (name: string) => Entry])[]
  /** The only controller that reads it; undefined for what is read beside any controller. */
  readonly reader?: ControllerClass
}

/** The first family whose prefix fits, and that knows the name or stands last with that prefix, has the word. */
const FAMILIES: readonly Family[] = [
  {
    prefix: 'nginx.ingress.kubernetes.io/',
    table: {
      ...NGINX_ROUTING,
      ...NGINX_AUTHENTICATION,
      ...NGINX_LIMITS,
      ...NGINX_CORS,
      ...NGINX_BACKENDS,
      ...NGINX_TRAFFIC,
    },
    reader: 'nginx',
  },
  { prefix: 'alb.ingress.kubernetes.io/', table: ALB, patterns: ALB_PATTERNS, reader: 'alb' },
  { prefix: 'appgw.ingress.kubernetes.io/', table: APPGW },
  { prefix: 'ingress.gcp.kubernetes.io/', table: GCE, reader: 'gce' },
  { prefix: 'networking.gke.io/', table: GKE, reader: 'gce' },
  { prefix: 'traefik.ingress.kubernetes.io/', table: TRAEFIK, patterns: TRAEFIK_PATTERNS, reader: 'traefik' },
  { prefix: 'haproxy.org/', table: HAPROXY },
  { prefix: 'haproxy-ingress.github.io/', table: HAPROXY_COMMUNITY },
  { prefix: 'projectcontour.io/', table: CONTOUR },
  { prefix: 'ingress.kubernetes.io/', table: { ...GCE_STATUS, ...LEGACY } },
  { prefix: 'acme.cert-manager.io/', table: CERT_MANAGER_ACME },
  { prefix: 'cert-manager.io/', table: CERT_MANAGER },
  {
    prefix: 'external-dns.alpha.kubernetes.io/',
    table: EXTERNAL_DNS,
    patterns: [
      [/^((?:aws|cloudflare|scw|google|azure|ns1|coredns|ibmcloud|webhook|plural|alibabacloud)-.+)$/, carryDns],
    ],
  },
  { prefix: 'kubernetes.io/', table: { ...KUBERNETES, ...TLS_ACME, ...GCE_KUBERNETES } },
]

const UNKNOWN = unsupported('warn', 'not known here: what it asks for is not in the objects')
const NO_CONTROLLER = foreign('no Ingress controller is known to read it; copy it where something needs it')

export interface AnnotationAccount {
  readonly settings: IngressSettings
  /** One for each annotation, in the order of their keys. */
  readonly remarks: readonly Remark[]
}

export function accountForAnnotations(
  ingress: Ingress,
  controller: ControllerClass,
  { target, gateway }: ConversionOptions,
): AnnotationAccount {
  const read = [...ingress.annotations]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => ({ key, effect: effectOf(key, value, { ingress, controller, target, gateway }) }))
  return {
    settings: mergeSettings(read.map(({ effect }) => effect.settings ?? {})),
    remarks: read.map(({ key, effect: { level, outcome, message } }) => ({ level, about: key, outcome, message })),
  }
}

type Place = Omit<AnnotationPlace, 'sibling' | 'effectOf'>

function effectOf(key: string, value: string, place: Place): Effect {
  const family = FAMILIES.find(({ prefix }) => key.startsWith(prefix))
  if (family === undefined) return foreignEffect(key, value, withSiblings(place, ''))
  const { prefix, reader } = family
  if (reader !== undefined && place.controller !== 'unknown' && place.controller !== reader)
    return {
      outcome: 'foreign',
      level: 'info',
      message: `only the controller of class ${reader} reads it; this Ingress is of class ${place.controller}`,
    }
  const entry = entryOf(family, key.slice(prefix.length))
  return (entry ?? UNKNOWN)(value, withSiblings(place, prefix))
}

function foreignEffect(key: string, value: string, place: AnnotationPlace): Effect {
  const entry = FOREIGN_PREFIXES.find(([prefix]) => key.startsWith(prefix))?.[1] ?? NO_CONTROLLER
  return entry(value, place)
}

function entryOf({ table, patterns = [] }: Family, name: string): Entry | undefined {
  if (Object.hasOwn(table, name)) return table[name]
  for (const [pattern, build] of patterns) {
    const found = pattern.exec(name)?.[1]
    if (found !== undefined) return build(found)
  }
  return undefined
}

function withSiblings(place: Place, prefix: string): AnnotationPlace {
  const sibling = (name: string) => place.ingress.annotations.get(`${prefix}${name}`)
  return {
    ...place,
    sibling,
    effectOf(name) {
      const value = sibling(name)
      return value === undefined ? undefined : effectOf(`${prefix}${name}`, value, place)
    },
  }
}
