/**
 * Sends reviews as the API server does: over HTTPS, verified against the webhook's own authority, on one kept
 * connection.
 */
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import { arrayMember, memberAt, stringMember, type Json } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'

export interface Answer {
  readonly allowed: boolean
  readonly message: string
  readonly warnings: readonly string[]
  readonly operations: readonly Operation[]
}

export interface WebhookClient {
  ask(path: string, review: Json): Promise<Answer>
  close(): void
}

export function createWebhookClient(address: string, ca: string): WebhookClient {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 1 })
  return {
    async ask(path, review) {
      const body = await post(new URL(path, `https://${address}`), agent, JSON.stringify(review))
      return readAnswer(JSON.parse(body) as Json)
    },
    close: () => agent.destroy(),
  }
}

async function post(url: URL, agent: Agent, body: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(`${url.href}?timeout=10s`, { agent, method: 'POST', headers }, (response) => {
      text(response).then(
        (answer) =>
          response.statusCode === 200 ? resolve(answer) : reject(new Error(`HTTP ${response.statusCode}: ${answer}`)),
        reject,
      )
    })
    sent.on('error', reject).end(body)
  })
}

function readAnswer(review: Json): Answer {
  const response = memberAt(review, 'response')
  const patch = stringMember(response, 'patch')
  return {
    allowed: memberAt(response, 'allowed') === true,
    message: stringMember(memberAt(response, 'status'), 'message') ?? '',
    warnings: arrayMember(response, 'warnings').map(String),
    operations: patch === undefined ? [] : (JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[]),
  }
}
