/**
 * The API server's lists and watches, and writes to the paths that callers pass.
 * docs/decisions/live-watches.md explains why client-node's are not used.
 */
import { request, type Dispatcher } from 'undici'
import { codeOf } from '../../errors.ts'
import { isObject, member, parseJson, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { ApiError } from './api-error.ts'
import type { ClusterAddress } from './cluster-address.ts'
import { findCluster } from './find-cluster.ts'

export interface ClusterApi {
  /** `https://10.96.0.1:443` */
  readonly server: string
  /** The context's namespace; undefined if it has none. */
  readonly namespace: string | undefined
  /** Gets the object at a path. Throws ApiError. */
  get(path: string, signal: AbortSignal): Promise<JsonObject>
  /** Gets the object with its length in bytes. Throws ResponseTooLarge above `most` bytes, without reading the rest. */
  measure(path: string, most: number, signal: AbortSignal): Promise<Measured>
  /**
   * Resolves when the server has accepted the watch, with its events as they arrive. The events end when the server
   * ends them, or after `silence` milliseconds without data. Both throw ApiError, or the reason with which `signal` was
   * aborted.
   */
  watch(path: string, silence: number, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>
  /** Returns a response that is not JSON, such as a log, as it arrives. Throws ApiError. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Buffer>>
  /** Sends an object or a patch and returns the object that is stored then. Throws ApiError. */
  write(path: string, write: ObjectWrite, signal: AbortSignal): Promise<JsonObject>
  /**
   * Milliseconds since 1970 by the clock of the API server, as of its last response. Changes of this machine's clock do
   * not affect it. Before the first response it is this machine's time.
   */
  serverTime(): number
}

export interface ObjectWrite {
  readonly method: 'POST' | 'PUT' | 'PATCH'
  readonly contentType: 'application/json' | 'application/json-patch+json'
  readonly body: Json
  /** Called for each warning of the response, whether the write succeeds or not. */
  readonly warned?: (text: string) => void
}

export interface Measured {
  readonly object: JsonObject
  readonly bytes: number
}

/** A response that would take too much memory at once. */
export class ResponseTooLarge extends Error {}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

/** Milliseconds. An API server allows itself 60 s for a list. */
const PATIENCE = 70_000
/** For discovery documents, and for single objects of any size. */
const MOST_BYTES = 64 * 1024 * 1024

/** Connects to the named context, or to the cluster that kubectl would find. Throws InputError. */
export async function connectToCluster(context?: string): Promise<ClusterApi> {
  return createClusterApi(await findCluster(context))
}

export function createClusterApi(address: ClusterAddress): ClusterApi {
  const { server, namespace } = address
  const clock = createServerClock()
  const send = createSender(address, clock)
  const measure = async (path: string, most: number, signal: AbortSignal, write?: ObjectWrite): Promise<Measured> => {
    try {
      const text = await readText(await send(path, PATIENCE, signal, write), most)
      const object: unknown = JSON.parse(text.toString('utf8'))
      if (isObject(object)) return { object, bytes: text.length }
    } catch (error) {
      throw error instanceof ResponseTooLarge ? error : describeFailure(error, server, signal)
    }
    throw new ApiError(200, `${server}${path} returned something other than an object`)
  }
  return {
    server,
    namespace,
    get: async (path, signal) => (await measure(path, MOST_BYTES, signal)).object,
    measure: (path, most, signal) => measure(path, most, signal),
    write: async (path, write, signal) => (await measure(path, MOST_BYTES, signal, write)).object,
    serverTime: () => clock.now(),
    async stream(path, signal) {
      const describe = (error: unknown) => describeFailure(error, server, signal)
      try {
        return describing(await send(path, PATIENCE, signal), describe)
      } catch (error) {
        throw describe(error)
      }
    },
    async watch(path, silence, signal) {
      const describe = (error: unknown) => describeFailure(error, server, signal)
      try {
        return eventsOf(await send(path, silence, signal), describe)
      } catch (error) {
        throw describe(error)
      }
    },
  }
}

type Body = Dispatcher.ResponseData['body']

async function readText(body: Body, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw new ResponseTooLarge(`the response is larger than ${most} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}

interface ServerClock {
  now(): number
  /** Takes the `Date` header of a response. */
  hear(date: unknown): void
}

function createServerClock(): ServerClock {
  let offset: number | undefined
  return {
    now: () => (offset === undefined ? Date.now() : performance.now() + offset),
    hear(date) {
      const time = typeof date === 'string' ? Date.parse(date) : Number.NaN
      if (!Number.isNaN(time)) offset = time - performance.now()
    },
  }
}

type Send = (path: string, timeout: number, signal: AbortSignal, write?: ObjectWrite) => Promise<Body>

/** Requests share connections and credentials until one fails. Either may have changed then, so both are replaced. */
function createSender(address: ClusterAddress, clock: ServerClock): Send {
  let connections: Dispatcher | undefined
  const renew = (failed: Dispatcher | undefined) => {
    address.forget()
    if (failed === undefined || failed !== connections) return
    // Watches on the old connections continue until they end.
    void connections.close().catch(() => undefined)
    connections = undefined
  }
  return async (path, timeout, signal, write) => {
    let dispatcher: Dispatcher | undefined
    try {
      const credentials = await address.credentials()
      dispatcher = connections ??= credentials.connect()
      const headers = { ...credentials.headers, accept: 'application/json', 'user-agent': 'istio-onramp' }
      const response = await request(`${address.server}${path}`, {
        dispatcher,
        ...(write === undefined ? { headers } : writing(write, headers)),
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal,
      })
      const { statusCode, body } = response
      clock.hear(response.headers['date'])
      if (write?.warned !== undefined) warningsIn(response.headers['warning']).forEach(write.warned)
      if (statusCode === 200 || statusCode === 201) return body
      throw new ApiError(statusCode, statusMessage(await body.text()) ?? `HTTP ${statusCode}`)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) renew(dispatcher)
      throw error
    }
  }
}

function writing({ method, contentType, body }: ObjectWrite, headers: Readonly<Record<string, string>>) {
  return { method, headers: { ...headers, 'content-type': contentType }, body: JSON.stringify(body) }
}

/** Reads `299 - "text"`, with \" and \\ in the text (https://www.rfc-editor.org/rfc/rfc7234#section-5.5). */
function warningsIn(header: string | readonly string[] | undefined): readonly string[] {
  return [header ?? []]
    .flat()
    .flatMap((line) => [...line.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)])
    .map(([, text = '']) => text.replace(/\\(.)/g, '$1'))
}

/** Returns the message of a `Status` object. */
function statusMessage(text: string): string | undefined {
  return stringMember(parseJson(text), 'message')
}

/** Connection errors do not name the server, and undici's timeouts say little more than that they are timeouts. */
function describeFailure(error: unknown, server: string, signal: AbortSignal): unknown {
  if (error instanceof ApiError || signal.aborted || !(error instanceof Error)) return error
  const code = codeOf(error) ?? ''
  const isTimeout = code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT'
  return new Error(`${server}: ${isTimeout ? 'no data received before the timeout' : error.message || code}`, {
    cause: error,
  })
}

async function* describing(body: AsyncIterable<Buffer>, describe: (error: unknown) => unknown): AsyncIterable<Buffer> {
  try {
    yield* body
  } catch (error) {
    throw describe(error)
  }
}

/** Reads one JSON document per line. Any other line is an error, because skipping it could miss a change. */
async function* eventsOf(
  body: AsyncIterable<Uint8Array>,
  describe: (error: unknown) => unknown,
): AsyncIterable<WatchEvent> {
  try {
    yield* linesOf(body)
  } catch (error) {
    throw describe(error)
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<WatchEvent> {
  const decoder = new TextDecoder()
  // The pieces of a line that is not complete. They are joined once, because an object may arrive in a hundred chunks.
  let pieces: string[] = []
  let size = 0
  for await (const chunk of body) {
    const [first = '', ...others] = decoder.decode(chunk, { stream: true }).split('\n')
    pieces.push(first)
    size += first.length
    if (size > MOST_BYTES) throw new ResponseTooLarge(`an event is larger than ${MOST_BYTES} bytes`)
    const rest = others.pop()
    if (rest === undefined) continue
    for (const line of [pieces.join(''), ...others]) if (line !== '') yield readEvent(line)
    pieces = [rest]
    size = rest.length
  }
}

function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line)
  const object = member(event, 'object')
  const type = stringMember(event, 'type')
  if (type === undefined || !isObject(object)) throw new ApiError(200, 'unexpected watch event')
  return { type, object }
}
