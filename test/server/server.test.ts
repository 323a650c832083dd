// The server over real sockets: protocol edges, limits, certificates that change, a stop that loses nothing.
import { renameSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import { connect as tlsConnect, type SecureVersion } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { createSelfSigned } from '../../src/certificates/self-signed.ts'
import { DEFAULT_CONFIGURATION, type Configuration } from '../../src/config.ts'
import { createDrain } from '../../src/server/drain.ts'
import { createMetricsServer } from '../../src/server/metrics-server.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { checkKeyPair, readKeyPair, watchKeyPair } from '../../src/server/tls-files.ts'
import { createWebhookServer, useKeyPair } from '../../src/server/webhook-server.ts'
import { container, contextOf, HTTP_PROBE, pod, strictShop } from '../support/fixtures.ts'
import { reviewOf } from '../support/reviews.ts'

const HOSTS = ['localhost', '127.0.0.1']
const DAY_MS = 24 * 60 * 60 * 1000
const made = await createSelfSigned(HOSTS, new Date())

interface Changes {
  readonly limits?: Configuration['limits']
  readonly tls?: Configuration['tls']
}

async function start(t: Test, changes: Changes = {}) {
  const lines: Record<string, unknown>[] = []
  const log = pino(
    { base: null },
    {
      write: (line: string) =>
        void (line.includes('"path"') && lines.push(JSON.parse(line) as Record<string, unknown>)),
    },
  )
  const metrics = createMetrics()
  const drain = createDrain(() => metrics.setDraining())
  const app = createWebhookServer({
    keyPair: checkKeyPair(made.cert, made.key),
    tls: changes.tls ?? DEFAULT_CONFIGURATION.tls,
    limits: changes.limits ?? { requestBytes: 32 * 1024 * 1024, inFlightBytes: 128 * 1024 * 1024 },
    log,
    drain,
    metrics,
    context: () => contextOf(strictShop()),
    notReady: () => undefined,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => drain.stop(app, { drainSeconds: 0, idleSeconds: 0 }))
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ ca: made.ca, keepAlive: true })
  t.teardown(() => agent.destroy())
  return { app, drain, metrics, lines, port, agent, send: (options: SendOptions) => send(port, agent, options) }
}

interface SendOptions {
  readonly path?: string
  readonly method?: string
  readonly body?: string | Buffer
  readonly headers?: Record<string, string>
}

