/** ingress-nginx: raw nginx configuration (docs/facts/ingress-nginx.md#snippets). */
import { ownEntry } from '../../../kubernetes/json.ts'
import type { HeaderChanges, HeaderEdit } from '../../model/ingress-settings.ts'
import { mergeSettings } from '../merge-settings.ts'
import {
  unsupported,
  type AnnotationPlace,
  type AnnotationSettings,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'
import { headerChangesOf, type HeaderChange } from './snippet-headers.ts'
import type { SnippetLevel } from './redirect-statements.ts'
import { snippetRedirect } from './snippet-redirects.ts'
import { statementsOf, wordsOf } from './snippet-statements.ts'

export const NGINX_SNIPPET: AnnotationTable = nginxTable({
  'configuration-snippet': (value, place) => readSnippet(value, place, 'location'),
  'server-snippet': (value, place) => readSnippet(value, place, 'server'),
  'stream-snippet': unsupported('error', 'TCP routes are a Gateway server and a VirtualService with tcp'),
})

/** The reading of one statement. A note is a difference to report. */
interface Reading {
  readonly settings?: AnnotationSettings
  readonly changes?: readonly HeaderChange[]
  readonly note?: string
}

export function readSnippet(value: string, place: AnnotationPlace, level: SnippetLevel): Effect {
  const lost: string[] = []
  const changes: HeaderChange[] = []
  const notes = new Set<string>()
  let settings: AnnotationSettings = {}
  for (const statement of statementsOf(value)) {
    // Statements after a redirect of every request are never reached; header directives have no order.
    const reading = isUnreached(statement, settings) ? UNREACHED : readStatement(statement, place, level)
    if (reading === undefined || repeatsCookie(reading, changes)) lost.push(statement)
    else {
      changes.push(...(reading.changes ?? []))
      if (reading.note !== undefined) notes.add(reading.note)
      settings = mergeSettings([settings, reading.settings ?? {}])
    }
  }
  if (changes.length > 0) settings = mergeSettings([settings, { headerChanges: editsOf(changes) }])
  return effectOf(lost, [...notes], settings)
}

const UNREACHED: Reading = { note: 'what follows a redirect of every request has no effect' }

/** nginx evaluates the directives of its rewrite module in their order. */
function isUnreached(statement: string, { redirect }: AnnotationSettings): boolean {
  return redirect !== undefined && /^(?:return|rewrite|if|set|break)\b/.test(statement)
}

function effectOf(lost: readonly string[], notes: readonly string[], settings: AnnotationSettings): Effect {
  if (lost.length > 0) {
    const quoted = lost.map((statement) => JSON.stringify(statement)).join(', ')
    const message = `${quoted}. Recreate its effect, with an EnvoyFilter if nothing else fits${notes.map((note) => `; ${note}`).join('')}`
    return { outcome: 'unsupported', level: 'error', message, settings }
  }
  if (Object.keys(settings).length === 0)
    return { outcome: 'not-needed', level: 'info', message: notes.join('; ') || 'it changes nothing', settings }
  const message = 'every directive is converted'
  if (notes.length === 0) return { outcome: 'converted', level: 'info', message, settings }
  return { outcome: 'approximate', level: 'info', message: `${message}; ${notes.join('; ')}`, settings }
}

function readStatement(statement: string, place: AnnotationPlace, level: SnippetLevel): Reading | undefined {
  const redirect = snippetRedirect(statement, place, level)
  if (redirect !== undefined) return redirect
  const words = wordsOf(statement)
  const [directive = ''] = words
  if (NEEDLESS.test(directive)) return { note: `${directive} is not needed: Envoy has no such limit, buffer or log` }
  const isProxyHeader = directive === 'proxy_set_header'
  // ingress-nginx sets the same directive in each location, so nginx does not inherit the server's.
  if (isProxyHeader && level === 'server')
    return { note: 'proxy_set_header of a server has no effect in ingress-nginx' }
  const proxied = isProxyHeader ? proxyHeader(words) : undefined
  if (proxied !== undefined) return proxied
  const changes = headerChangesOf(words, place.target)
  if (changes === undefined) return undefined
  return { changes, ...noteOf(words, level, changes) }
}

/** Directives for time limits, buffers, logs and connections to backends. */
const NEEDLESS =
  /^(?:access_log|error_log|log_not_found|log_subrequest|rewrite_log|client_body_buffer_size|client_body_timeout|client_header_timeout|client_max_body_size|keepalive_\w+|large_client_header_buffers|client_header_buffer_size|proxy_buffer\w*|proxy_busy_buffers_size|proxy_connect_timeout|proxy_http_version|proxy_max_temp_file_size|proxy_read_timeout|proxy_request_buffering|proxy_send_timeout|send_timeout|sendfile|tcp_nodelay|tcp_nopush|chunked_transfer_encoding|underscores_in_headers)$/

/** Headers that Envoy sends anyway, with the values that nginx would send. */
const SENT_ANYWAY: Readonly<Record<string, RegExp>> = {
  upgrade: /^\$http_upgrade$/,
  connection: /^(?:upgrade|keep-alive|close|\$connection_upgrade|\$http_connection|)$/i,
  host: /^\$(?:host|http_host|best_http_host)$/,
  'x-forwarded-for': /^\$(?:proxy_add_x_forwarded_for|remote_addr|full_x_forwarded_for)$/,
  'x-forwarded-proto': /^\$(?:scheme|pass_access_scheme|http_x_forwarded_proto)$/,
  'x-request-id': /^\$(?:req_id|request_id)$/,
}

/** Reads a header that Envoy sends by itself, or the Host. */
function proxyHeader([, name = '', value = '', ...rest]: readonly string[]): Reading | undefined {
  if (rest.length > 0) return undefined
  const key = name.toLowerCase()
  if (ownEntry(SENT_ANYWAY, key)?.test(value) === true) return { note: `Envoy sends ${key} by itself` }
  const isLiteralHost = key === 'host' && /^[a-z0-9.-]+$/.test(value)
  return isLiteralHost ? { settings: { authority: value } } : undefined
}

function noteOf(
  [directive, , value, always]: readonly string[],
  level: SnippetLevel,
  changes: readonly HeaderChange[],
): Pick<Reading, 'note'> {
  if (directive === 'add_header' && value !== '' && always === undefined)
    return { note: 'Envoy also adds it to errors, where nginx needs "always"' }
  if (level === 'server' && changes.length > 0)
    return { note: 'it applies to the routes of this Ingress, in nginx to the whole host' }
  return {}
}

/** A list of values in one header is equivalent to several headers, except for cookies (RFC 9110, section 5.3). */
function repeatsCookie({ changes = [] }: Reading, before: readonly HeaderChange[]): boolean {
  return changes.some(
    ({ name, kind }) =>
      name === 'set-cookie' && kind === 'add' && before.some((one) => one.name === name && one.kind === kind),
  )
}

function editsOf(changes: readonly HeaderChange[]): HeaderChanges {
  return { request: editOf(changes, 'request'), response: editOf(changes, 'response') }
}

/** Of replacing directives the last one wins; adding directives all count. */
function editOf(changes: readonly HeaderChange[], side: HeaderChange['side']): HeaderEdit {
  const last = new Map<string, HeaderChange>()
  const added = new Map<string, string>()
  for (const change of changes.filter((one) => one.side === side)) {
    const { kind, name, value } = change
    if (kind !== 'add') last.set(name, change)
    else added.set(name, added.has(name) ? `${added.get(name) ?? ''}, ${value}` : value)
  }
  const replaced = [...last.values()]
  return {
    set: Object.fromEntries(replaced.filter(({ kind }) => kind === 'set').map(({ name, value }) => [name, value])),
    add: Object.fromEntries(added),
    remove: replaced.filter(({ kind }) => kind === 'remove').map(({ name }) => name),
  }
}
