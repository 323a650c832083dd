/**
 * Access log formats: Istio's default text and JSON
 * (https://istio.io/latest/docs/tasks/observability/logs/access-log/#default-access-log-format), and any other format
 * made of Envoy's command operators
 * (https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators).
 */
import type { AccessLogFormat as LogFormat } from '../istio/control-plane.ts'
import { isObject, member, type Json, type JsonObject } from '../kubernetes/json.ts'

export type LogField =
  | 'time'
  | 'remote'
  /** The address of the connection; `remote` of a request may come from its X-Forwarded-For. */
  | 'directRemote'
  | 'local'
  | 'localPort'
  | 'cluster'
  | 'serverName'
  | 'agent'
  | 'authority'
  | 'route'
  | 'details'
  | 'mtls'
  | 'peer'

/** What a line says. A field that the format lacks is absent; Envoy writes `-` for a value that it lacks. */
export type LogFields = Partial<Record<LogField, string>>

/** Returns the fields of a line; undefined if the line is not of this format. */
export type LineReader = (line: string) => LogFields | undefined

export const DEFAULT_TEXT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%'

/** The members of Istio's default JSON that are read. */
export const DEFAULT_LABELS: JsonObject = {
  start_time: '%START_TIME%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  user_agent: '%REQ(USER-AGENT)%',
  authority: '%REQ(:AUTHORITY)%',
  route_name: '%ROUTE_NAME%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
}

/** Operators by name and argument. Those of addresses without a port are read like those with one. */
const OPERATORS: ReadonlyMap<string, LogField> = new Map<string, LogField>([
  ['START_TIME', 'time'],
  ['DOWNSTREAM_REMOTE_ADDRESS', 'remote'],
  ['DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT', 'remote'],
  ['DOWNSTREAM_DIRECT_REMOTE_ADDRESS', 'directRemote'],
  ['DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT', 'directRemote'],
  ['DOWNSTREAM_LOCAL_ADDRESS', 'local'],
  ['DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT', 'local'],
  ['DOWNSTREAM_LOCAL_PORT', 'localPort'],
  ['UPSTREAM_CLUSTER', 'cluster'],
  ['UPSTREAM_CLUSTER_RAW', 'cluster'],
  ['REQUESTED_SERVER_NAME', 'serverName'],
  ['REQ(USER-AGENT)', 'agent'],
  ['REQ(:AUTHORITY)', 'authority'],
  ['REQ(HOST)', 'authority'],
  ['ROUTE_NAME', 'route'],
  ['RESPONSE_CODE_DETAILS', 'details'],
  ['CEL(connection.mtls)', 'mtls'],
  ['DOWNSTREAM_PEER_URI_SAN', 'peer'],
])

/** Fields without which a line names no connection. */
const NEEDED = [
  ['a remote address (%DOWNSTREAM_REMOTE_ADDRESS%)', ['remote', 'directRemote']],
  ['a local address (%DOWNSTREAM_LOCAL_ADDRESS%)', ['local']],
  ['the upstream cluster (%UPSTREAM_CLUSTER%)', ['cluster']],
  ['a sign of mutual TLS (%REQUESTED_SERVER_NAME% or %CEL(connection.mtls)%)', ['serverName', 'mtls', 'peer']],
] as const

/** Returns what a format lacks to name callers, in words; empty if nothing. */
export function missingIn(format: LogFormat): readonly string[] {
  const texts = format.kind === 'text' ? [format.text] : leavesOf(format.labels).map(({ text }) => text)
  const fields = new Set(texts.flatMap((text) => tokensOf(text).flatMap(({ field }) => field ?? [])))
  return NEEDED.filter(([, any]) => !any.some((field) => fields.has(field))).map(([words]) => words)
}

interface Token {
  readonly field: LogField | undefined
  /** Whether a client chooses the value, so that it may contain anything, the text between operators included. */
  readonly isFree: boolean
  /** The text up to the next operator. */
  readonly after: string
}

/** Splits a format into its operators. The text before the first one is the first token's, which has no field. */
function tokensOf(format: string): readonly Token[] {
  const tokens: Token[] = []
  let operator: { field: LogField | undefined; isFree: boolean } = { field: undefined, isFree: false }
  let literal = ''
  for (let at = 0; at < format.length;) {
    const found = format[at] === '%' ? OPERATOR.exec(format.slice(at, at + LONGEST_OPERATOR)) : undefined
    if (found === null || found === undefined) {
      literal += format[at] ?? ''
      at += format.startsWith('%%', at) ? 2 : 1
      continue
    }
    tokens.push({ ...operator, after: literal })
    const [whole, name = '', argument = ''] = found
    const field = OPERATORS.get(`${name}${argument}`) ?? OPERATORS.get(name)
    operator = { field, isFree: FREE.test(name) }
    literal = ''
    at += whole.length
  }
  return [...tokens, { ...operator, after: literal }]
}

