/**
 * The API server's lists and watches. Reads only, and only the paths it is given. docs/decisions/live-watches.md explains
 * why these are not client-node's.
 */
import { request, type Dispatcher } from 'undici'
import { codeOf } from '../../errors.ts'
import { isObject, member, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { ApiError } from './api-error.ts'
import type { ClusterAddress } from './cluster-address.ts'
import { findCluster } from './find-cluster.ts'

export interface ClusterApi {
  /** `https://10.96.0.1:443` */
  readonly server: string
  /** The namespace of the context; undefined where it names none. */
  readonly namespace: string | undefined
  /** The object at a path. Throws ApiError. */
  get(path: string, signal: AbortSignal): Promise<JsonObject>
  /** The same with its length in bytes. Throws ResponseTooLarge above `most`, without having read the rest. */
  measure(path: string, most: number, signal: AbortSignal): Promise<Measured>
  /**
   * Resolves when the server has accepted the watch, to its events as they come. They end when the server ends them, or
   * after `silence` milliseconds without data. Both throw ApiError, and the reason with which `signal` was aborted.
   */
  watch(path: string, silence: number, signal: AbortSignal): Promise<AsyncIterable<WatchEvent>>
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

/** Milliseconds: an API server gives itself 60 s for a list. */
const PATIENCE = 70_000
/** Discovery documents, and single objects however large. */
const MOST_BYTES = 64 * 1024 * 1024

/** As kubectl finds it, or by the context named. Throws InputError. */
export async function connectToCluster(context?: string): Promise<ClusterApi> {
  return createClusterApi(await findCluster(context))
}

export function createClusterApi(address: ClusterAddress): ClusterApi {
  const { server, namespace } = address
  const send = createSender(address)
  const measure = async (path: string, most: number, signal: AbortSignal): Promise<Measured> => {
    try {
      const text = await readText(await send(path, PATIENCE, signal), most)
      const object: unknown = JSON.parse(text.toString('utf8'))
      if (isObject(object)) return { object, bytes: text.length }
    } catch (error) {
      throw error instanceof ResponseTooLarge ? error : describeFailure(error, server, signal)
    }
    throw new ApiError(200, `${server}${path} did not answer with an object`)
  }
  return {
    server,
    namespace,
    get: async (path, signal) => (await measure(path, MOST_BYTES, signal)).object,
    measure,
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

/** All requests share connections and credentials until one fails. Both may have changed then, so both are replaced. */
function createSender(address: ClusterAddress): (path: string, timeout: number, signal: AbortSignal) => Promise<Body> {
  let connections: Dispatcher | undefined
  const renew = (failed: Dispatcher | undefined) => {
    address.forget()
    if (failed === undefined || failed !== connections) return
    // Watches that still run over the old connections end in their own time.
    void connections.close().catch(() => undefined)
    connections = undefined
  }
  return async (path, timeout, signal) => {
    let dispatcher: Dispatcher | undefined
    try {
      const credentials = await address.credentials()
      dispatcher = connections ??= credentials.connect()
      const { statusCode, body } = await request(`${address.server}${path}`, {
        dispatcher,
        headers: { ...credentials.headers, accept: 'application/json', 'user-agent': 'istio-onramp' },
        headersTimeout: timeout,
        bodyTimeout: timeout,
        signal,
      })
      if (statusCode === 200) return body
      throw new ApiError(statusCode, statusMessage(await body.text()) ?? `HTTP ${statusCode}`)
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) renew(dispatcher)
      throw error
    }
  }
}

/** A `Status` object says what is wrong in its own words. */
function statusMessage(text: string): string | undefined {
  try {
    return stringMember(JSON.parse(text), 'message')
  } catch {
    return undefined
  }
}

/** Connection errors name no server, and of timeouts undici says little more than that it was one. */
function describeFailure(error: unknown, server: string, signal: AbortSignal): unknown {
  if (error instanceof ApiError || signal.aborted || !(error instanceof Error)) return error
  const code = codeOf(error) ?? ''
  const isTimeout = code === 'UND_ERR_BODY_TIMEOUT' || code === 'UND_ERR_HEADERS_TIMEOUT'
  return new Error(`${server}: ${isTimeout ? 'no data received before the timeout' : error.message || code}`, {
    cause: error,
  })
}

/** One JSON document a line. Any other line is an error: to skip it could be to miss a change. */
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
  let rest = ''
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MOST_BYTES) throw new ResponseTooLarge(`an event is larger than ${MOST_BYTES} bytes`)
    for (const line of lines) if (line !== '') yield readEvent(line)
  }
}

function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line)
  const object = member(event, 'object')
  const type = stringMember(event, 'type')
  if (type === undefined || !isObject(object)) throw new ApiError(200, 'unexpected watch event')
  return { type, object }
}
