/** The real gateway that hack/conversion/test started: requests to it, and whether it has the configuration yet. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { text } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { request as undici } from 'undici'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import type { Answer, BackendAnswer, RoutedRequest } from '../envoy-routes.ts'
import { shortAnswer, shortDestination } from '../short-answer.ts'
import type { ApiServer } from './api-server.ts'
import type { Seen } from './backends.ts'

const GATEWAY = '10.77.0.2'
const ADMIN = 'http://127.0.0.1:15000'
const METRICS = 'http://127.0.0.1:15114/metrics'
/** Requests by which a split is judged, and how far a share may be from its weight. */
const SPLIT_REQUESTS = 300
const SPLIT_TOLERANCE = 9

export interface Reply {
  readonly status: number
  /** Names in the certificate that the gateway showed. */
  readonly certificate: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly seen: Seen | undefined
}

/** What the gateway does, written as `shortAnswer` writes `expected`; equal texts mean that it does what was expected. */
export async function observe(request: RoutedRequest, expected: Answer): Promise<string> {
  const reply = await send(request)
  if (reply === undefined) return 'refused'
  const { status, headers, seen } = reply
  if (status >= 300 && status < 400) return `${status} ${String(headers['location'])}`
  if (seen === undefined) return String(status)
  if (expected.kind !== 'backend') return `${shortDestination(seen.to)} ${seen.path}`
  const [line, shares] = [await replyLine(request, expected, reply), expected.to.length > 1]
  return shares ? `${await observedShares(request, expected)} ${line}` : `${shortDestination(seen.to)} ${line}`.trim()
}

/** Undefined where the connection or the handshake is refused. */
export async function send(request: RoutedRequest): Promise<Reply | undefined> {
  try {
    return await exchange(request)
  } catch (problem) {
    const code = codeOf(problem)
    if (['ECONNREFUSED', 'ECONNRESET'].includes(code) || code.startsWith('ERR_SSL_')) return undefined
    throw problem
  }
}

/** The code of the error that a request ends with; undefined where it is answered. */
export async function refusal(request: RoutedRequest): Promise<string | undefined> {
  return await exchange(request).then(() => undefined, codeOf)
}

function codeOf(problem: unknown): string {
  return (problem as NodeJS.ErrnoException).code ?? ''
}

async function exchange(routed: RoutedRequest): Promise<Reply> {
  const { host, path, port = 80, serverName = host, method = 'GET', headers = {} } = routed
  const sent = { host, ...headers }
  const options = { host: GATEWAY, port, path, method, headers: sent, agent: false, timeout: 5000 } as const
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request =
      port === 443
        ? httpsRequest({ ...options, servername: serverName, rejectUnauthorized: false })
        : httpRequest(options)
    request
      .once('response', resolve)
      .once('error', reject)
      .once('timeout', () => request.destroy(new Error('timed out')))
      .end()
  })
  const { socket } = response
  const certificate = socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined
  const body = await text(response)
  const seen = response.statusCode === 200 && body !== '' ? (JSON.parse(body) as Seen) : undefined
  return { status: response.statusCode ?? 0, headers: response.headers, certificate, seen }
}

/** Path, host and headers, as far as `expected` speaks of them. */
async function replyLine(request: RoutedRequest, expected: BackendAnswer, { headers, seen }: Reply): Promise<string> {
  const named = (names: object, given: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.keys(names).map((name) => [name, String(given[name])]))
  const authority = seen?.authority.toLowerCase()
  const { requestHeaders: sent, responseHeaders: back } = expected
  const observed: BackendAnswer = {
    kind: 'backend',
    to: [],
    cors: undefined,
    ...(expected.upstreamPath === undefined ? {} : { upstreamPath: seen?.path ?? '' }),
    ...(authority === undefined || authority === request.host.toLowerCase() ? {} : { authority }),
    requestHeaders: {
      set: named(sent.set, seen?.headers ?? {}),
      add: named(sent.add, seen?.headers ?? {}),
      remove: [],
    },
    responseHeaders: { set: named(back.set, headers), add: named(back.add, headers), remove: [] },
  }
  return shortAnswer(observed)
}

/** The weights, where the shares of many requests come near them; else the shares. */
async function observedShares(request: RoutedRequest, { to }: BackendAnswer): Promise<string> {
  const counts = new Map<string, number>()
  for (let sent = 0; sent < SPLIT_REQUESTS; sent += 20)
    for (const reply of await Promise.all(Array.from({ length: 20 }, () => send(request)))) {
      const name = reply?.seen?.to ?? String(reply?.status)
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  const total = to.reduce((sum, { weight }) => sum + weight, 0)
  const share = (name: string) => ((counts.get(name) ?? 0) / SPLIT_REQUESTS) * 100
  const isNear = to.every(({ to: name, weight }) => Math.abs(share(name) - (weight / total) * 100) <= SPLIT_TOLERANCE)
  const isAll = [...counts.keys()].every((name) => to.some((wanted) => wanted.to === name))
  if (isNear && isAll) return to.map(({ to: name, weight }) => `${shortDestination(name)}=${weight}`).join(' ')
  return [...counts].map(([name, count]) => `${shortDestination(name)}=${count}`).join(' ')
}

const SENTINEL_HOST = 'settled.proof.test'
let sentinels = 0

/**
 * Waits until the gateway serves a route that was applied last, and its configuration has then not changed for a second:
 * istiod watches each kind on its own, so that the last object applied is not always the last one seen.
 */
export async function settle(server: ApiServer): Promise<void> {
  sentinels += 1
  const path = `/${sentinels}`
  for (const object of sentinel(path)) await server.apply(object)
  const expected: Answer = { kind: 'redirect', code: 301, location: `http://${SENTINEL_HOST}${path}` }
  for (
    let tries = 0;
    (await observe({ host: SENTINEL_HOST, path: '/' }, expected)) !== shortAnswer(expected);
    tries += 1
  ) {
    if (tries > 100) throw new Error('the gateway does not get its configuration within 20 s')
    await sleep(200)
  }
  let [before, since] = ['', Date.now()]
  while (Date.now() - since < 1000) {
    const now = await versions()
    if (now !== before) [before, since] = [now, Date.now()]
    await sleep(100)
  }
}

function sentinel(uri: string): readonly JsonObject[] {
  const metadata = { name: 'settled', namespace: 'istio-system' }
  const server = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: [SENTINEL_HOST] }
  const spec = { hosts: [SENTINEL_HOST], gateways: ['settled'], http: [{ redirect: { uri } }] }
  const apiVersion = 'networking.istio.io/v1'
  return [
    { apiVersion, kind: 'Gateway', metadata, spec: { selector: { istio: 'ingressgateway' }, servers: [server] } },
    { apiVersion, kind: 'VirtualService', metadata, spec },
  ]
}

/** Each resource that Envoy has, by its version and the time that it came; the rest of the dump has no steady order. */
async function versions(): Promise<string> {
  const { body } = await undici(`${ADMIN}/config_dump`)
  const lines = (await body.text()).split('\n').filter((line) => /"(?:version_info|last_updated)"/.test(line))
  return lines.toSorted().join('\n')
}

/** How often Envoy has refused configuration, in which case an older one stays in force: istiod counts it. */
export async function countRefusals(): Promise<number> {
  const { body } = await undici(METRICS)
  const counts = (await body.text()).matchAll(/^pilot_total_xds_rejects\{.*\} (\d+)$/gm)
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0)
}
