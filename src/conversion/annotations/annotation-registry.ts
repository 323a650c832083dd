/**
 * Every annotation that is known, and what becomes of each of an Ingress' annotations: exactly one line for each, whatever
 * it is (spec/ingress.md 2.4, "output contract").
 */
import type { ControllerClass } from '../ingress/controller-class.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { ingressId, type Ingress } from '../ingress/ingress.ts'
import type { IngressSettings } from '../model/ingress-settings.ts'
import { mergeSettings } from './merge-settings.ts'
import type { Claim, Reported, ReportLine } from '../model/report.ts'
import {
  foreign,
  unsupported,
  type AnnotationPlace,
  type AnnotationSettings,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './annotation-entry.ts'
import { backendActions } from './alb-actions.ts'
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
import {
  CONTOUR,
  GUARD_PATTERNS,
  HAPROXY,
  HAPROXY_COMMUNITY,
  LEGACY,
  TRAEFIK,
  TRAEFIK_PATTERNS,
} from './other-controllers.ts'

interface Family {
  readonly prefix: string
  readonly table: AnnotationTable
  readonly patterns?: readonly (readonly [RegExp, (name: string) => Entry])[]
  /** The only controllers that read it; undefined for what is read beside any controller. */
  readonly readers?: readonly Reader[]
}

/** Controllers besides those whose paths are read in a way of their own. */
type Reader = ControllerClass | keyof typeof OTHER_CLASSES

/** By what their classes are called. */
const OTHER_CLASSES = {
  appgw: /appgw|application-gateway/,
  haproxy: /haproxy/,
  contour: /contour/,
  kong: /kong/,
  apisix: /apisix/,
  cilium: /cilium/,
} as const

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
    readers: ['nginx'],
  },
  { prefix: 'alb.ingress.kubernetes.io/', table: ALB, patterns: ALB_PATTERNS, readers: ['alb'] },
  { prefix: 'appgw.ingress.kubernetes.io/', table: APPGW, readers: ['appgw'] },
  { prefix: 'ingress.gcp.kubernetes.io/', table: GCE, readers: ['gce'] },
  { prefix: 'networking.gke.io/', table: GKE, readers: ['gce'] },
  { prefix: 'traefik.ingress.kubernetes.io/', table: TRAEFIK, patterns: TRAEFIK_PATTERNS, readers: ['traefik'] },
  { prefix: 'haproxy.org/', table: HAPROXY, readers: ['haproxy'] },
  { prefix: 'haproxy-ingress.github.io/', table: HAPROXY_COMMUNITY, readers: ['haproxy'] },
  { prefix: 'projectcontour.io/', table: CONTOUR, readers: ['contour'] },
  { prefix: 'ingress.kubernetes.io/', table: GCE_STATUS },
  { prefix: 'ingress.kubernetes.io/', table: LEGACY, readers: ['contour', 'haproxy'] },
  // F5's controller, whose class is called nginx as well.
  { prefix: 'nginx.org/', table: {}, patterns: GUARD_PATTERNS, readers: ['nginx'] },
  { prefix: 'nginx.com/', table: {}, patterns: GUARD_PATTERNS, readers: ['nginx'] },
  { prefix: 'konghq.com/', table: {}, patterns: GUARD_PATTERNS, readers: ['kong'] },
  { prefix: 'k8s.apisix.apache.org/', table: {}, patterns: GUARD_PATTERNS, readers: ['apisix'] },
  { prefix: 'ingress.cilium.io/', table: {}, patterns: GUARD_PATTERNS, readers: ['cilium'] },
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

/** The settings of all annotations together, and a line for each annotation in the order of their keys. */
export function accountForAnnotations(
  ingress: Ingress,
  controller: ControllerClass,
  { target, gateway }: ConversionOptions,
): Reported<IngressSettings, ReportLine | Claim> {
  const read = [...ingress.annotations]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => ({ key, effect: effectOf(key, value, { ingress, controller, target, gateway }) }))
  return {
    value: settingsOf(ingress, mergeSettings(read.map(({ effect }) => effect.settings ?? {}))),
    lines: read.map(({ key, effect }) => lineOf(ingressId(ingress), key, effect)),
  }
}

function lineOf(ingress: string, about: string, { level, outcome, message, claim }: Effect): ReportLine | Claim {
  const line = { ingress, level, about, outcome, message }
  return claim === undefined ? line : { decidedBy: claim, line }
}

function settingsOf(ingress: Ingress, { actions, ...settings }: AnnotationSettings): IngressSettings {
  const resolved = backendActions(ingress, actions)
  return resolved.size === 0 ? settings : { ...settings, backendActions: resolved }
}

type Place = Omit<AnnotationPlace, 'sibling' | 'effectOf'>

function effectOf(key: string, value: string, place: Place): Effect {
  const family = familyOf(key)
  if (family === undefined) return foreignEffect(key, value, withSiblings(place, ''))
  const { prefix, readers } = family
  if (readers !== undefined && !readers.some((reader) => isOfClass(reader, place)))
    return {
      outcome: 'foreign',
      level: 'info',
      message: `only the controller of class ${readers.join(' or ')} reads it; this Ingress is of class ${place.controller}`,
    }
  const entry = entryOf(family, key.slice(prefix.length))
  return (entry ?? UNKNOWN)(value, withSiblings(place, prefix))
}

function familyOf(key: string): Family | undefined {
  const families = FAMILIES.filter(({ prefix }) => key.startsWith(prefix))
  return families.find((family) => entryOf(family, key.slice(family.prefix.length)) !== undefined) ?? families.at(-1)
}

/** A class that says whose it is counts, also where annotations of another controller made it pass for that one's. */
function isOfClass(reader: Reader, { controller, ingress }: Place): boolean {
  if (controller === 'unknown' || controller === reader) return true
  const name = ingress.annotations.get('kubernetes.io/ingress.class') ?? ingress.className
  return name !== undefined && isOtherClass(reader) && OTHER_CLASSES[reader].test(name)
}

function isOtherClass(reader: Reader): reader is keyof typeof OTHER_CLASSES {
  return Object.hasOwn(OTHER_CLASSES, reader)
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
