/**
 * Reads the lines of a sidecar's log: the access log's own, and those that kubectl, a container runtime, Loki or another
 * collector has wrapped.
 */
import type { AccessLogFormat as LogFormat } from '../istio/control-plane.ts'
import { isObject, member, stringMember, type JsonObject } from '../kubernetes/json.ts'
import { createReader, DEFAULT_LABELS, DEFAULT_TEXT, type LineReader, type LogFields } from './log-format.ts'

export type ReadLine =
  | { readonly kind: 'connection'; readonly fields: LogFields }
  /** A message of the proxy or its agent, or a line of another container. */
  | { readonly kind: 'message' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'unreadable' }

/** Reads one line after the other: a message of the proxy may go on in the next lines. */
export type LogReader = (line: string) => ReadLine

const DEFAULTS: readonly LogFormat[] = [
  { kind: 'text', text: DEFAULT_TEXT },
  { kind: 'json', labels: DEFAULT_LABELS },
]

/** `formats` are those of the mesh configuration; Istio's defaults are always tried as well. */
export function createLogReader(formats: readonly LogFormat[]): LogReader {
  const readers = (kind: LogFormat['kind']) =>
    [...formats, ...DEFAULTS].filter((format) => format.kind === kind).map(createReader)
  const reading = { text: readers('text'), json: readers('json') }
  let isMessage = false
  return (line) => {
    const read = readWrapped(line.endsWith('\r') ? line.slice(0, -1) : line, reading, MOST_WRAPPERS)
    if (read.kind === 'unreadable' && isMessage && isContinuation(line)) return { kind: 'message' }
    isMessage = read.kind === 'message'
    return read
  }
}

interface Readers {
  readonly text: readonly LineReader[]
  readonly json: readonly LineReader[]
}

/** A collector's JSON around kubectl's prefix around a runtime's prefix. */
const MOST_WRAPPERS = 5

/**
 * | the line                                        | from                                        |
 * |-------------------------------------------------|---------------------------------------------|
 * | `[pod/web-1/istio-proxy] ...`                   | kubectl logs --prefix                       |
 * | `2026-11-27T03:12:00.123456789Z ...`            | kubectl logs --timestamps, Grafana          |
 * | `2026-11-27T03:12:00.123456789Z stdout F ...`   | a container runtime's file                  |
 * | `{"line": "..."}`, `{"log": "..."}`, ...        | logcli, Docker, Fluent Bit, Cloud Logging   |
 * | `web-1 istio-proxy ...`                         | stern                                       |
 */
function readWrapped(line: string, readers: Readers, wrappers: number): ReadLine {
  if (line.trim() === '') return { kind: 'empty' }
  if (line.startsWith('{')) return readJson(line, readers, wrappers)
  const fields = firstOf(line, readers.text)
  if (fields !== undefined) return { kind: 'connection', fields }
  if (PROXY_MESSAGE.test(line)) return { kind: 'message' }
  const inner = wrappers === 0 ? undefined : withoutPrefix(line)
  if (inner === OTHER_CONTAINER) return { kind: 'message' }
  return inner === undefined ? { kind: 'unreadable' } : readWrapped(inner, readers, wrappers - 1)
}

function firstOf(line: string, readers: readonly LineReader[]): LogFields | undefined {
  for (const read of readers) {
    const fields = read(line)
    if (fields !== undefined) return fields
  }
  return undefined
}

/** Messages of pilot-agent and Envoy: a time, a tab, a level. */
const PROXY_MESSAGE =
  /^\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]{8,20}Z?\s+\[?(?:trace|debug|info|warn|warning|error|critical|fatal|off)\b/i
const KUBECTL_PREFIX = /^\[pod\/([^/\]\s]{1,253})\/([^\]\s]{1,63})\] ?/
const TIME_PREFIX = /^\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d)\s(?:(?:stdout|stderr) [FP] )?/
const STERN_PREFIX = /^[^\s[{"]{1,253} (?:[^\s[{"]{1,63} )?(?=\[\d{4}-|\{")/
const OTHER_CONTAINER = Symbol('a line of another container')

function withoutPrefix(line: string): string | typeof OTHER_CONTAINER | undefined {
  const container = KUBECTL_PREFIX.exec(line)?.[2]
  if (container !== undefined && container !== 'istio-proxy') return OTHER_CONTAINER
  for (const prefix of [KUBECTL_PREFIX, TIME_PREFIX, STERN_PREFIX]) {
    const found = prefix.exec(line)
    if (found !== null && found[0] !== '') return line.slice(found[0].length)
  }
  return undefined
}

/** Members in which collectors keep the line. */
const LINE_MEMBERS = ['line', 'log', 'message', 'msg', 'textPayload', 'body', '_raw', 'MESSAGE'] as const
const OBJECT_MEMBERS = ['jsonPayload', 'line', 'log', 'message', 'msg', '_source', 'body'] as const

function readJson(line: string, readers: Readers, wrappers: number): ReadLine {
  const fields = firstOf(line, readers.json)
  if (fields !== undefined) return { kind: 'connection', fields }
  const object = parsed(line)
  if (object === undefined || wrappers === 0) return { kind: 'unreadable' }
  for (const key of OBJECT_MEMBERS) {
    const inner = member(object, key)
    if (isObject(inner)) return readJson(JSON.stringify(inner), readers, wrappers - 1)
  }
  for (const key of LINE_MEMBERS) {
    const inner = stringMember(object, key)
    if (inner === undefined) continue
    const read = readWrapped(inner.replace(/\n$/, ''), readers, wrappers - 1)
    return read.kind === 'unreadable' && isMessageObject(object) ? { kind: 'message' } : read
  }
  return { kind: 'unreadable' }
}

/** pilot-agent with `--log_as_json`: `{"level":"info","time":"...","msg":"..."}`. */
function isMessageObject(object: JsonObject): boolean {
  return (
    typeof object['level'] === 'string' && (typeof object['msg'] === 'string' || typeof object['message'] === 'string')
  )
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** pilot-agent prints its configuration as YAML after a message; a line of an access log begins otherwise. */
function isContinuation(line: string): boolean {
  return !/^(?:\[|\{|\d{4}-\d\d-)/.test(line.replace(KUBECTL_PREFIX, '').replace(TIME_PREFIX, ''))
}
