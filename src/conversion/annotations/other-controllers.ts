/** Traefik, HAProxy (both of its controllers) and Contour: their well-known annotations; of others, what guards a route. */
import {
  approximate,
  claimsHttpsRedirect,
  converted,
  notNeeded,
  readFlag,
  readList,
  readWhole,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './annotation-entry.ts'
import { NGINX_AUTHENTICATION } from './nginx-authentication.ts'
import { NGINX_BACKENDS } from './nginx-backends.ts'
import { NGINX_LIMITS } from './nginx-limits.ts'

const NGINX: AnnotationTable = { ...NGINX_AUTHENTICATION, ...NGINX_LIMITS, ...NGINX_BACKENDS }

const MIDDLEWARE = unsupported(
  'error',
  'middlewares may hold authentication, address lists, rewrites and redirects; each of them has to be said again in Istio',
)

const NO_SERVER = unsupported(
  'error',
  'SECURITY: no HTTPS server is printed for this Ingress, as it names no secret: add spec.tls with its hosts and a secretName',
)

export const TRAEFIK: AnnotationTable = {
  'router.entrypoints': entryPoints,
  'router.middlewares': MIDDLEWARE,
  'router.priority': unsupported('warn', 'the order of routes is given by their paths'),
  'router.rulesyntax': notNeeded('no rule is written'),
  'router.pathmatcher': unsupported('error', 'paths are read as Prefix; another matcher is not read here'),
  'router.tls': whenTrue((value, place) =>
    (namesSecret(place) ? notNeeded('spec.tls says which hosts have TLS') : NO_SERVER)(value, place),
  ),
  'router.tls.certresolver': unsupported(
    'error',
    "Traefik's own ACME resolver stays behind: issue the certificate with cert-manager",
  ),
  'router.tls.options': unsupported('warn', "TLS options are set at the Gateway's server"),
  'service.serversscheme': (value, place) =>
    (value === 'https' ? backendTls('HTTPS') : notNeeded('what the gateway speaks anyway'))(value, place),
  'service.serverstransport': unsupported('warn', 'a ServersTransport is a DestinationRule in Istio'),
  'service.passhostheader': (value, place) =>
    (readFlag(value) === false
      ? unsupported('warn', 'backends get the Host of the client')
      : notNeeded('backends get the Host of the client'))(value, place),
  'service.nativelb': notNeeded('the gateway always speaks to pods'),
  'service.sticky.cookie': unsupported('warn', 'consistentHash of a DestinationRule is the nearest'),
}

/** Keys with names in them. */
export const TRAEFIK_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^router\.tls\.domains\.(.+)$/, () => notNeeded('the certificate says for which names it is')],
  [/^service\.sticky\.cookie\.(.+)$/, () => unsupported('warn', 'consistentHash of a DestinationRule is the nearest')],
  [/^router\.observability\.(.+)$/, () => notNeeded("logs, metrics and traces are the mesh's")],
]

function entryPoints(value: string, place: AnnotationPlace): Effect {
  const names = readList(value)
  if (names.length !== 1 || names[0] !== 'websecure')
    return { outcome: 'approximate', level: 'info', message: 'the gateway serves ports 80 and 443' }
  if (!namesSecret(place)) return { ...NO_SERVER(value, place), settings: { redirectsToHttps: true } }
  return claimsHttpsRedirect('only https: plain requests of hosts with TLS are redirected (308)')
}

/** Traefik has certificates of its own, and one for all: TLS there needs no `spec.tls`. */
function namesSecret({ ingress }: AnnotationPlace): boolean {
  return ingress.tls.some(({ secret }) => secret !== '')
}

/** An entry of ingress-nginx' table that means the same. */
function asNginx(name: string): Entry {
  return (value, place) =>
    NGINX[name]?.(value, { ...place, sibling: () => undefined, effectOf: () => undefined }) ??
    refused(value, 'a value of its own')
}

