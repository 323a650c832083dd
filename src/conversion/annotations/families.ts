/**
 * Every annotation that is known, by its prefix. To add one: find its prefix below and put a line into the table of that file;
 * `entry.ts` has the constructors of such lines. A new controller is a file with a table and a line here.
 */
import type { ControllerClass } from '../ingress/controller-class.ts'
import { ALB, ALB_PATTERNS } from './aws.ts'
import { APPGW } from './azure.ts'
import { CERT_MANAGER, CERT_MANAGER_ACME, TLS_ACME } from './cert-manager.ts'
import { CONTOUR } from './contour.ts'
import type { AnnotationTable, Entry } from './entry.ts'
import { carryDns, EXTERNAL_DNS } from './external-dns.ts'
import { GCE, GCE_KUBERNETES, GCE_STATUS, GKE } from './google.ts'
import { GUARD_PATTERNS } from './guards.ts'
import { HAPROXY, HAPROXY_COMMUNITY } from './haproxy.ts'
import { LEGACY } from './legacy.ts'
import { NGINX } from './nginx/nginx.ts'
import { KUBERNETES } from './tools.ts'
import { TRAEFIK, TRAEFIK_PATTERNS } from './traefik.ts'

export interface Family {
  readonly prefix: string
  readonly table: AnnotationTable
  readonly patterns?: readonly (readonly [RegExp, (name: string) => Entry])[]
  /** The only controllers that read it; undefined for what is read beside any controller. */
  readonly readers?: readonly Reader[]
}

/** Controllers besides those whose paths are read in a way of their own. */
export type Reader = ControllerClass | keyof typeof OTHER_CLASSES

/** By what their classes are called. */
export const OTHER_CLASSES = {
  appgw: /appgw|application-gateway/,
  haproxy: /haproxy/,
  contour: /contour/,
  kong: /kong/,
  apisix: /apisix/,
  cilium: /cilium/,
} as const

/** The first family with this prefix that knows the annotation wins, else the last one with the prefix. */
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

/** The annotations of one prefix, for docs/reference/annotations.md. */
export interface KnownAnnotations {
  readonly prefix: string
  /** Classes of the only controllers that read them; undefined for those that are read beside any controller. */
  readonly readers: readonly string[] | undefined
  readonly names: readonly string[]
  /** Names of a form, as regular expressions. */
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
