/** ingress-nginx: an authorization service checks each request (docs/facts/ingress-nginx.md#external-authorization). */
import { groupBy } from '../../../kubernetes/group-by.ts'
import type { Ingress } from '../../ingress/ingress.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { ExternalAuth } from '../../model/ingress-settings.ts'
import type { Note } from '../../model/report.ts'
import { authProviderName } from '../../model/object-names.ts'
import { authServiceOf, readAuthUrl, type BackendAt } from './auth-service.ts'
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
  'auth-signin': beside('auth-url', signIn),
  'auth-signin-redirect-param': partOf('auth-signin'),
  'auth-response-headers': partOf('auth-url'),
  'auth-method': authDetail('the check keeps the method of the request'),
  'auth-request-redirect': authDetail('the header X-Auth-Request-Redirect names the page that was asked for'),
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
function authUrl(value: string, { ingress, gateway, authHeaders, backendAt }: AnnotationPlace): Effect {
  const read = readAuthUrl(value)
  if (read === undefined)
    return noService(
      `${value} cannot be an authorization service of Istio, which needs an http(s) URL without nginx variables other than a $host`,
    )
  const externalAuth = authServiceOf(value, ingress, backendAt, gateway.clusterDomain)
  if (externalAuth === undefined)
    return noService(
      `${value} names the host of the request, and no Ingress of the input leads ${read.url.pathname} of each host to one Service: include the Ingress of the authorization service, or name its Service`,
    )
  const { search } = read.url
  const query =
    search === ''
      ? ''
      : `. SECURITY: the query ${search} of ${value} is not sent: what it restricts, such as groups, must be restricted in the service itself`
  const provider = JSON.stringify(providerOf(externalAuth, authHeaders.get(providerName(externalAuth)) ?? []))
  return {
    outcome: 'platform-step',
    level: 'error',
    message: `SECURITY: every request is denied until the mesh's configuration has this in extensionProviders, once for all Ingresses of the service: ${provider}. ${checkText(externalAuth)}${query}`,
    settings: { externalAuth },
  }
}

function noService(why: string): Effect {
  return { outcome: 'unsupported', level: 'error', message: `SECURITY: ${why}; the routes are unauthenticated` }
}

function providerName({ host, port, path }: ExternalAuth): string {
  return authProviderName(host, port, path)
}

/** The response headers that any Ingress wants from an authorization service, by the provider's name: they share it. */
export function authHeadersOf(
  ingresses: readonly Ingress[],
  backendAt: BackendAt,
  clusterDomain: string,
): ReadonlyMap<string, readonly string[]> {
  const wanted = ingresses.flatMap((ingress) => {
    const url = ingress.annotations.get('nginx.ingress.kubernetes.io/auth-url')
    const service = url === undefined ? undefined : authServiceOf(url, ingress, backendAt, clusterDomain)
    const headers = readList(ingress.annotations.get('nginx.ingress.kubernetes.io/auth-response-headers') ?? '')
    return service === undefined
      ? []
      : [{ name: providerName(service), headers: headers.map((name) => name.toLowerCase()) }]
  })
  const byName = [...groupBy(wanted, ({ name }) => name)]
  return new Map(byName.map(([name, group]) => [name, [...new Set(group.flatMap(({ headers }) => headers))]]))
}

/** istiod denies every request of a gateway with several providers (`pilot/pkg/security/authz/builder/builder.go`). */
export function providerNotes(readings: readonly ReadIngress[]): readonly Note[] {
  const asked = readings.flatMap(({ settings: { externalAuth } }) => externalAuth ?? [])
  const names = [...new Set(asked.map(({ host, port, path }) => authProviderName(host, port, path)))]
  if (names.length < 2) return []
  const message = `SECURITY: the Ingresses name ${names.length} authorization services (${names.join(', ')}). A gateway with several CUSTOM providers denies every request: use one service for all of them, a gateway for each, or PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS of istiod`
  return [{ level: 'error', about: 'auth-url', outcome: 'platform-step', message }]
}

/** How the check differs from nginx' auth_request (docs/facts/ingress-nginx.md#external-authorization). */
function checkText(auth: ExternalAuth): string {
  if (isOauth2Proxy(auth))
    return `Run oauth2-proxy with --upstream=static://200 --reverse-proxy=true --skip-provider-button=true, which ingress-nginx accepts as well: Istio asks for ${auth.path} followed by the path of the request, and allows only status 200, not the 202 of ${auth.path} itself; other headers than those listed are not sent`
  const asked = auth.path === '/' ? 'the path of the request' : `${auth.path} followed by the path of the request`
  return `Istio asks for ${asked}, sends no other headers than those listed, and allows only status 200`
}

/** The path at which oauth2-proxy checks a request (https://oauth2-proxy.github.io/oauth2-proxy/features/endpoints). */
function isOauth2Proxy({ path }: Pick<ExternalAuth, 'path'>): boolean {
  return path.endsWith('/oauth2/auth')
}

/**
 * nginx sends all headers of the request; istiod refuses a single `*`. The address to return to after signing in is sent, as
 * ingress-nginx does (`auth_request` in rootfs/etc/nginx/template/nginx.tmpl).
 */
function providerOf({ host, port, path }: ExternalAuth, responseHeaders: readonly string[]): object {
  return {
    name: authProviderName(host, port, path),
    envoyExtAuthzHttp: {
      service: host,
      port,
      ...(path === '/' ? {} : { pathPrefix: path }),
      includeRequestHeadersInCheck: ['authorization', 'cookie', 'accept', 'x-*'],
      includeAdditionalHeadersInCheck: {
        'x-auth-request-redirect': '%REQ(x-forwarded-proto)%://%REQ(:authority)%%REQ(:path)%',
        'x-original-url': '%REQ(x-forwarded-proto)%://%REQ(:authority)%%REQ(:path)%',
        'x-original-method': '%REQ(:method)%',
      },
      ...(responseHeaders.length === 0 ? {} : { headersToUpstreamOnAllow: responseHeaders }),
      headersToDownstreamOnAllow: ['set-cookie'],
      headersToDownstreamOnDeny: ['content-type', 'location', 'set-cookie'],
    },
  }
}

/** oauth2-proxy redirects by itself; another service must respond with the redirect. */
function signIn(value: string, place: AnnotationPlace): Effect {
  const auth = place.effectOf('auth-url')?.settings?.externalAuth
  if (auth === undefined || !isOauth2Proxy(auth)) return NO_SIGN_IN(value, place)
  const message =
    'oauth2-proxy redirects to the login page of its provider by itself, see auth-url, and back to the page that was asked for'
  return { outcome: 'platform-step', level: 'warn', message }
}

const NO_SIGN_IN = unsupported(
  'error',
  'nginx turned the 401 into a redirect to the sign-in page; here the authorization service itself must respond with that redirect',
)

function globalAuth(value: string): Effect {
  const message =
    readFlag(value) === false
      ? 'the gateway has no global authorization to switch off'
      : "SECURITY: the controller's global-auth-url is not in the Ingress; see auth-url"
  return readFlag(value) === false
    ? { outcome: 'not-needed', level: 'info', message }
    : { outcome: 'unsupported', level: 'error', message }
}
