/** ingress-nginx: an authorization service checks each request (docs/facts/ingress-nginx.md#external-authorization). */
import type { ExternalAuth } from '../../model/ingress-settings.ts'
import { authProviderName } from '../../model/object-names.ts'
import { serviceOf } from '../../model/service-host.ts'
import {
  beside,
  notNeeded,
  partOf,
  readFlag,
  readList,
  unsupported,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_EXTERNAL_AUTH: AnnotationTable = nginxTable({
  'auth-url': authUrl,
  'auth-signin': beside(
    'auth-url',
    unsupported(
      'error',
      'nginx turned the 401 into a redirect to the sign-in page; here the authorization service itself must respond with that redirect',
    ),
  ),
  'auth-signin-redirect-param': partOf('auth-signin'),
  'auth-response-headers': partOf('auth-url'),
  'auth-method': authDetail('the check keeps the method of the request'),
  'auth-request-redirect': authDetail('the header X-Auth-Request-Redirect is not sent'),
  'auth-proxy-set-headers': authDetail(
    'the ConfigMap is not read: name its headers in includeAdditionalHeadersInCheck',
  ),
  'auth-snippet': beside('auth-url', unsupported('error', 'the snippet is not converted: recreate what it does')),
  'auth-cache-key': authDetail('authorization results are not cached'),
  'auth-cache-duration': authDetail('authorization results are not cached'),
  'auth-always-set-cookie': authDetail('cookies are set when the check denies, by headersToDownstreamOnDeny'),
  'auth-keepalive': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-requests': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-share-vars': notNeeded('connections to the authorization service are always kept'),
  'auth-keepalive-timeout': notNeeded('connections to the authorization service are always kept'),
  'enable-global-auth': globalAuth,
})

function authDetail(message: string): Entry {
  return beside('auth-url', unsupported('warn', message))
}

/** An ext_authz provider is part of the mesh configuration, so the policy alone has no effect. */
function authUrl(value: string, { gateway, sibling }: AnnotationPlace): Effect {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || value.includes('$') || !/^https?:$/.test(url.protocol))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `SECURITY: ${value} cannot be an authorization service of Istio, which needs an http(s) URL without nginx variables; the routes are unauthenticated`,
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
    url.search === '' ? '' : `; the query ${url.search} of ${value} is not sent, so the service must work without it`
  const provider = JSON.stringify(providerOf(externalAuth))
  return {
    outcome: 'platform-step',
    level: 'error',
    message: `SECURITY: every request is denied until the mesh's configuration has this in extensionProviders, once for all Ingresses of the service: ${provider}. ${checkText(externalAuth)}${query}`,
    settings: { externalAuth },
  }
}

/** How the check differs from nginx' auth_request (docs/facts/ingress-nginx.md#external-authorization). */
function checkText({ path }: ExternalAuth): string {
  const asked = path === '/' ? 'the path of the request' : `${path} followed by the path of the request`
  return `Istio asks for ${asked}, sends only the listed headers, and allows only status 200, not the 202 of oauth2-proxy's /oauth2/auth: run oauth2-proxy with --upstream=static://200 --reverse-proxy and leave out pathPrefix`
}

function providerOf({ host, port, path, responseHeaders }: ExternalAuth): object {
  return {
    name: authProviderName(host, port, path),
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
      ? 'the gateway has no global authorization to switch off'
      : "SECURITY: the controller's global-auth-url is not in the Ingress; see auth-url"
  return readFlag(value) === false
    ? { outcome: 'not-needed', level: 'info', message }
    : { outcome: 'unsupported', level: 'error', message }
}
