// The annotation registry: what becomes of every annotation, with a value of its own, in both APIs; and bad values.
import t from 'tap'
import { reportOf, ingress, type Annotations } from './support/conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

/** Key, value, `outcome level` with --to istio, and with --to gateway-api where it differs. */
type Row = readonly [string, string, string, string?]

/**
 * Every annotation that ingress-nginx documents (docs/user-guide/nginx-configuration/annotations-risk.md and annotations.md
 * at their last states), and those that earlier releases had, all on one Ingress, so that each stands beside its main one.
 */
const TOGETHER: readonly Row[] = [
  ['server-alias', 'b.example.com', 'converted info'],
  ['allowlist-source-range', '10.0.0.0/8', 'approximate error'],
  ['whitelist-source-range', '10.0.0.0/8', 'approximate error'],
  ['backend-protocol', 'HTTPS', 'approximate warn'],
  ['auth-realm', 'r', 'unsupported info'],
  ['auth-secret', 's', 'unsupported info'],
  ['auth-secret-type', 'auth-file', 'unsupported info'],
  ['auth-type', 'basic', 'unsupported error'],
  ['canary-by-cookie', 'c', 'not-needed info'],
  ['canary-by-header', 'h', 'not-needed info'],
  ['canary-by-header-pattern', 'p', 'not-needed info'],
  ['canary-by-header-value', 'v', 'not-needed info'],
  ['canary-weight', '10', 'not-needed info'],
  ['canary-weight-total', '100', 'not-needed info'],
  ['auth-tls-error-page', 'https://e.example.com', 'unsupported warn'],
  ['auth-tls-match-cn', 'CN=a', 'unsupported error'],
  ['auth-tls-pass-certificate-to-upstream', 'true', 'unsupported warn'],
  ['auth-tls-secret', 'ns/ca', 'approximate warn'],
  ['auth-tls-verify-client', 'on', 'approximate info'],
  ['auth-tls-verify-depth', '1', 'approximate info'],
  ['client-body-buffer-size', '8k', 'not-needed info'],
  ['configuration-snippet', 'more_set_headers "A: b";', 'converted info'],
  ['connection-proxy-header', 'keep-alive', 'not-needed info'],
  ['cors-allow-credentials', 'true', 'converted info'],
  ['cors-allow-headers', 'X-A', 'converted info'],
  ['cors-allow-methods', 'GET', 'converted info'],
  ['cors-allow-origin', 'https://o.example.com', 'converted info'],
  ['cors-expose-headers', 'X-B', 'converted info'],
  ['cors-max-age', '600', 'converted info'],
  ['enable-cors', 'true', 'converted info'],
  ['custom-http-errors', '404', 'unsupported warn'],
  ['custom-headers', 'ns/headers', 'unsupported warn'],
  ['default-backend', 'web', 'unsupported warn'],
  ['denylist-source-range', '192.0.2.0/24', 'approximate error'],
  ['disable-proxy-intercept-errors', 'true', 'not-needed info'],
  ['enable-global-auth', 'true', 'unsupported error'],
  ['auth-always-set-cookie', 'true', 'unsupported warn'],
  ['auth-cache-duration', '200 10m', 'unsupported warn'],
  ['auth-cache-key', '$remote_user', 'unsupported warn'],
  ['auth-keepalive', '1', 'not-needed info'],
  ['auth-keepalive-requests', '1', 'not-needed info'],
  ['auth-keepalive-share-vars', 'true', 'not-needed info'],
  ['auth-keepalive-timeout', '1', 'not-needed info'],
  ['auth-method', 'GET', 'unsupported warn'],
  ['auth-proxy-set-headers', 'ns/h', 'unsupported warn'],
  ['auth-request-redirect', 'https://a.example.com', 'unsupported warn'],
  ['auth-response-headers', 'X-User', 'platform-step info'],
  ['auth-signin', 'https://a.example.com/start', 'unsupported error'],
  ['auth-signin-redirect-param', 'rd', 'unsupported info'],
  ['auth-snippet', 'x;', 'unsupported error'],
  ['auth-url', 'https://a.example.com/auth', 'platform-step error'],
  ['fastcgi-index', 'index.php', 'unsupported warn'],
  ['fastcgi-params-configmap', 'ns/p', 'unsupported warn'],
  ['http2-push-preload', 'true', 'not-needed info'],
  ['load-balance', 'ewma', 'approximate info'],
  ['enable-access-log', 'false', 'not-needed info'],
  ['enable-rewrite-log', 'true', 'not-needed info'],
  ['mirror-host', 'm.example.com', 'unsupported warn'],
  ['mirror-request-body', 'off', 'unsupported warn'],
  ['mirror-target', 'https://m.example.com$request_uri', 'approximate info'],
  ['enable-modsecurity', 'true', 'unsupported error'],
  ['enable-owasp-core-rules', 'true', 'unsupported error'],
  ['modsecurity-snippet', 'SecRuleEngine On', 'unsupported error'],
  ['modsecurity-transaction-id', '$request_id', 'unsupported info'],
  ['enable-opentelemetry', 'true', 'not-needed info'],
  ['opentelemetry-operation-name', 'x', 'not-needed info'],
  ['opentelemetry-trust-incoming-span', 'true', 'not-needed info'],
  ['proxy-body-size', '8m', 'not-needed info'],
  ['proxy-buffer-size', '8k', 'not-needed info'],
  ['proxy-buffering', 'on', 'not-needed info'],
  ['proxy-buffers-number', '4', 'not-needed info'],
  ['proxy-busy-buffers-size', '8k', 'not-needed info'],
  ['proxy-connect-timeout', '5', 'converted info'],
  ['proxy-cookie-domain', 'off', 'not-needed info'],
  ['proxy-cookie-path', '/ /x', 'unsupported warn'],
  ['proxy-http-version', '1.1', 'not-needed info'],
  ['proxy-max-temp-file-size', '1m', 'not-needed info'],
  ['proxy-next-upstream', 'error http_502', 'approximate warn', 'unsupported warn'],
  ['proxy-next-upstream-timeout', '2', 'unsupported warn'],
  ['proxy-next-upstream-tries', '3', 'approximate info', 'unsupported info'],
  ['proxy-read-timeout', '60', 'not-needed info'],
  ['proxy-redirect-from', 'off', 'not-needed info'],
  ['proxy-redirect-to', 'http://a', 'unsupported warn'],
  ['proxy-request-buffering', 'off', 'not-needed info'],
  ['proxy-send-timeout', '60', 'not-needed info'],
  ['proxy-ssl-ciphers', 'HIGH', 'unsupported warn'],
  ['proxy-ssl-name', 'b.example.com', 'approximate info'],
  ['proxy-ssl-protocols', 'TLSv1.2', 'unsupported warn'],
  ['proxy-ssl-secret', 'ns/ca', 'approximate info'],
  ['proxy-ssl-server-name', 'on', 'approximate info'],
  ['proxy-ssl-verify', 'on', 'approximate info'],
  ['proxy-ssl-verify-depth', '1', 'not-needed info'],
  ['limit-allowlist', '10.0.0.0/8', 'unsupported info'],
  ['limit-whitelist', '10.0.0.0/8', 'unsupported info'],
  ['limit-burst-multiplier', '2', 'unsupported info'],
  ['limit-connections', '5', 'unsupported error'],
  ['limit-rate', '10', 'unsupported warn'],
  ['limit-rate-after', '1', 'unsupported info'],
  ['limit-rpm', '60', 'unsupported error'],
  ['limit-rps', '10', 'unsupported error'],
  ['global-rate-limit', '5', 'unsupported error'],
  ['global-rate-limit-window', '1m', 'unsupported info'],
  ['global-rate-limit-key', '$remote_addr', 'unsupported info'],
  ['global-rate-limit-ignored-cidrs', '10.0.0.0/8', 'unsupported info'],
  ['from-to-www-redirect', 'true', 'approximate warn'],
  ['permanent-redirect-code', '308', 'not-needed info'],
  ['temporal-redirect-code', '307', 'not-needed info'],
  ['app-root', '/app', 'converted info'],
  ['force-ssl-redirect', 'true', 'converted info'],
  ['preserve-trailing-slash', 'true', 'not-needed info'],
  ['ssl-redirect', 'true', 'converted info'],
  ['use-regex', 'true', 'converted info'],
  ['ssl-ciphers', 'HIGH', 'unsupported warn'],
  ['ssl-prefer-server-ciphers', 'true', 'not-needed info'],
  ['satisfy', 'any', 'unsupported error'],
  ['server-snippet', 'return 200;', 'unsupported error'],
  ['service-upstream', 'true', 'not-needed info'],
  ['affinity', 'cookie', 'approximate info'],
  ['affinity-canary-behavior', 'sticky', 'approximate info'],
  ['affinity-mode', 'balanced', 'approximate info'],
  ['session-cookie-change-on-failure', 'true', 'not-needed info'],
  ['session-cookie-conditional-samesite-none', 'true', 'unsupported warn'],
  ['session-cookie-domain', 'example.com', 'unsupported warn'],
  ['session-cookie-expires', '60', 'approximate info'],
  ['session-cookie-max-age', '60', 'approximate info'],
  ['session-cookie-name', 'c', 'approximate info'],
  ['session-cookie-partitioned', 'true', 'unsupported warn'],
  ['session-cookie-path', '/', 'approximate info'],
  ['session-cookie-samesite', 'Lax', 'unsupported warn'],
  ['session-cookie-secure', 'true', 'unsupported warn'],
  ['session-cookie-hash', 'sha1', 'not-needed info'],
  ['stream-snippet', 'x;', 'unsupported error'],
  ['upstream-hash-by', '$http_x_user', 'approximate info'],
  ['upstream-hash-by-subset', 'true', 'unsupported warn'],
  ['upstream-hash-by-subset-size', '3', 'unsupported info'],
  ['upstream-vhost', 'b.example.com', 'converted info'],
  ['use-port-in-redirects', 'true', 'unsupported warn'],
  ['relative-redirects', 'true', 'unsupported warn'],
  ['x-forwarded-prefix', '/api', 'not-needed info'],
  ['secure-backends', 'true', 'approximate warn'],
  ['grpc-backend', 'true', 'approximate warn'],
  ['mirror-uri', '/m', 'unsupported warn'],
  ['enable-opentracing', 'true', 'not-needed info'],
  ['opentracing-trust-incoming-span', 'true', 'not-needed info'],
  ['enable-influxdb', 'true', 'not-needed info'],
  ['influxdb-measurement', 'a', 'not-needed info'],
  ['influxdb-port', '1', 'not-needed info'],
  ['influxdb-host', 'h', 'not-needed info'],
  ['influxdb-server-name', 's', 'not-needed info'],
]

