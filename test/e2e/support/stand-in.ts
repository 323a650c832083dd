/**
 * Webhooks that answer whatever a test wants, registered in the real API server: to show what it makes of an answer. Each
 * is selected by a label of its own, so that all of them can be registered together.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSelfSigned } from '../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { done } from '../../support/api-server/kubectl.ts'
import { serveAnswers, type Answer, type Answers, type Call, type StandInServer } from './stand-in-server.ts'

export interface Webhook {
  readonly side?: 'Mutating' | 'Validating'
  readonly failurePolicy?: 'Fail' | 'Ignore'
  /** `pods` of the core group unless said otherwise. */
  readonly rule?: JsonObject
  /** The label `fact` of the objects it is asked about; its own name unless said otherwise. */
  readonly fact?: string
  readonly more?: JsonObject
  readonly answer: (call: Call) => Answer | Promise<Answer>
}
export type Webhooks = Readonly<Record<string, Webhook>>

export const ALLOW = { response: { allowed: true } } as const satisfies Answer

export function patching(...operations: readonly JsonObject[]): Answer {
  return { response: { allowed: true, patchType: 'JSONPatch', patch: base64(JSON.stringify(operations)) } }
}

export function labelling(key: string, value: string): Answer {
  return patching({ op: 'add', path: `/metadata/labels/${key}`, value })
}

export function denial(status: JsonObject): () => Answer {
  return () => ({ response: { allowed: false, status } })
}

/** Serves the webhooks on this machine's loopback address, registered by URL. */
export async function startStandIn(webhooks: Webhooks): Promise<StandInServer> {
  const pair = await createSelfSigned(['127.0.0.1'], new Date())
  const server = await serveAnswers(answersOf(webhooks), pair)
  const caBundle = base64(pair.ca)
  await register(webhooks, (name) => ({ url: `https://127.0.0.1:${server.port}/${name}`, caBundle }))
  return server
}

export function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

export function answersOf(webhooks: Webhooks): Answers {
  return Object.fromEntries(Object.entries(webhooks).map(([name, { answer }]) => [name, answer]))
}

/** Registers each under the `clientConfig` of its name; unregistered at the end of the test file. */
export async function register(webhooks: Webhooks, clientConfig: (name: string) => JsonObject): Promise<void> {
  const items = Object.entries(webhooks).map(([name, webhook]) => configuration(name, webhook, clientConfig(name)))
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
  await sleep(1000)
  t.teardown(() => done(['delete', '--ignore-not-found', '-f', '-'], { apiVersion: 'v1', kind: 'List', items }))
}

const PODS = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }

/** One configuration for each, named like the webhook: the API server calls them in the order of these names. */
function configuration(name: string, webhook: Webhook, clientConfig: JsonObject): JsonObject {
  const { side = 'Mutating', failurePolicy = 'Fail', rule = {}, fact = name, more = {} } = webhook
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: `${side}WebhookConfiguration`,
    metadata: { name: `stand-in-${name}` },
    webhooks: [
      {
        name: `${name}.stand-in.example`,
        clientConfig,
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