interface Response {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

async function send(
  port: number,
  agent: Agent,
  { path = '/mutate', method = 'POST', body = '', headers = {} }: SendOptions,
): Promise<Response> {
  return await new Promise((resolve, reject) => {
    const length = 'transfer-encoding' in headers ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const all = { 'content-type': 'application/json', ...length, ...headers }
    const sent = httpsRequest(
      { host: '127.0.0.1', port, path, method, agent, headers: method === 'GET' ? {} : all },
      (response) => {
        readAll(response).then(
          (answer) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer }),
          reject,
        )
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
}

const probed = pod([container('web', { livenessProbe: HTTP_PROBE })])
const response = (answer: Response) => (JSON.parse(answer.body) as { response: Record<string, unknown> }).response

t.test('mutate patches, validate never does, both log one line and count', async (t) => {
  const { send, lines, metrics } = await start(t)
  const mutated = await send({ path: '/mutate?timeout=10s', body: reviewOf(probed) })
  t.match(mutated, { status: 200, headers: { 'content-type': 'application/json' } })
  t.match(response(mutated), { uid: 'u-1', allowed: true, patchType: 'JSONPatch' })
  const validated = await send({ path: '/validate', body: reviewOf(probed) })
  t.same(response(validated), { uid: 'u-1', allowed: true })
  t.match(lines, [
    {
      msg: 'admission',
      path: '/mutate',
      uid: 'u-1',
      kind: 'Pod',
      namespace: 'shop',
      name: 'web',
      verdict: 'patch',
      reason: 'strict-mtls',
      changed: 1,
    },
    { path: '/validate', verdict: 'allow' },
  ])
  t.notMatch(JSON.stringify(lines), 'example.com/web', 'never the object')
  const text = await metrics.registry.metrics()
  t.match(
    text,
    /istio_onramp_admission_requests_total\{path="\/mutate",kind="Pod",operation="CREATE",verdict="patch",reason="strict-mtls"\} 1/,
  )
  t.match(text, /istio_onramp_decisions_total\{rule="probes",action="rewrite",reason="strict-mtls"\} 2/)
})

t.test('a line names the trace of the API server, and never another text of the header', async (t) => {
  const { send, lines } = await start(t)
  const [trace, span] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331']
  const sent = async (traceparent: string) => {
    await send({ body: reviewOf(probed), headers: { traceparent } })
    return lines.at(-1)
  }
  t.match(await sent(`00-${trace}-${span}-01`), { traceId: trace, spanId: span })
  for (const odd of [`00-${trace}-${span}`, `00-${trace}-${span}-01-more`, '{"a": 1}', trace.repeat(100)])
    t.notOk('traceId' in ((await sent(odd)) ?? {}), odd.slice(0, 60))
})

t.test(
  'what fails open and what a user set wrongly is warned of, counted and logged; the object is admitted',
  async (t) => {
    const { send, lines, metrics } = await start(t)
    const refused = pod([container('web', { livenessProbe: HTTP_PROBE })], {
      metadata: { annotations: { 'istio-onramp.io/probes': 'magic' } },
    })
    const halfRead = pod([{ image: 'x' }, container('web', { livenessProbe: HTTP_PROBE })])
    const cases = [
      [
        refused,
        {},
        'refused_settings',
        'setting-refused',
        /^Pod shop\/web: annotation istio-onramp\.io\/probes is "magic"; allowed are auto/,
      ],
      [halfRead, {}, 'fail_open', 'malformed', /spec\.containers\[0\]\.name a container name is required/],
      [
        probed,
        { namespace: 'nowhere' },
        'fail_open',
        'namespace-not-declared',
        /^namespace nowhere: the namespace is not known/,
      ],
      [
        probed,
        { kind: { group: 'x.io', version: 'v1', kind: 'Widget' } },
        'fail_open',
        'no-rule',
        /no rule applies to this kind/,
      ],
    ] as const
    for (const [object, changes, metric, reason, warning] of cases) {
      const answer = response(await send({ path: '/mutate', body: reviewOf(object, changes) }))
      t.match(answer, { allowed: true, warnings: [warning] }, reason)
      const logged =
        metric === 'fail_open'
          ? { msg: 'admission failed open', failOpen: [reason] }
          : { msg: 'setting refused', refusedSettings: [reason] }
      t.match(lines.at(-1), { level: 40, why: warning, ...logged })
      t.match(await metrics.registry.metrics(), `istio_onramp_${metric}_total{reason="${reason}"} 1`)
    }
  },
)

t.test('an Ingress is denied on both paths', async (t) => {
  const { send } = await start(t)
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {},
  }
  const body = reviewOf(ingress, { kind: { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' } })
  for (const path of ['/mutate', '/validate'])
    t.match(response(await send({ path, body })), { allowed: false, status: { code: 403, reason: 'Forbidden' } }, path)
})

t.test('requests that are not reviews get a Status with the reason', async (t) => {
  const { send, metrics, lines } = await start(t)
  const cases: readonly (readonly [string, SendOptions, number, RegExp])[] = [
    [
      'truncated JSON',
      { body: reviewOf(probed).slice(0, -20) },
      400,
      /^the body is not JSON: unexpected text at [^"]*\[istio-onramp\/not-json\]$/,
    ],
    ['an empty body', { body: '' }, 400, /the body is not JSON|Body cannot be empty/],
    ['no uid', { body: reviewOf(probed, { uid: '' }) }, 400, /request\.uid: a uid is required/],
    [
      'another content type',
      { body: 'x', headers: { 'content-type': 'text/yaml' } },
      415,
      /application\/json is expected/,
    ],
    ['gzip', { body: 'x', headers: { 'content-encoding': 'gzip' } }, 415, /content-encoding gzip is not accepted/],
    [
      'invalid UTF-8 in a string is data',
      { body: Buffer.concat([Buffer.from('{"kind":"'), Buffer.from([0xff]), Buffer.from('"}')]) },
      400,
      /kind: is/,
    ],
  ]
  for (const [title, options, status, message] of cases) {
    const answer = await send(options)
    t.equal(answer.status, status, title)
    t.match((JSON.parse(answer.body) as { message: string }).message, message, title)
  }
  t.match(await metrics.registry.metrics(), /istio_onramp_bad_requests_total\{reason="content-encoding"\} 1/)
  t.ok(lines.every(({ level }) => level === 40))
  t.equal((await send({ path: '/nothing', method: 'GET' })).status, 404)
})

t.test('v1beta1 is answered in its own version and passes', async (t) => {
  const { send } = await start(t)
  const body = reviewOf(probed).replace('admission.k8s.io/v1', 'admission.k8s.io/v1beta1')
  const answer = await send({ body })
  t.match(JSON.parse(answer.body), {
    apiVersion: 'admission.k8s.io/v1beta1',
    response: { uid: 'u-1', allowed: true, warnings: [/admissionReviewVersions must be \[v1\]/] },
  })
})

t.test('a 33 MiB body is refused, a 27 MB review is read, and memory comes back', async (t) => {
  const { send, metrics } = await start(t)
  const big = reviewOf({ ...probed, padding: Array(9).fill('<'.repeat(3_000_000)) })
  t.match(response(await send({ body: big })), { allowed: true, patchType: 'JSONPatch' })
  const tooBig = await send({ body: Buffer.alloc(33 * 1024 * 1024, 0x20) })
  t.match(tooBig, { status: 413, body: /the review is larger than 33554432 bytes/ })
  const chunked = await send({
    body: Buffer.alloc(33 * 1024 * 1024, 0x20),
    headers: { 'transfer-encoding': 'chunked' },
  }).catch((error: NodeJS.ErrnoException) => error.code)
  t.match(
    typeof chunked === 'object' ? String(chunked.status) : chunked,
    /413|EPIPE|ECONNRESET/,
    'counted as it streams in',
  )
  t.match(response(await send({ body: reviewOf(probed) })), { allowed: true }, 'and the next request is served')
  t.match(await metrics.registry.metrics(), /istio_onramp_bytes_in_flight 0/)
})

t.test('health', async (t) => {
  const { send } = await start(t)
  t.match(await send({ path: '/livez', method: 'GET' }), { status: 200, body: 'ok' })
  t.match(await send({ path: '/readyz', method: 'GET' }), { status: 200, body: 'ok' })
})

t.test('metrics are served in plain text on a port of their own', async (t) => {
  const app = createMetricsServer(createMetrics())
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { port } = app.server.address() as AddressInfo
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
  t.match(answer.headers.get('content-type'), 'text/plain')
  t.match(await answer.text(), /istio_onramp_draining 0/)
})

t.test('the oldest TLS is 1.3 or as configured, also after a renewal; HTTP is 1.1', async (t) => {
  const rows = [
    ['VersionTLS13', 'TLSv1.3', ['TLSv1.3', 'http/1.1']],
    ['VersionTLS13', 'TLSv1.2', 'refused'],
    ['VersionTLS12', 'TLSv1.2', ['TLSv1.2', 'http/1.1']],
    ['VersionTLS12', 'TLSv1.1', 'refused'],
  ] as const
  for (const [minVersion, newest, expected] of rows) {
    const tls = { minVersion }
    const { app, port } = await start(t, { tls })
    t.same(await protocols(port, newest), expected, `${minVersion} for a client of ${newest}`)
    useKeyPair(app, checkKeyPair(made.cert, made.key), tls)
    t.same(await protocols(port, newest), expected, `${minVersion} for a client of ${newest}, after a renewal`)
  }
})

async function protocols(port: number, maxVersion: SecureVersion): Promise<unknown> {
  const options = { host: '127.0.0.1', port, ca: made.ca, maxVersion, minVersion: 'TLSv1' } as const
  return await new Promise((resolve) => {
    const socket = tlsConnect({ ...options, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve([socket.getProtocol(), socket.alpnProtocol])
      socket.destroy()
    }).on('error', () => resolve('refused'))
  })
}

t.test('a certificate that changes is used for new connections; open ones go on', async (t) => {
  const { app, agent, send, port } = await start(t)
  t.equal((await send({ path: '/livez', method: 'GET' })).status, 200)
  const next = await createSelfSigned(HOSTS, new Date())
  useKeyPair(app, checkKeyPair(next.cert, next.key), DEFAULT_CONFIGURATION.tls)
  t.equal((await send({ path: '/livez', method: 'GET' })).status, 200, 'the kept connection')
  agent.destroy()
  const fresh = new Agent({ ca: next.ca })
  t.match(
    await send.call(null, { path: '/livez', method: 'GET' }).catch((error: Error) => error.message),
    /self|certificate|signature|verify/i,
    'the old authority is no longer enough',
  )
  t.equal((await sendWith(port, fresh)).status, 200)
})

async function sendWith(port: number, agent: Agent): Promise<Response> {
  return await send(port, agent, { path: '/livez', method: 'GET' })
}

t.test('certificate files are re-read the way kubelet swaps a Secret, again and again', async (t) => {
  const folder = t.testdir({})
  const pairs = [made, await createSelfSigned(HOSTS, new Date()), await createSelfSigned(HOSTS, new Date())]
  const swapTo = (index: number, content: { cert: string; key: string }): void => {
    const data = join(folder, `..data-${index}`)
    mkdirSync(data)
    writeFileSync(join(data, 'tls.crt'), content.cert)
    writeFileSync(join(data, 'tls.key'), content.key)
    symlinkSync(`..data-${index}`, join(folder, '..data_tmp'))
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  swapTo(0, pairs[0] as typeof made)
  for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, join(folder, name))
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key') }
  const seen: string[] = []
  const refused: unknown[] = []
  const stop = watchKeyPair(files, await readKeyPair(files), {
    changed: ({ cert }) => void seen.push(cert),
    refused: (error) => void refused.push(error),
  })
  t.teardown(stop)
  swapTo(1, pairs[1] as typeof made)
  await sleep(400)
  t.same(seen, [pairs[1]?.cert], 'the first change')
  swapTo(2, { cert: pairs[2]?.cert ?? '', key: pairs[1]?.key ?? '' })
  await sleep(400)
  t.equal(refused.length > 0, true, 'a pair that does not belong together is refused')
  t.equal(seen.length, 1)
  swapTo(3, pairs[2] as typeof made)
  await sleep(400)
  t.same(seen, [pairs[1]?.cert, pairs[2]?.cert], 'and a later good one is used')
  swapTo(4, await createSelfSigned(HOSTS, new Date(Date.now() - 60 * DAY_MS)))
  await sleep(400)
  swapTo(5, await createSelfSigned(HOSTS, new Date(Date.now() + 60 * DAY_MS)))
  await sleep(400)
  t.equal(seen.length, 2, 'an expired pair, and one of the future, never replace a valid one')
  t.match(refused.slice(-2).map(String), [/expired on/, /not valid before/])
})

t.test('a stop loses no request: answers close their connections while new requests are still accepted', async (t) => {
  const { app, drain, send, port } = await start(t)
  t.equal((await send({ body: reviewOf(probed) })).headers['connection'], 'keep-alive')
  const unused = tlsConnect({ host: '127.0.0.1', port, ca: made.ca })
  unused.on('error', () => undefined)
  await new Promise((resolve) => unused.once('secureConnect', resolve))
  let failed = 0
  let answered = 0
  let stopped = false
  const load = (async () => {
    while (!stopped) {
      const answer = await send({ body: reviewOf(probed) }).catch(() => undefined)
      if (stopped) break
      if (answer?.status === 200) answered += 1
      else failed += 1
    }
  })()
  const started = performance.now()
  const stopping = drain.stop(app, { drainSeconds: 10, idleSeconds: 1 })
  await sleep(200)
  const during = await send({ body: reviewOf(probed) })
  t.match(during, { status: 200, headers: { connection: 'close' } })
  t.match(await send({ path: '/readyz', method: 'GET' }), { status: 503, body: 'draining' })
  await sleep(600)
  stopped = true
  await load
  await stopping
  t.equal(failed, 0, `${answered} requests answered while draining`)
  t.ok(answered > 5)
  t.ok(performance.now() - started < 20_000, 'connections that never carried a request do not hold it up')
})