/** These would change all the others: each on an Ingress of its own. */
const ALONE: readonly Row[] = [
  ['canary', 'true', 'not-needed warn'],
  ['rewrite-target', '/$2', 'converted info'],
  ['permanent-redirect', 'https://n.example.com/x', 'approximate info'],
  ['temporal-redirect', 'https://n.example.com$request_uri', 'converted info'],
  ['ssl-passthrough', 'true', 'converted info'],
]

/** Of other controllers and tools, each on an Ingress of its own; `class` is what the Ingress names. */
const OTHERS: readonly (readonly [string, ...Row])[] = [
  ['alb', 'alb.ingress.kubernetes.io/scheme', 'internet-facing', 'platform-step info'],
  ['alb', 'alb.ingress.kubernetes.io/certificate-arn', 'arn:aws:acm:x', 'platform-step warn'],
  ['alb', 'alb.ingress.kubernetes.io/listen-ports', '[{"HTTPS":443}]', 'platform-step warn'],
  ['alb', 'alb.ingress.kubernetes.io/listen-ports', '[{"HTTP":80}]', 'platform-step info'],
  ['alb', 'alb.ingress.kubernetes.io/ssl-redirect', '443', 'platform-step warn'],
  ['alb', 'alb.ingress.kubernetes.io/auth-type', 'oidc', 'unsupported error'],
  ['alb', 'alb.ingress.kubernetes.io/wafv2-acl-arn', 'arn', 'platform-step error'],
  ['alb', 'alb.ingress.kubernetes.io/healthcheck-path', '/health', 'not-needed info'],
  ['alb', 'alb.ingress.kubernetes.io/conditions.web', '[]', 'unsupported error'],
  ['alb', 'alb.ingress.kubernetes.io/actions.web', '{"type":"fixed-response"}', 'unsupported error'],
  ['alb', 'alb.ingress.kubernetes.io/actions.web', 'no json', 'unsupported error'],
  ['alb', 'alb.ingress.kubernetes.io/nosuch', 'x', 'unsupported warn'],
  ['gce', 'kubernetes.io/ingress.global-static-ip-name', 'ip', 'platform-step info'],
  ['gce', 'kubernetes.io/ingress.allow-http', 'false', 'converted info'],
  ['gce', 'networking.gke.io/managed-certificates', 'cert', 'platform-step warn'],
  ['gce', 'networking.gke.io/certmap', 'map', 'platform-step warn'],
  ['gce', 'ingress.gcp.kubernetes.io/pre-shared-cert', 'cert', 'platform-step warn'],
  ['gce', 'ingress.kubernetes.io/backends', '{}', 'foreign info'],
  ['traefik', 'traefik.ingress.kubernetes.io/router.middlewares', 'ns-auth@kubernetescrd', 'unsupported error'],
  ['traefik', 'traefik.ingress.kubernetes.io/router.entrypoints', 'websecure', 'converted info'],
  ['traefik', 'traefik.ingress.kubernetes.io/router.tls.domains.0.main', 'a.example.com', 'not-needed info'],
  ['haproxy', 'haproxy.org/allow-list', '10.0.0.0/8', 'approximate error'],
  ['haproxy', 'haproxy.org/auth-type', 'basic-auth', 'unsupported error'],
  ['haproxy', 'haproxy-ingress.github.io/app-root', '/app', 'converted info'],
  ['haproxy', 'haproxy.org/nosuch', 'x', 'unsupported warn'],
  ['contour', 'projectcontour.io/websocket-routes', '/ws', 'not-needed info'],
  ['contour', 'projectcontour.io/retry-on', '5xx', 'approximate info', 'unsupported warn'],
  ['contour', 'ingress.kubernetes.io/force-ssl-redirect', 'true', 'converted info'],
  ['nginx', 'alb.ingress.kubernetes.io/scheme', 'internal', 'foreign info'],
  ['alb', `${NGINX}rewrite-target`, '/', 'foreign info'],
  ['nginx', `${NGINX}nosuch`, 'x', 'unsupported warn'],
  ['nginx', 'kubectl.kubernetes.io/last-applied-configuration', '{}', 'foreign info'],
  ['nginx', 'meta.helm.sh/release-name', 'shop', 'foreign info'],
  ['nginx', 'istio-onramp.io/ingress', 'warn', 'foreign info'],
  ['nginx', 'kubernetes.io/ingress.class', 'nginx', 'not-needed info'],
  ['nginx', 'example.com/owner', 'team', 'foreign info'],
  ['nginx', 'kubernetes.io/tls-acme', 'true', 'unsupported error'],
  ['nginx', 'cert-manager.io/cluster-issuer', 'letsencrypt', 'platform-step info', 'converted info'],
  ['nginx', 'cert-manager.io/issuer', 'team', 'unsupported error', 'converted info'],
  ['nginx', 'cert-manager.io/duration', '2160h', 'not-needed info', 'converted info'],
  ['nginx', 'acme.cert-manager.io/http01-edit-in-place', 'true', 'not-needed info', 'converted info'],
  ['nginx', 'external-dns.alpha.kubernetes.io/ttl', '60', 'converted info'],
  ['nginx', 'external-dns.alpha.kubernetes.io/aws-weight', '10', 'converted info'],
  ['nginx', 'external-dns.alpha.kubernetes.io/access', 'public', 'foreign info'],
  ['nginx', 'external-dns.alpha.kubernetes.io/nosuch', 'x', 'unsupported warn'],
]

