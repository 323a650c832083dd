/**
 * The API server's lists and watches over HTTPS, with the kubeconfig's or the pod's own credentials. Reads only, and only
 * the paths it is given. Credentials, proxies and exec plugins are @kubernetes/client-node's; why the watch is ours says
 * docs/decisions/live-watches.md.
 */
import type { KubeConfig } from '@kubernetes/client-node'
import { fetch, type Dispatcher, type Response } from 'undici'
import { isObject, member, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { InputError } from '../manifest.ts'

export interface ClusterApi {
  /** `https://10.96.0.1:443` */
  readonly server: string
  /** The namespace of the context; undefined where it names none. */
  readonly namespace: string | undefined
  /** The object at a path. Throws ApiError. */
  get(path: string, signal: AbortSignal): Promise<JsonObject>
  /**
   * The events of a watch as they come, the answer's head as an event without an object first. Ends when the server ends
   * it. Throws ApiError, or what `signal` was aborted with.
   */
  watch(path: string, signal: AbortSignal): AsyncIterable<WatchEvent>
}

export interface WatchEvent {
  readonly type: string
  readonly object: JsonObject
}

/** An answer that is no success. `status` is the HTTP status. */
export class ApiError extends Error {
  readonly code = 'API'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** From KUBECONFIG, ~/.kube/config or the pod's service account. Throws InputError where there is none, or no such context. */
export async function connectToCluster(context?: string): Promise<ClusterApi> {
  const { KubeConfig, RequestContext, HttpMethod } = await import('@kubernetes/client-node')
  const config = new KubeConfig()
  const server = load(config, context)
  let dispatcher: Dispatcher | undefined
  const request = async (path: string, signal: AbortSignal): Promise<Response> => {
    const url = `${server}${path}`
    const call = new RequestContext(url, HttpMethod.GET)
    await config.applySecurityAuthentication(call)
    // One pool of connections for all requests, until one fails: then the credentials may have changed.
    dispatcher ??= call.getDispatcher()
    try {
      const headers = { ...call.getHeaders(), accept: 'application/json' }
      return await succeeded(
        await fetch(url, { headers, signal, redirect: 'error', ...(dispatcher && { dispatcher }) }),
      )
    } catch (error) {
      dispatcher = undefined
      throw describeFailure(error, server, signal)
    }
  }
  return {
    server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    async get(path, signal) {
      const body: unknown = await (await request(path, signal)).json()
      if (isObject(body)) return body
      throw new ApiError(200, `${server}${path} did not answer with an object`)
    },
    async *watch(path, signal) {
      const { body } = await request(path, signal)
      yield { type: 'OPEN', object: {} }
      if (body !== null) yield* eventsOf(body)
    },
  }
}

function load(config: KubeConfig, context: string | undefined): string {
  try {
    config.loadFromDefault()
  } catch (error) {
    throw new InputError([`kubeconfig: ${error instanceof Error ? error.message : String(error)}`])
  }
  const contexts = config.getContexts().map(({ name }) => name)
  if (context !== undefined && !contexts.includes(context))
    throw new InputError([`--context ${context}: the kubeconfig has no such context; it has ${contexts.join(', ')}`])
  if (context !== undefined) config.setCurrentContext(context)
  const cluster = config.getCurrentCluster()
  // What loadFromDefault falls back to where it finds nothing; kubectl's old insecure default, and never meant.
  if (cluster === null || cluster.server === 'http://localhost:8080')
    throw new InputError([
      'no cluster: there is no kubeconfig (KUBECONFIG, ~/.kube/config) and no service account; --from PATH reads manifests',
    ])
  return cluster.server.replace(/\/$/, '')
}

async function succeeded(response: Response): Promise<Response> {
  if (response.ok) return response
  const text = await response.text()
  throw new ApiError(response.status, statusMessage(text) ?? `HTTP ${response.status} ${response.statusText}`)
}

/** A `Status` object says what is wrong in its own words. */
function statusMessage(text: string): string | undefined {
  try {
    return stringMember(JSON.parse(text), 'message')
  } catch {
    return undefined
  }
}

/** undici's own message is `fetch failed`; the cause says why. */
function describeFailure(error: unknown, server: string, signal: AbortSignal): unknown {
  if (error instanceof ApiError || signal.aborted || !(error instanceof Error)) return error
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  return new Error(`${server}: ${cause.message || code || error.message}`, { cause: error })
}

/** One JSON document a line. A line that is none of ours is an error: to go on behind it would be to miss a change. */
async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncIterable<WatchEvent> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    const lines = `${rest}${decoder.decode(chunk, { stream: true })}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield readEvent(line)
  }
}

function readEvent(line: string): WatchEvent {
  const event: unknown = JSON.parse(line)
  const object = member(event, 'object')
  const type = stringMember(event, 'type')
  if (type === undefined || !isObject(object)) throw new ApiError(200, 'a watch sent what is no event')
  return { type, object }
}
