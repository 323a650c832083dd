/**
 * Webhooks that answer whatever a test wants, registered in the real API server: to show what it makes of an answer. Each
 * is selected by a label of its own, so that all of them can be registered together.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSelfSigned } from '../../src/certificates/self-signed.ts'
import { memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { done } from '../api-server/kubectl.ts'

export interface Call {
  readonly request: JsonObject
  readonly bytes: number
  readonly headers: IncomingMessage['headers']
  readonly httpVersion: string
  readonly url: string
  readonly socket: Socket
}

/** The members of the AdmissionReview's response besides the uid, or an HTTP answer of another kind. */
export type Answer =
  | { readonly response: JsonObject }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }

export interface Webhook {
  readonly side?: 'Mutating' | 'Validating'
  readonly failurePolicy?: 'Fail' | 'Ignore'
  /** `pods` of the core group unless said otherwise. */
  readonly rule?: JsonObject
  /** The label `fact` of the objects it is asked about; its own name unless said otherwise. */
  readonly fact?: string
  readonly more?: JsonObject
  readonly answer: (call: Call) => Answer
}

export const ALLOW: Answer = { response: { allowed: true } }

export function patching(...operations: readonly JsonObject[]): Answer {
  return {
    response: {
      allowed: true,
      patchType: 'JSONPatch',
      patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
    },
  }
}

export interface StandIn {
  /** What the webhook was called with so far, and from now on again nothing. */
  taken(name: string): readonly Call[]
  /** Every connection that was opened so far, those that never carried a request as well. */
  readonly sockets: ReadonlyMap<Socket, { readonly openedAt: number; closedAt?: number }>
}

export async function startStandIn(webhooks: Readonly<Record<string, Webhook>>): Promise<StandIn> {
  const { ca, cert, key } = await createSelfSigned(['127.0.0.1'], new Date())
  const calls = new Map<string, Call[]>(Object.keys(webhooks).map((name) => [name, []]))
  const sockets = new Map<Socket, { openedAt: number; closedAt?: number }>()
  const server = createServer({ cert, key, keepAliveTimeout: 120_000, ALPNProtocols: ['http/1.1'] })
  server.headersTimeout = 200_000
  server.requestTimeout = 200_000
  server.on('connection', (socket: Socket) => {
    const times: { openedAt: number; closedAt?: number } = { openedAt: performance.now() }
    sockets.set(socket, times)
    socket.once('close', () => (times.closedAt = performance.now()))
  })
  server.on('request', (message, response) => {
    void text(message).then((body) => {
      const name = /^\/([^?]*)/.exec(message.url ?? '')?.[1] ?? ''
      const request = memberAt(JSON.parse(body) as Json, 'request') as JsonObject
      const { headers, httpVersion, url = '', socket } = message
      const call: Call = { request, bytes: Buffer.byteLength(body), headers, httpVersion, url, socket }
      calls.get(name)?.push(call)
      const answer = webhooks[name]?.answer(call) ?? ALLOW
      if ('status' in answer) return response.writeHead(answer.status, answer.headers).end(answer.body ?? '')
      const review = { uid: request['uid'] ?? '', ...answer.response }
      return response.end(
        JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: review }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [name, webhook] of Object.entries(webhooks))
    await done(['apply', '-f', '-'], configuration(name, webhook, url, ca))
  await sleep(1000)
  t.teardown(async () => {
    await done(['delete', 'mutatingwebhookconfiguration,validatingwebhookconfiguration', '-l', 'stand-in=true'])
    server.closeAllConnections()
    server.close()
  })
  return { taken: (name) => calls.get(name)?.splice(0) ?? [], sockets }
}

const PODS = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }

/** One configuration for each, named like the webhook: the API server calls them in the order of these names. */
function configuration(name: string, webhook: Webhook, url: string, ca: string): JsonObject {
  const { side = 'Mutating', failurePolicy = 'Fail', rule = {}, fact = name, more = {} } = webhook
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${side}WebhookConfiguration`,
    metadata: { name: `stand-in-${name}`, labels: { 'stand-in': 'true' } },
    webhooks: [
      {
        name: `${name}.stand-in.example`,
        clientConfig: { url: `${url}/${name}`, caBundle: Buffer.from(ca).toString('base64') },
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        timeoutSeconds: 10,
        failurePolicy,
        objectSelector: { matchLabels: { fact } },
        rules: [{ operations: ['CREATE', 'UPDATE'], ...PODS, ...rule }],
        ...more,
      },
    ],
  }
}