function backendTls(protocol: 'HTTPS' | 'GRPC'): Entry {
  return (_, place) => asNginx('backend-protocol')(protocol, place)
}

const sslRedirect: Entry = (value) => {
  const flag = readFlag(value)
  if (flag === undefined) return refused(value, 'true or false')
  return converted(
    { redirectsToHttps: flag },
    flag ? 'plain requests of hosts with TLS are redirected (308)' : 'plain requests are served, too',
  )
}
const IDLE = notNeeded('Istio has no time limit of its own')
const PASSWORD = unsupported(
  'error',
  'SECURITY: without it the routes have no password; put an external authorization service in front',
)

/** `haproxy.org/`, of HAProxy Technologies. */
export const HAPROXY: AnnotationTable = {
  'ssl-redirect': sslRedirect,
  'ssl-redirect-code': notNeeded('the redirect is 308'),
  'ssl-redirect-port': notNeeded('the redirect goes to port 443'),
  'allow-list': asNginx('allowlist-source-range'),
  whitelist: asNginx('allowlist-source-range'),
  'deny-list': asNginx('denylist-source-range'),
  blacklist: asNginx('denylist-source-range'),
  'auth-type': PASSWORD,
  'auth-secret': PASSWORD,
  'auth-realm': PASSWORD,
  'path-rewrite': unsupported(
    'error',
    'the path is rewritten by a regular expression of HAProxy; say it with rewrite in the VirtualService',
  ),
  'server-ssl': (value, place) =>
    (readFlag(value) === true ? backendTls('HTTPS') : notNeeded('what the gateway speaks anyway'))(value, place),
  'rate-limit-requests': unsupported('warn', 'a limit needs an EnvoyFilter'),
  'timeout-client': IDLE,
  'timeout-server': IDLE,
  'timeout-connect': IDLE,
  'timeout-tunnel': IDLE,
  'timeout-http-request': IDLE,
  'load-balance': unsupported('warn', 'loadBalancer of a DestinationRule is the nearest'),
  'cookie-persistence': unsupported('warn', 'consistentHash of a DestinationRule is the nearest'),
  'set-host': (value) => converted({ authority: value }, `backends get ${value} as Host`),
  'ssl-passthrough': (value) =>
    readFlag(value) === true
      ? converted({ isPassthrough: true }, 'TLS is passed through by server name')
      : { outcome: 'not-needed', level: 'info', message: 'is switched off' },
  'request-set-header': unsupported('warn', 'headers.request.set of the route'),
  'response-set-header': unsupported('warn', 'headers.response.set of the route'),
  'backend-config-snippet': unsupported(
    'error',
    'configuration of HAProxy itself; what it does has to be said again in Istio',
  ),
  'frontend-config-snippet': unsupported(
    'error',
    'configuration of HAProxy itself; what it does has to be said again in Istio',
  ),
  check: notNeeded('Istio watches the endpoints that Kubernetes calls ready'),
  'forwarded-for': notNeeded('Envoy always sends x-forwarded-for'),
}

/** `haproxy-ingress.github.io/`, of the community. */
export const HAPROXY_COMMUNITY: AnnotationTable = {
  'ssl-redirect': sslRedirect,
  'ssl-passthrough': (value, place) => HAPROXY['ssl-passthrough']?.(value, place) ?? refused(value, 'true or false'),
  'allowlist-source-range': asNginx('allowlist-source-range'),
  'whitelist-source-range': asNginx('allowlist-source-range'),
  'denylist-source-range': asNginx('denylist-source-range'),
  'auth-type': PASSWORD,
  'auth-secret': PASSWORD,
  'auth-url': asNginx('auth-url'),
  'auth-tls-secret': asNginx('auth-tls-secret'),
  'rewrite-target': unsupported('error', 'the path is rewritten by HAProxy; say it with rewrite in the VirtualService'),
  'app-root': (value) => converted({ appRoot: value }, `/ redirects to ${value} (302)`),
  'server-alias': (value) => converted({ aliases: readList(value) }, 'the routes are served under these hosts, too'),
  'backend-protocol': unsupported('warn', "the Service's port name or appProtocol says it"),
  'secure-backends': (value, place) =>
    (readFlag(value) === true ? backendTls('HTTPS') : notNeeded('what the gateway speaks anyway'))(value, place),
  'timeout-client': IDLE,
  'timeout-server': IDLE,
  'timeout-connect': IDLE,
  'balance-algorithm': unsupported('warn', 'loadBalancer of a DestinationRule is the nearest'),
  affinity: unsupported('warn', 'consistentHash of a DestinationRule is the nearest'),
  'config-backend': unsupported('error', 'configuration of HAProxy itself; what it does has to be said again in Istio'),
}