/** Values that the controller ignores or refuses, too. */
const BAD: readonly (readonly [string, string, RegExp])[] = [
  ['ssl-redirect', 'maybe', /is "maybe"; allowed is true or false; it is ignored/],
  ['use-regex', 'yes', /allowed is true or false/],
  ['proxy-connect-timeout', 'soon', /is "soon"; allowed is a whole number of seconds/],
  ['limit-rps', '-1', /allowed is a whole number from 1/],
  ['affinity', 'ip', /allowed is cookie/],
  ['load-balance', 'chash', /allowed is round_robin or ewma/],
  ['backend-protocol', 'SPDY', /allowed is HTTP, HTTPS/],
  ['satisfy', 'some', /allowed is any or all/],
  ['proxy-next-upstream', 'error nonsense', /is "nonsense"; allowed is error, timeout/],
  ['whitelist-source-range', '10.0.0.0/33', /SECURITY: 10\.0\.0\.0\/33 is not an address or CIDR range/],
  ['whitelist-source-range', ',', /SECURITY: an empty list/],
  ['denylist-source-range', '300.1.1.1', /is not an address or CIDR range/],
  ['auth-url', 'not a url', /SECURITY: not a url cannot be an authorization service/],
  ['auth-url', 'http://auth/$request_uri', /cannot be an authorization service/],
  ['permanent-redirect', 'ftp://a', /nginx variables other than/],
  ['mirror-target', '/m', /a mirror must be an http/],
  ['upstream-hash-by', '$request_uri', /has no equivalent: consistentHash takes/],
  ['server-alias', '~^.*$, b.example.com', /~\^\.\*\$ is a regular expression, which a host of a Gateway cannot be/],
  ['upstream-vhost', '$host', /nginx variables have no equivalent/],
  ['rewrite-target', 'https://elsewhere', /makes nginx redirect/],
]

