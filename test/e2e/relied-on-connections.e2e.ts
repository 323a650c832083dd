// What the product relies on of the API server: how it connects to a webhook, and when it lets go
// (docs/facts/admission-requests.md sections 1 and 3). The server's limits, its drain and the rotation of certificates are
// built on it.
import { once } from 'node:events'
import type { ServerOptions } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSelfSigned, type SelfSigned } from '../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { createNamespace, done } from '../support/api-server/kubectl.ts'
import { create, podsIn } from './support/stand-in-pods.ts'
import { serveAnswers } from './support/stand-in-server.ts'
import { ALLOW, answersOf, base64, register, startStandIn, type Webhooks } from './support/stand-in.ts'
import { until } from './support/stand.ts'

const NAMESPACE = 'connections'
const about = podsIn(NAMESPACE)
/** Of this machine, and not its loopback address, which no endpoint may have. */
const ADDRESS = process.env['ISTIO_ONRAMP_E2E_STAND_IN'] ?? ''
const DAY_MS = 24 * 60 * 60 * 1000

const slow = {
  fact: 'slow',
  failurePolicy: 'Ignore',
  answer: async () => {
    await sleep(9000)
    return ALLOW
  },
} as const
const SLOW: Webhooks = { 'slow-1': slow, 'slow-2': slow, 'slow-3': slow, 'slow-4': slow, 'slow-5': slow }

await createNamespace(NAMESPACE)
// Called now, and left alone until the last test.
const idle = await startStandIn({ idle: { answer: () => ALLOW } })
await Promise.all(Array.from({ length: 10 }, () => create(about('idle'), '--dry-run=server')))
const slowOnes = await startStandIn(SLOW)
const slowOutcome = create(about('slow'))

t.test('section 3: a connection that ends during a request fails that request, which is not repeated', async (t) => {
  const standIn = await startStandIn({ 'hangs-up': { answer: () => 'hang up' } })
  t.match((await create(about('hangs-up'))).stderr, /failed calling webhook "hangs-up.*: Post "https:[^"]*": EOF/)
  t.equal(standIn.taken('hangs-up').length, 1)
})

// Since Kubernetes 1.37, where the API server itself chooses the endpoint (k8s.io/apiserver pkg/util/webhook/client.go,
// WebhookRoundTripLoadBalancing). Before, and wherever it calls the Service's own address, open connections are used on.
t.test('section 3: an endpoint that was removed gets no request any more, its open connections or not', async (t) => {
  const webhooks: Webhooks = {
    moves: { answer: () => ALLOW },
    // Its path has connections of its own, so it shows where new ones lead.
    scout: { answer: () => ALLOW },
  }
  const pair = await createSelfSigned([hostOf('moves')], new Date())
  const [old, next] = await Promise.all(
    [1, 2].map(async () => await serveAnswers(answersOf(webhooks), pair, { address: ADDRESS })),
  )
  await lead('moves', old?.port)
  await register(webhooks, (name) => clientConfig('moves', pair.ca, name))
  const asked = async (name: string): Promise<readonly (number | undefined)[]> => {
    await create(about(name), '--dry-run=server')
    return [old?.taken(name).length, next?.taken(name).length]
  }
  t.same(await asked('moves'), [1, 0])
  await lead('moves', next?.port)
  await until('new connections lead to the new endpoint', async () => (await asked('scout'))[1] === 1)
  for (const time of [1, 2, 3]) t.same(await asked('moves'), [0, 1], `the new one alone, ${time}`)
})

t.test('section 3: an endpoint that refuses connections is the failure policy’s matter', async (t) => {
  const webhooks: Webhooks = {
    'refused-ignored': { failurePolicy: 'Ignore', answer: () => ALLOW },
    'refused-fails': { answer: () => ALLOW },
  }
  const { ca } = await createSelfSigned([hostOf('refusing')], new Date())
  await lead('refusing', await closedPort())
  await register(webhooks, (name) => clientConfig('refusing', ca, name))
  t.not((await create(about('refused-ignored'))).stored, null)
  t.match((await create(about('refused-fails'))).stderr, /dial tcp \S+: connect: connection refused/)
})

/** Of the stand-in's address: one where nothing listens any more. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, ADDRESS)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}

interface Certificate {
  readonly what: string
  readonly name: string
  readonly pair?: SelfSigned
  readonly server?: ServerOptions
  /** The caBundle, of the authority that signed what the server shows. */
  readonly bundle?: (authority: string) => string
  /** Undefined: the call succeeds. */
  readonly error?: RegExp
}