/** `projectcontour.io/` */
export const CONTOUR: AnnotationTable = {
  'response-timeout': unsupported('warn', 'timeout of the route, which is a limit for the whole request here as there'),
  'retry-on': contourRetries,
  'num-retries': (value, place) =>
    (place.sibling('retry-on') === undefined ? notNeeded('does nothing without retry-on') : foreignPart('retry-on'))(
      value,
      place,
    ),
  'per-try-timeout': (value, place) =>
    (place.sibling('retry-on') === undefined ? notNeeded('does nothing without retry-on') : foreignPart('retry-on'))(
      value,
      place,
    ),
  'tls-minimum-protocol-version': unsupported('warn', "tls.minProtocolVersion of the Gateway's server"),
  'tls-maximum-protocol-version': unsupported('warn', "tls.maxProtocolVersion of the Gateway's server"),
  'websocket-routes': notNeeded('websockets work on every route'),
  'auth-policy': unsupported(
    'error',
    'SECURITY: a CUSTOM AuthorizationPolicy with an extensionProvider takes its place',
  ),
}

function foreignPart(main: string): Entry {
  return () => ({ outcome: 'converted', level: 'info', message: `part of ${main}` })
}

/** Contour's words are Envoy's. */
function contourRetries(value: string, { sibling, target }: Parameters<Entry>[1]): Effect {
  if (target === 'gateway-api')
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: "retries of a route are not in Gateway API's standard channel; --to istio has them",
    }
  const seconds = readWhole(sibling('per-try-timeout')?.replace(/s$/, ''), 1)
  const retries = { attempts: readWhole(sibling('num-retries'), 1) ?? 1, on: value, perTryTimeoutSeconds: seconds }
  return approximate('info', { retries }, 'retries of the route')
}

/** `ingress.kubernetes.io/`, the common ancestor of several controllers'. */
export const LEGACY: AnnotationTable = {
  'force-ssl-redirect': (value, place) =>
    readFlag(value) === true
      ? claimsHttpsRedirect('plain requests of hosts with TLS are redirected (308)')
      : sslRedirect(value, place),
  'ssl-redirect': sslRedirect,
  'whitelist-source-range': asNginx('allowlist-source-range'),
  'auth-type': PASSWORD,
  'auth-secret': PASSWORD,
  'rewrite-target': unsupported('error', 'the path is rewritten; say it with rewrite in the VirtualService'),
}

/** Names of controllers whose annotations are not known one by one: what keeps somebody out must not go unsaid. */
export const GUARD_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^(.*(?:auth|jwt|oidc|plugin|polic|protect|waf|allow|deny|block|whitelist|secret|snippet).*)$/, () => GUARD],
  [/^(.*(?:rewrite|strip-path|regex).*)$/, () => REWRITE],
]

const GUARD = unsupported(
  'error',
  'SECURITY: it may hold authentication, address lists or other policies, which are not read here: say them again in Istio',
)
const REWRITE = unsupported(
  'error',
  'paths are changed in a way that is not read here: say it again in the VirtualService',
)
