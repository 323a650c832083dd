/** ingress-nginx: requests that get a redirect as an answer (docs/facts/ingress-nginx.md#redirects). */
import { otherWww } from '../../model/hosts.ts'
import type { RedirectCode, RedirectTarget } from '../../model/ingress-settings.ts'
import {
  approximate,
  claimsHttpsRedirect,
  converted,
  partOf,
  readFlag,
  readWhole,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable, unlessOff } from './guard.ts'

const LOCATIONS = 'Location headers of the application are not rewritten'

export const NGINX_REDIRECT: AnnotationTable = nginxTable({
  'app-root': appRoot,
  'ssl-redirect': sslRedirect,
  'force-ssl-redirect': whenTrue(forceSslRedirect),
  'permanent-redirect': (value, place) => redirect(value, place, place.sibling('permanent-redirect-code'), 301),
  'permanent-redirect-code': partOf('permanent-redirect'),
  'temporal-redirect': (value, place) => redirect(value, place, place.sibling('temporal-redirect-code'), 302),
  'temporal-redirect-code': partOf('temporal-redirect'),
  'from-to-www-redirect': whenTrue(wwwRedirect),
  'use-port-in-redirects': unsupported('warn', 'redirects do not name a port'),
  'relative-redirects': unsupported('warn', 'redirects are absolute; clients follow both forms'),
  'proxy-redirect-from': unlessOff(unsupported('warn', LOCATIONS)),
  'proxy-redirect-to': unlessOff(unsupported('warn', LOCATIONS)),
})

/** ingress-nginx also ignores an absolute URL (i2g approot_test.go). */
function appRoot(value: string): Effect {
  if (!value.startsWith('/'))
    return { outcome: 'not-needed', level: 'warn', message: `${value} is not a path; ingress-nginx ignores it as well` }
  return converted({ appRoot: value }, `/ redirects to ${value} (302)`)
}

/** Either annotation is enough for a redirect (ingress-nginx, `redirect_to_https` in lua_ingress.lua). */
function sslRedirect(value: string, { sibling }: AnnotationPlace): Effect {
  const flag = readFlag(value)
  if (flag === undefined) return refused(value, 'true or false')
  if (!flag && readFlag(sibling('force-ssl-redirect') ?? '') === true)
    return { outcome: 'not-needed', level: 'info', message: 'force-ssl-redirect takes precedence' }
  const message = flag ? 'plain requests of hosts with TLS are redirected (308)' : 'plain requests are served as well'
  return converted({ redirectsToHttps: flag }, message)
}

/**
 * Without a TLS entry, TLS ends in front of the gateway. The gateway learns that from `x-forwarded-proto` only if it
 * trusts the proxy in front. Otherwise Envoy writes that header itself and the redirect never ends (istio issues 16778,
 * 17980).
 */
function forceSslRedirect(_: string, { ingress, gateway, effectOf }: AnnotationPlace): Effect {
  if (effectOf('ssl-passthrough')?.settings?.isPassthrough === true)
    return converted({ redirectsToHttps: true, redirectsEveryHost: true }, 'plain requests are redirected (308)')
  if (ingress.tls.length > 0) return claimsHttpsRedirect('plain requests are redirected (308)')
  if (gateway.trustedProxies > 0)
    return approximate(
      'warn',
      { redirectsForwardedHttp: true },
      'requests that reached the proxy in front over http are redirected (308), by x-forwarded-proto',
    )
  const message =
    'TLS ends in front of the gateway: redirect there. A redirect here would loop, because gatewayTopology.numTrustedProxies is 0 and the gateway does not trust x-forwarded-proto'
  return { outcome: 'platform-step', level: 'warn', message }
}

/** The temporal redirect takes precedence over the permanent one (i2g redirect_test.go). */
function redirect(value: string, place: AnnotationPlace, code: string | undefined, fallback: 301 | 302): Effect {
  if (fallback === 301 && place.sibling('temporal-redirect') !== undefined)
    return { outcome: 'not-needed', level: 'info', message: 'temporal-redirect takes precedence' }
  const target = readRedirectTarget(value, fallback)
  if (target === undefined)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value}: nginx variables other than a leading $scheme://$host and a final $request_uri have no equivalent; these paths are left out`,
      settings: { blockedBy: fallback === 301 ? 'permanent-redirect' : 'temporal-redirect' },
    }
  const given = code === undefined ? fallback : readWhole(code)
  const programmed = REDIRECT_CODES.find((known) => known === given)
  const settings = { redirect: { ...target, code: programmed ?? fallback } }
  if (programmed === undefined)
    return approximate(
      'warn',
      settings,
      `redirects with ${fallback}: Istio has no redirect with ${code ?? ''}, only 301, 302, 303, 307 and 308`,
    )
  if (target.path === undefined) return converted(settings, `redirects with ${programmed}`)
  return approximate('info', settings, `redirects with ${programmed}; the query string is kept, which nginx drops`)
}

const REDIRECT_CODES: readonly RedirectCode[] = [301, 302, 303, 307, 308]

/** Reads `https://$host/new`, `$scheme://other$request_uri` or `/path`; undefined if a variable has no equivalent. */
export function readRedirectTarget(value: string, code: RedirectCode): RedirectTarget | undefined {
  if (/\p{Cc}/u.test(value)) return undefined
  const [, scheme, authority, rest = ''] =
    /^(?:([a-z$]+):\/\/([^/$]+|\$(?:host|http_host|server_name)))?([^]*)$/.exec(value) ?? []
  const isKept = rest.endsWith('$request_uri')
  const path = isKept ? rest.slice(0, -'$request_uri'.length) : rest
  // Neither API puts text before the path of the request.
  if (isKept && path !== '') return undefined
  if (path.includes('$') || (scheme !== undefined && !['http', 'https', '$scheme'].includes(scheme))) return undefined
  if (scheme === undefined && !value.startsWith('/') && path !== '') return undefined
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    authority: authority?.startsWith('$') === true ? undefined : authority,
    path: isKept ? undefined : path === '' ? '/' : path,
    code,
  }
}

/** ingress-nginx skips a name for which an Ingress has rules (`BuildRedirects` in its pkg/util/ingress/ingress.go). */
function wwwRedirect(_: string, { ingress, ruleHosts }: AnnotationPlace): Effect {
  const names = ingress.rules.map(({ host }) => otherWww(host))
  const taken = names.filter((name) => ruleHosts.has(name))
  if (taken.length > 0 && taken.length === names.length)
    return { outcome: 'not-needed', level: 'warn', message: `${skipped(taken)}, so nothing redirects` }
  const message =
    'the other name, with or without www., redirects here (308); with TLS, the certificate must cover both'
  return approximate('warn', { redirectsWww: true }, taken.length === 0 ? message : `${message}; ${skipped(taken)}`)
}

function skipped(taken: readonly string[]): string {
  return `${taken.join(', ')} has rules in an Ingress and keeps them, as in ingress-nginx`
}
