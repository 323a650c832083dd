/**
 * All known annotations by prefix. To add one, find its prefix below and add a line to the table of that file;
 * `entry.ts` has the constructors. A new controller is a file with a table, and a line here.
 */
import type { ControllerClass } from '../ingress/controller-class.ts'
import { ALB, ALB_PATTERNS } from './aws.ts'
import { APPGW } from './azure.ts'
import { CERT_MANAGER, CERT_MANAGER_ACME, TLS_ACME } from './cert-manager.ts'
import { CONTOUR } from './contour.ts'
import type { AnnotationTable, Entry } from './entry.ts'
import { carryDns, DNS_PREFIXES, EXTERNAL_DNS } from './external-dns.ts'
import { APISIX } from './apisix.ts'
import { CILIUM } from './cilium.ts'
import { F5 } from './f5.ts'
import { KONG, KONG_PATTERNS } from './kong.ts'
import { GCE, GCE_KUBERNETES, GCE_STATUS, GKE } from './google.ts'
import { GUARD_PATTERNS, OTHER_PREFIXES } from './guards.ts'
import { HAPROXY, HAPROXY_COMMUNITY } from './haproxy.ts'
import { LEGACY, LEGACY_F5 } from './legacy.ts'
import { NGINX } from './nginx/nginx.ts'
import { KUBERNETES } from './tools.ts'
import { TRAEFIK, TRAEFIK_PATTERNS } from './traefik.ts'

export interface Family {
  readonly prefix: string
  readonly table: AnnotationTable
  readonly patterns?: readonly (readonly [RegExp, (name: string) => Entry])[]
  /** The only controllers that read it; undefined if it is independent of the controller. */
  readonly readers?: readonly Reader[]
}

/** The controllers' own names, for the report. */
export const READER_NAMES: Readonly<Record<Reader, string>> = {
  nginx: 'ingress-nginx',
  f5: 'F5 NGINX Ingress Controller',
  istio: 'Istio',
  alb: 'AWS Load Balancer Controller',
  gce: 'GKE Ingress',
  traefik: 'Traefik',
  kong: 'Kong',
  appgw: 'Azure Application Gateway',
  haproxy: 'HAProxy',
  contour: 'Contour',
  apisix: 'APISIX',
  cilium: 'Cilium',
  unknown: 'a controller that is not known',
}

/** The controllers, including those whose paths have no special meaning. */
export type Reader = ControllerClass | keyof typeof OTHER_CLASSES

/** Patterns of their class names. */
export const OTHER_CLASSES = {
  appgw: /appgw|application-gateway/,
  haproxy: /haproxy/,
  contour: /contour/,
  apisix: /apisix/,
  cilium: /cilium/,
} as const

/**
 * The first family with this prefix wins that knows the annotation and whose controller serves the Ingress; otherwise
 * the first that knows the annotation; otherwise the last one with the prefix.
 */
export const FAMILIES: readonly Family[] = [
  {
    prefix: 'nginx.ingress.kubernetes.io/',
    table: NGINX,
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
  { prefix: 'ingress.kubernetes.io/', table: LEGACY_F5, readers: ['f5'] },
  // F5's controller, whose class is also called nginx.
  { prefix: 'nginx.org/', table: F5, patterns: GUARD_PATTERNS, readers: ['f5', 'nginx'] },
  { prefix: 'nginx.com/', table: F5, patterns: GUARD_PATTERNS, readers: ['f5', 'nginx'] },
  { prefix: 'konghq.com/', table: KONG, patterns: [...KONG_PATTERNS, ...GUARD_PATTERNS], readers: ['kong'] },
  { prefix: 'k8s.apisix.apache.org/', table: APISIX, patterns: GUARD_PATTERNS, readers: ['apisix'] },
  { prefix: 'ingress.cilium.io/', table: CILIUM, patterns: GUARD_PATTERNS, readers: ['cilium'] },
  // Web application firewalls of F5, and controllers whose annotations are not known one by one.
  ...['appprotect.f5.com/', 'appprotectdos.f5.com/', ...OTHER_PREFIXES].map((prefix): Family => ({
    prefix,
    table: {},
    patterns: GUARD_PATTERNS,
  })),
  { prefix: 'acme.cert-manager.io/', table: CERT_MANAGER_ACME },
  { prefix: 'cert-manager.io/', table: CERT_MANAGER },
  ...DNS_PREFIXES.map((prefix): Family => ({
    prefix,
    table: EXTERNAL_DNS,
    patterns: [
      [/^((?:aws|cloudflare|scw|google|azure|ns1|coredns|ibmcloud|webhook|plural|alibabacloud)-.+)$/, carryDns],
    ],
  })),
  { prefix: 'kubernetes.io/', table: { ...KUBERNETES, ...TLS_ACME, ...GCE_KUBERNETES } },
]

/** The annotations of one prefix, for docs/reference/annotations.md. */
export interface KnownAnnotations {
  readonly prefix: string
  /** The classes of the only controllers that read them; undefined for annotations of tools. */
  readonly readers: readonly string[] | undefined
  readonly names: readonly string[]
  /** Patterns of names, as regular expressions. */
  readonly patterns: readonly string[]
}

export function knownAnnotations(): readonly KnownAnnotations[] {
  return FAMILIES.map(({ prefix, readers, table, patterns = [] }) => ({
    prefix,
    readers,
    names: Object.keys(table).sort(),
    patterns: patterns.map(([pattern]) => pattern.source),
  }))
}