const another = await createSelfSigned(['other.example'], new Date())
const CERTIFICATES: readonly Certificate[] = [
  { what: 'as it should be', name: 'good' },
  { what: 'two authorities in the bundle', name: 'two', bundle: (authority) => `${another.ca}\n${authority}` },
  { what: 'text before the authority', name: 'text', bundle: (authority) => `anything\n${authority}` },
  {
    what: 'for another name',
    name: 'wrong-name',
    pair: another,
    error: /x509: certificate is valid for other\.example, not wrong-name\.connections\.svc/,
  },
  {
    what: 'of an authority that is not in the bundle',
    name: 'unknown',
    bundle: () => another.ca,
    error: /x509: certificate signed by unknown authority/,
  },
  {
    what: 'expired',
    name: 'expired',
    pair: await createSelfSigned([hostOf('expired')], new Date(Date.now() - 40 * DAY_MS)),
    error: /x509: certificate has expired or is not yet valid: current time .* is after/,
  },
  {
    what: 'a bundle without a certificate, which is not checked when written',
    name: 'garbage',
    bundle: () => 'anything',
    error: /unable to load root certificates: unable to parse bytes as PEM block/,
  },
  {
    what: 'good, but the server wants one of the API server',
    name: 'mutual',
    server: { requestCert: true, rejectUnauthorized: true },
    error: /remote error: tls: certificate required/,
  },
]

t.test('section 3: what the API server says about a certificate', async (t) => {
  const bundles = new Map<string, string>()
  for (const { name, pair: given, server, bundle } of CERTIFICATES) {
    const pair = given ?? (await createSelfSigned([hostOf(name)], new Date()))
    const { port } = await serveAnswers({ [name]: () => ALLOW }, pair, { ...server, address: ADDRESS })
    await lead(name, port)
    bundles.set(name, bundle?.(pair.ca) ?? pair.ca)
  }
  const webhooks = Object.fromEntries(CERTIFICATES.map(({ name }) => [name, { answer: () => ALLOW }]))
  await register(webhooks, (name) => clientConfig(name, bundles.get(name) ?? '', name))
  for (const { what, name, error } of CERTIFICATES) {
    const { stored, stderr } = await create(about(name), '--dry-run=server')
    if (error === undefined) t.not(stored, null, `${what}: ${stderr}`)
    else t.match(await refusal(name, error, stderr), error, what)
  }
})

/**
 * A server that wants a certificate closes the connection behind its alert. An API server that is still writing then says
 * `use of closed network connection`, so the text is asked for again. Every call has to fail.
 */
async function refusal(name: string, error: RegExp, first: string): Promise<string> {
  let said = first
  for (let call = 1; call < 5 && !error.test(said); call++) {
    const { stored, stderr } = await create(about(name), '--dry-run=server')
    if (stored !== null) return `call ${call + 1} succeeded`
    said = stderr
  }
  return said
}

function hostOf(service: string): string {
  return `${service}.${NAMESPACE}.svc`
}

function clientConfig(service: string, authority: string, path: string): JsonObject {
  return { service: { name: service, namespace: NAMESPACE, path: `/${path}` }, caBundle: base64(authority) }
}

/** Makes the Service, or leads it elsewhere: to this port of the stand-in's address. */
async function lead(service: string, port = 0): Promise<void> {
  const metadata = { name: service, namespace: NAMESPACE }
  const labels = { 'kubernetes.io/service-name': service }
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ADDRESS], conditions: { ready: true } }],
    ports: [{ name: 'https', port }],
  }
  const items = [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { ports: [{ name: 'https', port: 443 }] } },
    slice,
  ]
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
}

t.test('section 3: all webhooks of a write together have 34 s, whatever each of them may take', async (t) => {
  const { stderr } = await slowOutcome
  t.match(stderr, 'Timeout: request did not complete within requested timeout - context deadline exceeded')
  const calls = Object.keys(SLOW).map((name) => slowOnes.taken(name))
  t.same(
    calls.map(({ length }) => length),
    [1, 1, 1, 1, 0],
  )
  t.match(calls[0]?.[0]?.url, /timeout=10s$/)
  t.match(calls[3]?.[0]?.url, /timeout=[3-7]s$/, 'what the first three have left')
})

// Why our own limits are beyond 90 s: what the server closed first, a request could cross.
t.test('section 3: the API server keeps connections, those that never carried a request too, for 90 s', async (t) => {
  const unused = () => [...idle.sockets.values()].map(({ usedAt, closedAt = Infinity }) => (closedAt - usedAt) / 1000)
  t.ok(unused().length > 0)
  const deadline = performance.now() + 110_000
  while (unused().includes(Infinity) && performance.now() < deadline) await sleep(500)
  for (const seconds of unused()) t.ok(seconds > 80 && seconds < 100, `closed after ${Math.round(seconds)} s`)
})