const OPERATOR = /^%([A-Z0-9_]+)(\([^%]*\))?(?::\d+)?%/
const LONGEST_OPERATOR = 1000
const FREE = /^(?:REQ|REQ_WITHOUT_QUERY|RESP|TRAILER|DYNAMIC_METADATA|METADATA|QUERY_PARAMS?|PATH|CEL|FILTER_STATE)$/

/** Makes the reader of a format. */
export function createReader(format: LogFormat): LineReader {
  return format.kind === 'text' ? textReader(format.text) : jsonReader(format.labels)
}

/**
 * Reads a text from both ends: what a client chooses, such as its User-Agent, stands in the middle of the default
 * format, and must not move the addresses at the end.
 */
function textReader(format: string): LineReader {
  const tokens = tokensOf(format.replace(/\r?\n$/, ''))
  const first = tokens.findIndex(({ isFree }) => isFree)
  const head = first === -1 ? tokens.length : first
  const tail = tokens.findLastIndex(({ isFree }) => isFree)
  const opening = tokens[0]?.after ?? ''
  return (line) => {
    if (!line.startsWith(opening)) return undefined
    const fields: LogFields = {}
    const start = readForwards(line, opening.length, line.length, tokens.slice(1, head), fields)
    if (start === undefined) return undefined
    if (tail === -1) return start === line.length && isPlausible(fields) ? fields : undefined
    const end = readBackwards(line, start, tokens, tail, fields)
    if (end === undefined) return undefined
    readForwards(line, start, end, tokens.slice(head, tail + 1), fields, true)
    return isPlausible(fields) ? fields : undefined
  }
}

/** Returns where the last token ends; undefined if a text between operators is missing. */
function readForwards(
  line: string,
  from: number,
  to: number,
  tokens: readonly Token[],
  fields: LogFields,
  isLast = false,
): number | undefined {
  let at = from
  for (const [index, { field, after }] of tokens.entries()) {
    const isEnd = after === '' || (isLast && index === tokens.length - 1)
    const end = isEnd ? to : line.indexOf(after, at)
    if (end === -1 || end > to) return undefined
    if (field !== undefined) fields[field] = line.slice(at, end)
    at = isEnd ? to : end + after.length
  }
  return at
}

/** Reads the tokens after `tail` from the end of the line. Returns where the text after `tail` begins. */
function readBackwards(
  line: string,
  from: number,
  tokens: readonly Token[],
  tail: number,
  fields: LogFields,
): number | undefined {
  const closing = tokens.at(-1)?.after ?? ''
  if (!line.endsWith(closing)) return undefined
  let end = line.length - closing.length
  for (let index = tokens.length - 1; index > tail; index--) {
    const before = tokens[index - 1]?.after ?? ''
    const at = before === '' ? from : line.lastIndexOf(before, end - before.length)
    if (at < from) return undefined
    const field = tokens[index]?.field
    if (field !== undefined) fields[field] = line.slice(at + before.length, end)
    end = at
  }
  return end
}

interface Leaf {
  readonly path: readonly string[]
  readonly text: string
}

/** The labels of a JSON format may be nested. */
function leavesOf(labels: Json, path: readonly string[] = []): readonly Leaf[] {
  if (typeof labels === 'string') return [{ path, text: labels }]
  if (!isObject(labels)) return []
  return Object.entries(labels).flatMap(([key, value]) => leavesOf(value as Json, [...path, key]))
}

function jsonReader(labels: JsonObject): LineReader {
  const leaves = leavesOf(labels).flatMap(({ path, text }) => {
    const tokens = tokensOf(text)
    if (tokens.every(({ field }) => field === undefined)) return []
    const [first, only] = tokens
    const single = tokens.length === 2 && first?.after === '' && only?.after === '' ? only.field : undefined
    return [{ path, single, read: single === undefined ? textReader(text) : undefined }]
  })
  return (line) => {
    const object = parsed(line)
    if (object === undefined) return undefined
    const fields: LogFields = {}
    for (const { path, single, read } of leaves) {
      let value: Json | undefined = object
      for (const key of path) value = member(value, key)
      // Envoy writes null for a value that it lacks, or leaves the member out.
      const text = typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : '-'
      if (single !== undefined) fields[single] = text
      else Object.assign(fields, read?.(text))
    }
    const { remote, directRemote, local } = fields
    const hasAddresses =
      [remote, directRemote].some((one) => one !== undefined && one !== '-') && local !== undefined && local !== '-'
    return hasAddresses && isPlausible(fields) ? fields : undefined
  }
}

function parsed(line: string): JsonObject | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Text that merely has the same separators has no addresses and no time in these places. */
function isPlausible({ remote, directRemote, local, time }: LogFields): boolean {
  return [remote, directRemote, local].every((text) => text === undefined || ENDPOINT.test(text)) && isTime(time)
}

const ENDPOINT = /^(?:-|\[?[0-9a-fA-F.:]{2,45}(?:%\w+)?\]?(?::\d{1,5})?|envoy:\/\/\S*|@\S*)$/

function isTime(text: string | undefined): boolean {
  return text === undefined || (/^[^[\]"]{1,40}$/.test(text) && !/^\d{4}-\S* /.test(text))
}
