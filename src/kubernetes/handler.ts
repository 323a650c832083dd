/**
 * The handler of a probe or lifecycle hook: `httpGet`, `tcpSocket`, `grpc`, `exec` or `sleep` (core/v1 ProbeHandler and
 * LifecycleHandler). Parsed once from untyped JSON.
 */
import { arrayMember, isObject, member, stringMember, typeName, type Json, type JsonObject } from './json.ts'
import { isProblem, type Problem } from './problem.ts'

/** A port as written in a manifest: a number, or the name of a port of the same container. */
export type PortReference = number | string

export interface Header {
  readonly name: string
  readonly value: string
}

export interface HttpGet {
  readonly kind: 'httpGet'
  readonly scheme: 'HTTP' | 'HTTPS'
  readonly host: string
  readonly port: PortReference
  readonly path: string
  readonly headers: readonly Header[]
  /** `protocol: HTTP2`, clear-text HTTP/2 (Kubernetes 1.37, https://kep.k8s.io/5999). */
  readonly http2: boolean
}

export interface TcpSocket {
  readonly kind: 'tcpSocket'
  readonly host: string
  readonly port: PortReference
}

export interface Grpc {
  readonly kind: 'grpc'
  readonly port: number
  readonly service: string
  /** `mode: TLS`, TLS without certificate verification (Kubernetes 1.37, https://kep.k8s.io/4939). */
  readonly tls: boolean
}

export interface Exec {
  readonly kind: 'exec'
  readonly command: readonly string[]
}

/** The handlers that reach the container over the network. */
export type NetworkHandler = HttpGet | TcpSocket | Grpc
export type Handler = NetworkHandler | Exec | { readonly kind: 'sleep' }

export const HANDLER_KINDS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const
export type HandlerKind = (typeof HANDLER_KINDS)[number]

/** Returns the handlers of a probe or hook: one if it is valid, several after some merges, none if it is broken. */
export function handlerKinds(value: JsonObject): readonly HandlerKind[] {
  return HANDLER_KINDS.filter((kind) => (member(value, kind) ?? null) !== null)
}

export function readHandler(kind: HandlerKind, value: Json | undefined): Handler | Problem {
  if (!isObject(value)) return { field: kind, problem: `must be an object, not ${typeName(value)}` }
  switch (kind) {
    case 'httpGet':
      return readHttpGet(value)
    case 'tcpSocket':
      return readTcpSocket(value)
    case 'grpc':
      return readGrpc(value)
    case 'exec':
      return { kind, command: arrayMember(value, 'command').filter((word) => typeof word === 'string') }
    case 'sleep':
      return { kind }
  }
}

/** Applies the API server's defaults: path `/`, scheme HTTP (pkg/apis/core/v1/defaults.go). */
function readHttpGet(value: JsonObject): HttpGet | Problem {
  const port = readPort(member(value, 'port'))
  if (typeof port === 'object') return { field: 'httpGet.port', problem: port.problem }
  const scheme = member(value, 'scheme') ?? 'HTTP'
  if (scheme !== 'HTTP' && scheme !== 'HTTPS')
    return { field: 'httpGet.scheme', problem: `is ${show(scheme)}; allowed are HTTP and HTTPS` }
  const path = member(value, 'path') ?? '/'
  if (typeof path !== 'string') return { field: 'httpGet.path', problem: `must be a string, not ${typeName(path)}` }
  const headers = readHeaders(value)
  if (isProblem(headers)) return headers
  return {
    kind: 'httpGet',
    scheme,
    host: stringMember(value, 'host') ?? '',
    port,
    path,
    headers,
    http2: member(value, 'protocol') === 'HTTP2',
  }
}

function readHeaders(value: JsonObject): readonly Header[] | Problem {
  const headers: Header[] = []
  for (const [index, entry] of arrayMember(value, 'httpHeaders').entries()) {
    const name = stringMember(entry, 'name')
    if (name === undefined || name === '')
      return { field: `httpGet.httpHeaders[${index}].name`, problem: 'a header name is required' }
    headers.push({ name, value: stringMember(entry, 'value') ?? '' })
  }
  return headers
}

function readTcpSocket(value: JsonObject): TcpSocket | Problem {
  const port = readPort(member(value, 'port'))
  if (typeof port === 'object') return { field: 'tcpSocket.port', problem: port.problem }
  return { kind: 'tcpSocket', host: stringMember(value, 'host') ?? '', port }
}

/** A gRPC probe's port is always a number (core/v1 GRPCAction). */
function readGrpc(value: JsonObject): Grpc | Problem {
  const port = readPort(member(value, 'port'))
  if (typeof port !== 'number')
    return {
      field: 'grpc.port',
      problem: typeof port === 'object' ? port.problem : `is ${show(port)}; a number is required`,
    }
  return { kind: 'grpc', port, service: stringMember(value, 'service') ?? '', tls: member(value, 'mode') === 'TLS' }
}

function readPort(value: Json | undefined): PortReference | { readonly problem: string } {
  if (typeof value === 'string') return value === '' ? { problem: 'is empty' } : value
  if (typeof value !== 'number')
    return { problem: `must be a port number or a port name, not ${typeName(value ?? null)}` }
  return isPortNumber(value) ? value : { problem: `is ${String(value)}; allowed are 1 to 65535` }
}

export function isPortNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65535
}

function show(value: Json): string {
  return JSON.stringify(value)
}

/** The fields of each handler up to Kubernetes 1.37 (core/v1 HTTPGetAction, TCPSocketAction, GRPCAction). */
const HANDLER_FIELDS: Readonly<Record<NetworkHandler['kind'], readonly string[]>> = {
  httpGet: ['path', 'port', 'host', 'scheme', 'httpHeaders', 'protocol'],
  tcpSocket: ['port', 'host'],
  grpc: ['port', 'service', 'mode'],
}

/**
 * Returns the fields of a handler that this version does not know, as `httpGet.FIELD`, or with the value if only the
 * value is new. A later Kubernetes has such fields, and replacing the handler would drop them.
 */
export function unknownFieldsOf(kind: NetworkHandler['kind'], value: JsonObject): readonly string[] {
  const fields = unknownKeys(value, HANDLER_FIELDS[kind])
  return [...fields.map((key) => `${kind}.${key}`), ...(kind === 'tcpSocket' ? [] : unknownTransport(kind, value))]
}

/** Returns the keys that may be fields of a later version: Kubernetes' are camelCase, which excludes `__proto__`. */
export function unknownKeys(value: JsonObject, known: readonly string[]): readonly string[] {
  return Object.keys(value).filter(
    (key) => !known.includes(key) && (member(value, key) ?? null) !== null && /^[a-z][a-zA-Z0-9]*$/.test(key),
  )
}

/** Only clear-text HTTP/2 is supported, the only kind that Kubernetes 1.37 allows. */
function unknownTransport(kind: 'httpGet' | 'grpc', value: JsonObject): readonly string[] {
  const [field, known] =
    kind === 'httpGet' ? (['protocol', httpProtocols(value)] as const) : (['mode', GRPC_MODES] as const)
  const found = member(value, field) ?? null
  return found === null || known.includes(found) ? [] : [`${kind}.${field}: ${show(found)}`]
}

const GRPC_MODES: readonly Json[] = ['Plaintext', 'TLS']

function httpProtocols(value: JsonObject): readonly Json[] {
  return member(value, 'scheme') === 'HTTPS' ? ['HTTP1'] : ['HTTP1', 'HTTP2']
}
