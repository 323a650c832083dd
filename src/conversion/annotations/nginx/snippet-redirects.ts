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
 * | rewrite ^/old /new permanent;                                 | a route for the paths, which redirects |
 * | if ($uri ~ ^/old) { return or rewrite }                       | the same                               |
 * | location = /old { return or rewrite }, of a server            | the same                               |
 */
import { ownEntry } from '../../../kubernetes/json.ts'
import type { RedirectTarget } from '../../model/ingress-settings.ts'
import { claimsHttpsRedirect, type AnnotationPlace } from '../entry.ts'
import { redirectStatement, type RedirectReading, type SnippetLevel } from './redirect-statements.ts'
import { hostRedirects } from './snippet-host-redirects.ts'
import { pathRedirect } from './snippet-path-redirects.ts'

export function snippetRedirect(
  statement: string,
  place: AnnotationPlace,
  level: SnippetLevel,
): RedirectReading | undefined {
  const condition = CONDITION.exec(statement)
  if (condition === null) return plainRedirect(statement) ?? pathRedirect(statement, place, level)
  const [, variable = '', operator = '', given = '', body = ''] = condition
  const value = unquoted(given)
  const found = redirectStatement(body)
  if (found === undefined || found.pattern !== undefined) {
    return variable === 'host' ? hostRedirects({ operator, value, body }, place) : undefined
  }
  if (operator === '=' && isPlain(variable, value)) return httpsRedirect(found.target, place)
  if (variable === 'host') return hostRedirects({ operator, value, body }, place)
  return pathRedirect(statement, place, level)
}

/** `if ($host = 'www.example.com') { return 301 https://example.com$request_uri; }` */
const CONDITION = /^if ?\( ?\$(\w+) (=|!=|~\*|~) ("[^"]*"|'[^']*'|[^\s"']+?) ?\) ?\{ ?([^;{}]+); ?\}$/

function unquoted(text: string): string {
  return /^["']/.test(text) ? text.slice(1, -1) : text
}

function plainRedirect(statement: string): RedirectReading | undefined {
  const found = redirectStatement(statement)
  if (found === undefined || found.pattern !== undefined) return undefined
  const { target, note } = found
  return { settings: { redirect: target }, ...(note === undefined ? {} : { note }) }
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
