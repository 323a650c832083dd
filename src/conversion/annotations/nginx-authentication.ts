/**
 * ingress-nginx: how callers prove who they are (docs/facts/ingress-nginx.md). What is lost here opens a
 * route, so it is an error.
 */
import type { ExternalAuth } from '../model/ingress-settings.ts'
import { authProviderName } from '../model/object-names.ts'
import { serviceOf } from '../model/service-host.ts'
import {
  beside,
  approximate,
  checkedPart,
  notNeeded,
  partOf,
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
import { nginxTable } from './nginx-table.ts'

const BASIC =
  'SECURITY: without it the routes have no password; neither Istio nor Envoy checks basic or digest passwords: put an external authorization service in front (CUSTOM AuthorizationPolicy), or use RequestAuthentication'

const WAF =
  'SECURITY: there is no web application firewall in the gateway; a WasmPlugin (Coraza) or a firewall in front can be one'

export const NGINX_AUTHENTICATION: AnnotationTable = nginxTable({
  'auth-url': authUrl,
  'auth-signin': beside(
    'auth-url',
    unsupported(
      'error',
      'nginx turned the 401 into a redirect to the sign-in page; here the authorization service itself has to answer with that redirect',
    ),
  ),
  'auth-signin-redirect-param': partOf('auth-signin'),
  'auth-response-headers': partOf('auth-url'),
  'auth-method': authDetail('the check keeps the method of the request'),
  'auth-request-redirect': authDetail('the header X-Auth-Request-Redirect is not sent'),
  'auth-proxy-set-headers': authDetail(
    'the ConfigMap is not read: name its headers in includeAdditionalHeadersInCheck',
  ),
  'auth-snippet': beside('auth-url', unsupported('error', 'the snippet is lost: what it does has to be said again')),
  'auth-cache-key': authDetail('answers are not cached'),
  'auth-cache-duration': authDetail('answers are not cached'),
  'auth-always-set-cookie': authDetail('cookies are set when the check denies, by headersToDownstreamOnDeny'),
  'auth-keepalive': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-requests': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-share-vars': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-timeout': notNeeded('connections to the authorization service are always kept'),
  'auth-type': unsupported('error', BASIC),
  'auth-secret': partOf('auth-type'),
  'auth-secret-type': partOf('auth-type'),
  'auth-realm': partOf('auth-type'),
  'enable-global-auth': globalAuth,
  satisfy: satisfy,
  'auth-tls-secret': clientCertificate,
  'auth-tls-verify-client': checkedPart(
    'auth-tls-secret',
    (value) => ['on', 'off', 'optional', 'optional_no_ca'].includes(value),
    'on, off, optional or optional_no_ca',
  ),
  'auth-tls-verify-depth': checkedPart('auth-tls-secret', (value) => readWhole(value) !== undefined, 'a whole number'),
  'auth-tls-match-cn': beside(
    'auth-tls-secret',
    unsupported(
      'error',
      "SECURITY: the name in the client's certificate is not checked; an AuthorizationPolicy can look at x-forwarded-client-cert",
    ),
  ),
  'auth-tls-error-page': beside('auth-tls-secret', unsupported('warn', 'a failed handshake has no page')),
  'auth-tls-pass-certificate-to-upstream': beside(
    'auth-tls-secret',
    unsupported(
      'warn',
      'the gateway sends x-forwarded-client-cert in place of ssl-client-cert, once forwardClientCertDetails of gatewayTopology asks for it',
    ),
  ),
  'enable-modsecurity': whenTrue(unsupported('error', WAF)),
  'enable-owasp-core-rules': whenTrue(unsupported('error', WAF)),
  'modsecurity-snippet': unsupported('error', WAF),
  'modsecurity-transaction-id': partOf('enable-modsecurity'),
})

function authDetail(message: string): Entry {
  return beside('auth-url', unsupported('warn', message))
}

/** An ext_authz provider is mesh configuration, so that the policy alone does nothing. */
function authUrl(value: string, { ingress, gateway, sibling }: AnnotationPlace): Effect {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || value.includes('$') || !/^https?:$/.test(url.protocol))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `SECURITY: ${value} cannot be an authorization service of Istio: an http(s) URL without nginx variables is needed; the routes are unauthenticated`,
    }
  const usesTls = url.protocol === 'https:'
  const externalAuth: ExternalAuth = {
    host: url.hostname,
    isExternal: serviceOf(url.hostname, gateway.clusterDomain) === undefined,
    port: Number(url.port) || (usesTls ? 443 : 80),
    path: url.pathname,
    usesTls,
    responseHeaders: readList(sibling('auth-response-headers') ?? '').map((name) => name.toLowerCase()),
  }
  const query =
    url.search === '' ? '' : `; the query ${url.search} of ${value} is not sent: the service has to do without it`
  const name = authProviderName(ingress.namespace, ingress.name)
  const provider = JSON.stringify(providerOf(name, externalAuth))
  return {
    outcome: 'platform-step',
    level: 'error',
    message: `SECURITY: the routes are unauthenticated until the mesh's configuration has this in extensionProviders: ${provider}${query}`,
    settings: { externalAuth },
  }
}

function providerOf(name: string, { host, port, path, responseHeaders }: ExternalAuth): object {
  return {
    name,
    envoyExtAuthzHttp: {
      service: host,
      port,
      ...(path === '/' ? {} : { pathPrefix: path }),
      includeRequestHeadersInCheck: ['authorization', 'cookie'],
      ...(responseHeaders.length === 0 ? {} : { headersToUpstreamOnAllow: responseHeaders }),
      headersToDownstreamOnDeny: ['set-cookie', 'location'],
    },
  }
}

function globalAuth(value: string): Effect {
  const message =
    readFlag(value) === false
      ? 'there is no global authorization to switch off'
      : "SECURITY: the controller's global-auth-url is not in the Ingress; see auth-url"
  return readFlag(value) === false
    ? { outcome: 'not-needed', level: 'info', message }
    : { outcome: 'unsupported', level: 'error', message }
}

function satisfy(value: string): Effect {
  if (value === 'all') return { outcome: 'not-needed', level: 'info', message: 'policies always all count' }
  if (value !== 'any') return refused(value, 'any or all')
  return {
    outcome: 'unsupported',
    level: 'error',
    message:
      'one of address list and password sufficed; here both have to be met, so that some who came in no longer do',
  }
}

/** `off` asks for nothing; `optional_no_ca` lets any certificate in, which Istio has no mode for. */
function clientCertificate(value: string, { ingress, sibling }: AnnotationPlace): Effect {
  const verify = sibling('auth-tls-verify-client') ?? 'on'
  const secret = value.includes('/') ? value : `${ingress.namespace}/${value}`
  if (verify === 'off') return { outcome: 'not-needed', level: 'info', message: 'auth-tls-verify-client is off' }
  if (verify === 'optional_no_ca')
    return {
      outcome: 'unsupported',
      level: 'error',
      message:
        'SECURITY: optional_no_ca takes any certificate; Istio has no such mode, and no certificate is asked for',
    }
  const settings = { clientCertificate: { secret, isOptional: verify === 'optional' } }
  return approximate(
    'warn',
    settings,
    `the gateway asks for a client certificate; it reads the CA of ${secret} from a secret in its own namespace, see spec.tls; a failed check ends the handshake, nginx answered 400`,
  )
}
