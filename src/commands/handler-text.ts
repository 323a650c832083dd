/** Formats a probe or hook on one line, for people. */
import { HANDLER_KINDS } from '../kubernetes/handler.ts'
import {
  arrayMember,
  member,
  memberAt,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'

/** Returns `GET :8080/healthz`, `exec /istio-onramp/prober http --port=8080` or `grpc :9000 (service health)`. */
export function describeHandler(check: JsonObject | undefined): string {
  const kinds = HANDLER_KINDS.filter((kind) => member(check, kind) !== undefined)
  return (
    kinds.map((kind) => `${verbOf(kind)} ${describeKind(kind, member(check, kind))}`.trim()).join(' + ') || 'nothing'
  )
}

/** The usual words: GET for HTTP, and TCP for opening a connection. */
function verbOf(kind: (typeof HANDLER_KINDS)[number]): string {
  return kind === 'httpGet' ? 'GET' : kind === 'tcpSocket' ? 'TCP' : kind
}

function describeKind(kind: (typeof HANDLER_KINDS)[number], handler: Json | undefined): string {
  const port = scalarText(member(handler, 'port')) ?? '?'
  const host = stringMember(handler, 'host') ?? ''
  switch (kind) {
    case 'httpGet': {
      const scheme = (stringMember(handler, 'scheme') ?? 'HTTP').toUpperCase() === 'HTTPS' ? 'https://' : ''
      return `${scheme}${host}:${port}${stringMember(handler, 'path') ?? '/'}${describeHeaders(handler)}`
    }
    case 'tcpSocket':
      return `${host}:${port}`
    case 'grpc': {
      const service = stringMember(handler, 'service') ?? ''
      return `:${port}${service === '' ? '' : ` (service ${service})`}`
    }
    case 'exec':
      return arrayMember(handler, 'command').map(shellWord).join(' ')
    case 'sleep':
      return `${scalarText(memberAt(handler, 'seconds')) ?? '?'}s`
  }
}

function describeHeaders(handler: Json | undefined): string {
  const headers = arrayMember(handler, 'httpHeaders')
  if (headers.length === 0) return ''
  return ` (${headers.map((header) => `${stringMember(header, 'name') ?? '?'}: ${stringMember(header, 'value') ?? ''}`).join(', ')})`
}

function shellWord(word: Json): string {
  const text = scalarText(word) ?? ''
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
