/** Both controllers of HAProxy (docs/facts/other-ingress-controllers.md#haproxy). */
import { asNginx, backendTls, PASSWORD, passthrough, sslRedirect } from './as-nginx.ts'
import { converted, notNeeded, readFlag, readList, unsupported, type AnnotationTable } from './entry.ts'

const IDLE = notNeeded('Istio sets no time limit')

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
    'the path is rewritten by a regular expression of HAProxy; use rewrite of the VirtualService',
  ),
  'server-ssl': (value, place) =>
    (readFlag(value) === true ? backendTls('HTTPS') : notNeeded('the gateway uses this protocol by default'))(
      value,
      place,
    ),
  'rate-limit-requests': unsupported(
    'error',
    'the number of requests of a client is not limited: Envoy needs a rate limit service for a limit of each address',
  ),
  'timeout-client': IDLE,
  'timeout-server': IDLE,
  'timeout-connect': IDLE,
  'timeout-tunnel': IDLE,
  'timeout-http-request': IDLE,
  'load-balance': unsupported('warn', 'the closest equivalent is loadBalancer of a DestinationRule'),
  'cookie-persistence': unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
  'set-host': (value) => converted({ authority: value }, `backends get ${value} as Host`),
  'ssl-passthrough': passthrough,
  'request-set-header': unsupported('warn', 'headers.request.set of the route'),
  'response-set-header': unsupported('warn', 'headers.response.set of the route'),
  'backend-config-snippet': unsupported('error', 'configuration of HAProxy itself; recreate what it does in Istio'),
  'frontend-config-snippet': unsupported('error', 'configuration of HAProxy itself; recreate what it does in Istio'),
  check: notNeeded('Istio uses the endpoints that Kubernetes reports as ready'),
  'forwarded-for': notNeeded('Envoy always sends x-forwarded-for'),
}

/** `haproxy-ingress.github.io/`, of the community. */
export const HAPROXY_COMMUNITY: AnnotationTable = {
  'ssl-redirect': sslRedirect,
  'ssl-passthrough': passthrough,
  'allowlist-source-range': asNginx('allowlist-source-range'),
  'whitelist-source-range': asNginx('allowlist-source-range'),
  'denylist-source-range': asNginx('denylist-source-range'),
  'auth-type': PASSWORD,
  'auth-secret': PASSWORD,
  'auth-url': asNginx('auth-url'),
  'auth-tls-secret': asNginx('auth-tls-secret'),
  'rewrite-target': unsupported('error', 'the path is rewritten by HAProxy; use rewrite of the VirtualService'),
  'app-root': (value) => converted({ appRoot: value }, `/ redirects to ${value} (302)`),
  'server-alias': (value) => converted({ aliases: readList(value) }, 'the routes are also served under these hosts'),
  'backend-protocol': unsupported('warn', "the Service's port name or appProtocol says it"),
  'secure-backends': (value, place) =>
    (readFlag(value) === true ? backendTls('HTTPS') : notNeeded('the gateway uses this protocol by default'))(
      value,
      place,
    ),
  'timeout-client': IDLE,
  'timeout-server': IDLE,
  'timeout-connect': IDLE,
  'balance-algorithm': unsupported('warn', 'the closest equivalent is loadBalancer of a DestinationRule'),
  affinity: unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
  'config-backend': unsupported('error', 'configuration of HAProxy itself; recreate what it does in Istio'),
}
