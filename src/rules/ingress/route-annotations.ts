/**
 * Annotations that make an ingress controller serve more than the spec, or something else.
 *
 * The part after the prefix decides, whatever the controller: the prefix of ingress-nginx is configurable
 * (`--annotations-prefix`, https://kubernetes.github.io/ingress-nginx/user-guide/cli-arguments/), and controllers reuse
 * each other's names. The chart's admission policy has the same list (templates/_ingress.tpl).
 */

/** Each serves hosts, paths or backends that the spec does not have. An ACME solver has none of them. */
export const WIDENING: readonly string[] = [
  'actions.', // alb.ingress.kubernetes.io/actions.NAME
  'alias', // server-alias, server-alias-regex, konghq.com/host-aliases
  'app-root',
  'conditions.', // alb.ingress.kubernetes.io/conditions.NAME
  'custom-http-errors', // serves pages of default-backend
  'default-backend',
  'from-to-www-redirect',
  'hostname-extension', // appgw.ingress.kubernetes.io
  'mergeable-ingress-type', // nginx.org: lets other Ingresses add paths
  'passthrough',
  'snippet',
]

/** Each sends the spec's traffic elsewhere, or gives the Ingress to another controller. */
export const MOVING: readonly string[] = [
  'backend-path-prefix', // appgw.ingress.kubernetes.io
  'canary',
  'ingress.class',
  'mirror',
  'path-regex', // nginx.org
  'redirect',
  'regex',
  'rewrite',
  'router.', // traefik.ingress.kubernetes.io/router.*
  'strip-path', // konghq.com
  'upstream-vhost',
]

const ALL = [...WIDENING, ...MOVING]

/** Returns the annotations of an Ingress that change its traffic, by their full name. */
export function routeAnnotations(annotations: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  return new Map([...annotations].filter(([key]) => isOneOf(ALL, key)))
}

export function hasWideningAnnotation(annotations: ReadonlyMap<string, string>): boolean {
  return [...annotations.keys()].some((key) => isOneOf(WIDENING, key))
}

/** `ssl-redirect` and `force-ssl-redirect` only choose the scheme. */
function isOneOf(parts: readonly string[], key: string): boolean {
  const name = key.slice(key.indexOf('/') + 1)
  return !name.endsWith('ssl-redirect') && parts.some((part) => name.includes(part))
}
