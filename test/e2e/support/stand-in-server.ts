/** An HTTPS server that answers AdmissionReviews with whatever a test wants, and keeps what came and over which connection. */
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { SelfSigned } from '../../../src/certificates/self-signed.ts'
import { memberAt, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'

export interface Call {
  readonly request: JsonObject
  readonly bytes: number
  readonly headers: IncomingMessage['headers']
  readonly httpVersion: string
  readonly url: string
  readonly socket: Socket
}

/**
 * The members of the AdmissionReview's response besides the uid; or an HTTP answer of another kind; or none, and the
 * connection is closed instead.
 */
export type Answer =
  | { readonly response: JsonObject; readonly headers?: Headers }
  | { readonly status: number; readonly headers?: Headers; readonly body?: string }
  | 'hang up'

type Headers = Readonly<Record<string, string>>

/** What each path answers, by its name without the slash. */
export type Answers = Readonly<Record<string, (call: Call) => Answer | Promise<Answer>>>

export interface StandInServer {
  readonly port: number
  /** What came for this name so far, and from now on again nothing. */
  taken(name: string): readonly Call[]
  /** Every connection that was opened so far, those that never carried a request as well. */
  readonly sockets: ReadonlyMap<Socket, Readonly<SocketTimes>>
}

interface SocketTimes {
  /** When it was opened, or last carried an answer. */
  usedAt: number
  closedAt?: number
}

/** Its own limits are so long that the API server ends connections first. */
export async function serveAnswers(
  answers: Answers,
  { cert, key }: SelfSigned,
  { address = '127.0.0.1', ...options }: ServerOptions & { readonly address?: string } = {},
): Promise<StandInServer> {
  const calls = new Map<string, Call[]>(Object.keys(answers).map((name) => [name, []]))
  const sockets = new Map<Socket, SocketTimes>()
  const server = createServer({ cert, key, keepAliveTimeout: 120_000, ALPNProtocols: ['http/1.1'], ...options })
  server.headersTimeout = 200_000
  server.requestTimeout = 200_000
  server.on('secureConnection', (socket: Socket) => {
    const times: SocketTimes = { usedAt: performance.now() }
    sockets.set(socket, times)
    socket.once('close', () => (times.closedAt = performance.now()))
  })
  server.on('request', (message, response) => {
    const times = sockets.get(message.socket)
    response.once('finish', () => {
      if (times !== undefined) times.usedAt = performance.now()
    })
    void callOf(message).then(async ([name, call]) => {
      calls.get(name)?.push(call)
      write(response, call, (await answers[name]?.(call)) ?? { status: 404 })
    })
  })
  server.listen(0, address)
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, taken: (name) => calls.get(name)?.splice(0) ?? [], sockets }
}

async function callOf(message: IncomingMessage): Promise<readonly [string, Call]> {
  const body = await text(message)
  const { headers, httpVersion, url = '', socket } = message
  const request = memberAt(JSON.parse(body) as Json, 'request') as JsonObject
  const name = /^\/([^?]*)/.exec(url)?.[1] ?? ''
  return [name, { request, bytes: Buffer.byteLength(body), headers, httpVersion, url, socket }]
}

function write(response: ServerResponse, { request }: Call, answer: Answer): void {
  if (answer === 'hang up') response.destroy()
  else if ('status' in answer) response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
  else {
    const review = { uid: request['uid'] ?? '', ...answer.response }
    response.writeHead(200, answer.headers)
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: review }))
  }
}
