/** Traefik (docs/facts/other-ingress-controllers.md#traefik). */
import { backendScheme } from './as-nginx.ts'
import { middlewaresEffect } from './traefik-middlewares.ts'
import {
  approximate,
  claimsHttpsRedirect,
  converted,
  notNeeded,
  readFlag,
  readList,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './entry.ts'

const CLEAR_HTTP2 = {
  outcome: 'unsupported',
  level: 'error',
  message:
    "name the Service's port http2, or set appProtocol: kubernetes.io/h2c, so that the gateway speaks HTTP/2 to it; a route cannot configure this",
} as const

const NO_SERVER = unsupported(
  'error',
  'SECURITY: no HTTPS server is generated for this Ingress, because it names no secret: add spec.tls with its hosts and a secretName',
)

export const TRAEFIK: AnnotationTable = {
  'router.entrypoints': entryPoints,
  'router.middlewares': middlewaresEffect,
  'router.priority': unsupported('warn', 'the order of routes is given by their paths'),
  'router.rulesyntax': notNeeded('no Traefik rule is generated'),
  'router.pathmatcher': pathMatcher,
  'router.tls': whenTrue((value, place) =>
    (namesSecret(place) ? notNeeded('spec.tls decides which hosts have TLS') : NO_SERVER)(value, place),
  ),
  'router.tls.certresolver': unsupported(
    'error',
    "Traefik's ACME resolver is not available: issue the certificate with cert-manager",
  ),
  'router.tls.options': unsupported('warn', "TLS options are set at the Gateway's server"),
  'service.serversscheme': backendScheme((value) =>
    value === 'h2c' ? CLEAR_HTTP2 : refused(value, 'http, https or h2c'),
  ),
  'service.serverstransport': unsupported('warn', 'use a DestinationRule in place of a ServersTransport'),
  'service.passhostheader': (value, place) =>
    (readFlag(value) === false
      ? unsupported('warn', 'backends get the Host of the client')
      : notNeeded('backends get the Host of the client'))(value, place),
  'service.nativelb': notNeeded('the gateway always speaks to pods'),
  'service.sticky.cookie': unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
}

/** Keys that contain a name. */
export const TRAEFIK_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^router\.tls\.domains\.(.+)$/, () => notNeeded('the certificate contains its names')],
  [
    /^service\.sticky\.cookie\.(.+)$/,
    () => unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
  ],
  [/^router\.observability\.(.+)$/, () => notNeeded('the mesh configures logs, metrics and traces')],
]

/** Of paths of type ImplementationSpecific. Traefik's expressions are searched in the path. */
function pathMatcher(value: string): Effect {
  switch (value) {
    case 'PathPrefix':
      return { outcome: 'not-needed', level: 'info', message: 'paths match as prefixes' }
    case 'Path':
      return converted({ pathExpressions: 'exact' }, 'the paths match exactly')
    case 'PathRegexp':
      return approximate(
        'info',
        { pathExpressions: 'case-sensitive' },
        'the paths are regular expressions that match from the start',
      )
    default:
      return { outcome: 'unsupported', level: 'error', message: `${value} is not read; paths match as prefixes` }
  }
}

function entryPoints(value: string, place: AnnotationPlace): Effect {
  const names = readList(value)
  if (names.length !== 1 || names[0] !== 'websecure')
    return { outcome: 'approximate', level: 'info', message: 'the gateway serves ports 80 and 443' }
  if (!namesSecret(place)) return { ...NO_SERVER(value, place), settings: { redirectsToHttps: true } }
  return claimsHttpsRedirect('only https: plain requests of hosts with TLS are redirected (308)')
}

/** Traefik has a default certificate, so its TLS does not need `spec.tls`. */
function namesSecret({ ingress }: AnnotationPlace): boolean {
  return ingress.tls.some(({ secret }) => secret !== '')
}
