/**
 * The redirects of a snippet that have an exact form
 * (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html). Any other is quoted in the report.
 *
 * | statement                                                     | converted to                           |
 * |---------------------------------------------------------------|----------------------------------------|
 * | return 301 URL;                                               | every route redirects                  |
 * | rewrite ^ URL permanent; with the whole path kept             | every route redirects                  |
 * | if ($scheme = http) { return 301 https://$host$request_uri; } | the redirect to HTTPS                  |
 * | if ($host = www.example.com) { return or rewrite }            | the routes of that host redirect       |
 */
import { ownEntry } from '../../../kubernetes/json.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { RedirectCode, RedirectTarget } from '../../model/ingress-settings.ts'
import { claimsHttpsRedirect, type AnnotationPlace, type AnnotationSettings } from '../entry.ts'
import { readRedirectTarget } from './redirect.ts'
import { wordsOf } from './snippet-statements.ts'

interface RedirectReading {
  readonly settings: AnnotationSettings
  readonly note?: string
}

export function snippetRedirect(statement: string, place: AnnotationPlace): RedirectReading | undefined {
  const [, variable, operator, value = '', body = ''] = CONDITION.exec(statement) ?? []
  if (variable === undefined) return plainRedirect(statement)
  const target = redirectTarget(body)
  if (target === undefined) return undefined
  if (operator === '=' && isPlain(variable, value)) return httpsRedirect(target, place)
  return operator === '=' && variable === 'host' ? hostRedirect(value.toLowerCase(), target, place) : undefined
}

/** `if ($host = 'www.example.com') { return 301 https://example.com$request_uri; }` */
const CONDITION = /^if ?\( ?\$(\w+) (=|!=) ["']?([^"'\s)]+)["']? ?\) ?\{ ?([^;{}]+); ?\}$/

function plainRedirect(statement: string): RedirectReading | undefined {
  const target = redirectTarget(statement)
  if (target === undefined) return undefined
  const note = target.path === undefined ? undefined : 'the redirect keeps the query string, which nginx drops'
  return { settings: { redirect: target }, ...(note === undefined ? {} : { note }) }
}

const CODES: Readonly<Record<string, RedirectCode>> = { '301': 301, '302': 302, '303': 303, '307': 307, '308': 308 }

function redirectTarget(statement: string): RedirectTarget | undefined {
  const [directive, first = '', second, flag, ...rest] = wordsOf(statement)
  if (rest.length > 0) return undefined
  if (directive === 'return') return returnTarget(first, second, flag)
  return directive === 'rewrite' ? rewriteTarget(first, second, flag) : undefined
}

/** `return URL;` alone means 302. */
function returnTarget(first: string, second: string | undefined, flag: string | undefined): RedirectTarget | undefined {
  if (flag !== undefined) return undefined
  if (second === undefined) return /^(?:https?|\$scheme):\/\//.test(first) ? readRedirectTarget(first, 302) : undefined
  const code = ownEntry(CODES, first)
  return code === undefined ? undefined : readRedirectTarget(second.replace('$uri', '$request_uri'), code)
}

/** Reads `rewrite ^/(.*)$ https://example.com/$1 permanent;`. nginx keeps the query unless the URL ends in `?`. */
function rewriteTarget(pattern: string, url: string | undefined, flag: string | undefined): RedirectTarget | undefined {
  const code = flag === 'permanent' ? 301 : flag === 'redirect' ? 302 : undefined
  if (code === undefined || url === undefined) return undefined
  const whole = wholePath(pattern, url)
  return whole === undefined ? undefined : readRedirectTarget(whole, code)
}

/** Returns the URL with the request's path as `$request_uri`; undefined if the path is not kept whole. */
function wholePath(pattern: string, url: string): string | undefined {
  if (/^\^?(?:\(\.\*\)\$?)?$/.test(pattern) || pattern === '^/') {
    if (url.endsWith('$request_uri?')) return url.slice(0, -1)
    return pattern.includes('(') && url.endsWith('$1') ? url.replace(/\$1$/, '$request_uri') : undefined
  }
  if (/^\^?\/\(\.\*\)\$?$/.test(pattern)) {
    if (url.endsWith('$request_uri?')) return url.slice(0, -1)
    return url.endsWith('/$1') ? url.replace(/\/\$1$/, '$request_uri') : undefined
  }
  return undefined
}

function isPlain(variable: string, value: string): boolean {
  const plain: Readonly<Record<string, string>> = { scheme: 'http', http_x_forwarded_proto: 'http', server_port: '80' }
  return ownEntry(plain, variable) === value
}

/** A redirect to the same address over https, for hosts with TLS. */
function httpsRedirect(
  { scheme, authority, path }: RedirectTarget,
  place: AnnotationPlace,
): RedirectReading | undefined {
  const hosts = place.ingress.rules.map(({ host }) => host)
  const isSameHost = authority === undefined || (hosts.length === 1 && hosts[0] === authority)
  const hasTls = place.ingress.tls.some(({ secret }) => secret !== '')
  if (scheme !== 'https' || !isSameHost || path !== undefined || !hasTls) return undefined
  const { settings = {} } = claimsHttpsRedirect('')
  return { settings, note: 'plain requests of hosts with TLS are redirected with 308' }
}

/** A host that the Ingress does not have has no route; nginx would not reach the condition either. */
function hostRedirect(
  host: string,
  target: RedirectTarget,
  { ingress, sibling }: AnnotationPlace,
): RedirectReading | undefined {
  const names = [...ingress.rules.map((rule) => rule.host), ...(sibling('server-alias') ?? '').split(/[\s,]+/)]
  if (names.some((name) => isCoveredByWildcard(host, name))) return undefined
  if (!names.includes(host))
    return { settings: {}, note: `${host} is not a host of this Ingress, so its redirect never applies` }
  return { settings: { hostRedirects: new Map([[host, target]]) } }
}