function outcomeOf(
  key: string,
  annotations: Annotations,
  target: 'istio' | 'gateway-api',
  className = 'nginx',
): string {
  const lines = reportOf([ingress({ annotations, className, paths: ['/x(/|$)(.*)'], secret: 'tls' })], target)
  const own = lines.filter(({ about }) => about === key)
  return own.map(({ outcome, level }) => `${outcome} ${level}`).join(' and ')
}

t.test('every annotation of ingress-nginx has exactly one line, in both APIs', (t) => {
  const all = Object.fromEntries(TOGETHER.map(([key, value]) => [`${NGINX}${key}`, value]))
  for (const [key, , istio, gatewayApi = istio] of TOGETHER) {
    t.equal(outcomeOf(`${NGINX}${key}`, all, 'istio'), istio, key)
    t.equal(outcomeOf(`${NGINX}${key}`, all, 'gateway-api'), gatewayApi, `${key}, Gateway API`)
  }
  for (const [key, value, istio, gatewayApi = istio] of ALONE) {
    const one = { [`${NGINX}${key}`]: value }
    t.equal(outcomeOf(`${NGINX}${key}`, one, 'istio'), istio, key)
    t.equal(outcomeOf(`${NGINX}${key}`, one, 'gateway-api'), gatewayApi, `${key}, Gateway API`)
  }
  t.end()
})

t.test('so has every annotation of other controllers and tools, known or not', (t) => {
  for (const [className, key, value, istio, gatewayApi = istio] of OTHERS) {
    t.equal(outcomeOf(key, { [key]: value }, 'istio', className), istio, `${key}=${value}`)
    t.equal(outcomeOf(key, { [key]: value }, 'gateway-api', className), gatewayApi, `${key}=${value}, Gateway API`)
  }
  t.end()
})

t.test('a bad value is reported with the allowed values, and everything else is converted', (t) => {
  for (const [key, value, text] of BAD) {
    const report = reportOf([ingress({ annotations: { [`${NGINX}${key}`]: value }, paths: ['/x'] })])
    const line = report.find(({ about }) => about === `${NGINX}${key}`)
    t.match(line, { outcome: 'unsupported', message: text }, `${key}=${value}`)
    t.match(line?.level, /^(?:warn|error)$/)
  }
  t.end()
})

t.test('a switch that is off does nothing', (t) => {
  for (const key of [
    'use-regex',
    'enable-cors',
    'canary',
    'ssl-passthrough',
    'from-to-www-redirect',
    'enable-modsecurity',
  ])
    t.equal(outcomeOf(`${NGINX}${key}`, { [`${NGINX}${key}`]: 'false' }, 'istio'), 'not-needed info', key)
  t.end()
})
