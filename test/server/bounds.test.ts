// What a client can take from the others: memory, time and connections, over real sockets.
import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { Agent, request as httpsRequest } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as tlsConnect, type TLSSocket } from 'node:tls'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { createSelfSigned } from '../../src/certificates/self-signed.ts'
import { capConnections } from '../../src/server/connections.ts'
import { BODY_BOUNDS, type BodyBounds } from '../../src/server/body-bounds.ts'
import { BodyReader } from '../../src/server/body-reader.ts'
import { createDrain } from '../../src/server/drain.ts'
import { createLogStream } from '../../src/server/log-stream.ts'
import { createMetrics, type Metrics } from '../../src/server/metrics.ts'
import { parseInSlices } from '../../src/server/parse-in-slices.ts'
import { MOST_VALUES } from '../../src/server/parse-review.ts'
import { checkKeyPair } from '../../src/server/tls-files.ts'
import { createWebhookServer } from '../../src/server/webhook-server.ts'
import { container, contextOf, HTTP_PROBE, pod, strictShop } from '../support/fixtures.ts'
import { reviewOf } from '../support/reviews.ts'

const made = await createSelfSigned(['127.0.0.1'], new Date())
const MIB = 1024 * 1024

interface StartOptions {
  readonly limits?: { requestBytes: number; inFlightBytes: number }
  readonly bodyBounds?: Partial<BodyBounds>
  readonly clientCa?: string
  readonly mostConnections?: number
}

async function start(t: Test, options: StartOptions = {}) {
  const metrics = createMetrics()
  const drain = createDrain()
  const app = createWebhookServer({
    keyPair: checkKeyPair(made.cert, made.key),
    limits: options.limits ?? { requestBytes: 32 * MIB, inFlightBytes: 64 * MIB },
    log: pino({ level: 'silent' }),
    drain,
    metrics,
    context: () => contextOf(strictShop()),
    notReady: () => undefined,
    bodyBounds: { ...BODY_BOUNDS, ...options.bodyBounds },
    tls: { minVersion: 'VersionTLS13', clientCa: options.clientCa },
  })
  if (options.mostConnections !== undefined) capConnections(app, options.mostConnections)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const sockets: TLSSocket[] = []
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await drain.stop(app, { drainSeconds: 0, idleSeconds: 0 })
  })
  const open = async (): Promise<TLSSocket> => {
    const socket = tlsConnect({ host: '127.0.0.1', port, ca: made.ca })
    sockets.push(socket)
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('secureConnect', resolve))
    return socket
  }
  /** A review whose body stops after `sent`. */
  const stall = async (announced: number, sent: string): Promise<TLSSocket> => {
    const socket = await open()
    socket.write(
      `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${announced}\r\n\r\n${sent}`,
    )
    return socket
  }
  return { metrics, port, open, stall, send: (body: string | Buffer, more = {}) => send(port, body, more) }
}

interface Answer {
  readonly status: number
  readonly body: string
}

async function send(port: number, body: string | Buffer, more: object): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const options = {
      host: '127.0.0.1',
      port,
      path: '/mutate',
      method: 'POST',
      headers,
      agent: new Agent({ ca: made.ca }),
    }
    const sent = httpsRequest({ ...options, ...more }, (response) => {
      readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, body: text }), reject)
    })
    sent.on('error', reject).end(body)
  })
}

async function firstLine(socket: TLSSocket): Promise<string> {
  return await new Promise((resolve) => {
    socket.once('data', (data: Buffer) => resolve(data.toString().split('\r\n')[0] ?? ''))
    socket.once('close', () => resolve('closed'))
  })
}

async function charged({ registry }: Metrics): Promise<number> {
  return Number(/istio_onramp_bytes_in_flight (\d+)/.exec(await registry.metrics())?.[1])
}

/** Around an object as text, which may be long or not be JSON. */
function reviewText(object: string, kind = 'Pod', group = ''): string {
  return reviewOf(null, { kind: { group, version: 'v1', kind } }).replace('"object":null', () => `"object":${object}`)
}

const SMALL = reviewText(JSON.stringify(pod([container('web', { livenessProbe: HTTP_PROBE })])))

t.test('clients that announce large bodies and send a byte take nothing from the others', async (t) => {
  const { send, stall, metrics } = await start(t)
  for (let count = 0; count < 10; count++) await stall(32 * MIB, '{')
  t.equal((await send(SMALL)).status, 200)
  t.equal((await send(SMALL.replace('"CREATE"', `"CREATE"${' '.repeat(3 * MIB)}`))).status, 200)
  // The memory of an answered request is released once its answer is written.
  while (!((await charged(metrics)) < 1000)) await sleep(10)
  t.pass('charged is what has arrived')
})

t.test('large bodies wait for each other; one that takes its time loses its turn', async (t) => {
  const { send, stall } = await start(t, {
    limits: { requestBytes: 4 * MIB, inFlightBytes: 4 * MIB },
    bodyBounds: { turn: 300, patience: 60_000 },
  })
  const slow = await stall(4 * MIB, ' '.repeat(2 * MIB))
  const answered = firstLine(slow)
  await sleep(200)
  const large = SMALL.replace('"CREATE"', `"CREATE"${' '.repeat(3 * MIB)}`)
  const [first, second] = await Promise.all([send(large), send(large)])
  t.same([first.status, second.status], [200, 200])
  t.match(await answered, /408/, 'the one that stood still')
})

t.test('a large body that gets no turn is answered 503 and not held', async (t) => {
  const { send, stall } = await start(t, {
    limits: { requestBytes: 4 * MIB, inFlightBytes: 4 * MIB },
    bodyBounds: { turn: 60_000, patience: 200 },
  })
  await stall(4 * MIB, ' '.repeat(2 * MIB))
  await sleep(100)
  const refused = await send(SMALL.replace('"CREATE"', `"CREATE"${' '.repeat(3 * MIB)}`)).catch(() => ({ status: 503 }))
  t.equal(refused.status, 503)
  t.equal((await send(SMALL)).status, 200, 'a small one beside it')
})

t.test('small bodies always find room: the one that arrives longest is ended', async (t) => {
  const { send, stall } = await start(t, { bodyBounds: { smallTotal: 200_000 } })
  const oldest = await stall(150_000, ' '.repeat(100_000))
  const answered = firstLine(oldest)
  await sleep(100)
  t.equal((await send(SMALL.replace('"CREATE"', `"CREATE"${' '.repeat(150_000)}`))).status, 200)
  t.match(await answered, /503/)
})

t.test('a body has a deadline', async (t) => {
  const { stall } = await start(t, { bodyBounds: { deadline: 100 } })
  t.match(await firstLine(await stall(1000, '{')), /408/)
})

const CHUNKED =
  'POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n'

t.test('a body in small chunks costs what it is long', async (t) => {
  const { open, metrics } = await start(t)
  const socket = await open()
  socket.write(CHUNKED)
  socket.write(`64\r\n${' '.repeat(100)}\r\n`.repeat(2000))
  while ((await charged(metrics)) < 200_000) await sleep(20)
  const bytes = await charged(metrics)
  t.ok(bytes >= 200_000 && bytes <= 400_000, `${bytes} bytes`)
})

t.test('a body in one-byte chunks is ended, because its chunks take the time of everybody', async (t) => {
  const { open, send, metrics } = await start(t)
  const socket = await open()
  socket.write(CHUNKED)
  socket.write('1\r\n \r\n'.repeat(50_000))
  t.match(await firstLine(socket), /408/)
  await new Promise((resolve) => socket.destroyed || socket.once('close', resolve))
  t.equal((await send(SMALL)).status, 200)
  t.ok((await charged(metrics)) < 10_000)
})

t.test('one connection may not send many requests before their answers', async (t) => {
  const { open, send } = await start(t)
  const review = `POST /mutate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${SMALL.length}\r\n\r\n${SMALL}`
  for (const [count, answers] of [
    [1, 1],
    [4, 4],
    [100, 0],
  ] as const) {
    const socket = await open()
    let received = ''
    socket.on('data', (data: Buffer) => (received += data.toString()))
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(review.repeat(count))
    const countAnswers = () => received.split('HTTP/1.1 200').length - 1
    if (answers === 0) await closed
    else while (countAnswers() < answers) await sleep(10)
    t.ok(answers === 0 ? countAnswers() < count : countAnswers() === answers, `${count} at once`)
  }
  t.equal((await send(SMALL)).status, 200)
})

const WIDE = { values: 1e6, depth: 100, stringBytes: 1e6, members: 1e6 }

async function inSlices(text: string, size: number, limits = WIDE) {
  let slices = 0
  const pause = async () => void (slices += 1)
  const outcome = await parseInSlices(Buffer.from(text), limits, { size, pause }).catch(() => 'not JSON')
  return { outcome, slices }
}

/** What JSON.parse makes of it; `{"__proto__": 1}` has that member. */
function whole(text: string) {
  try {
    return { value: JSON.parse(Buffer.from(text).toString('utf8')) as unknown }
  } catch {
    return 'not JSON'
  }
}

t.test('a text parsed in slices is what JSON.parse makes of it, or not JSON to either', async (t) => {
  const texts = [
    ...[
      '{"a":[1,{"b":[[],{},[{"c":"d,]}"}],null]},true],"e":{"f":-1.5e3}}',
      '[]',
      '[[],[[1],2],{"x":{}}]',
      '7',
      ' [ 1 , 2 ] ',
    ],
    ...[
      '{"__proto__":{"a":[1,2]},"constructor":[{"__proto__":1}]}',
      '{"a":1,"a":[2,3],"a":{"b":4}}',
      '["\\"",",\\\\"]',
      '"ä€,😀"',
    ],
  ]
  // Every text with one character left out, doubled, or replaced.
  const broken = texts.flatMap((text) =>
    Array.from({ length: text.length }, (_, at) => at).flatMap((at) =>
      ['', ',', '}', ']', '[', '{', '"', ':', '1', '\u00a0', ''].flatMap((middle) => [
        text.slice(0, at) + middle + text.slice(at + 1),
        text.slice(0, at) + middle + text.slice(at),
      ]),
    ),
  )
  for (const text of [...texts, ...broken])
    for (const size of [1, 3, 8]) {
      const { outcome } = await inSlices(text, size)
      if (JSON.stringify(outcome) !== JSON.stringify(whole(text))) t.same(outcome, whole(text), `${size}: ${text}`)
    }
  t.ok((await inSlices(texts[0] ?? '', 1)).slices > 5)
  const { outcome } = await inSlices('{"__proto__":{"a":1,"b":2},"c":[]}', 1)
  t.ok(Object.hasOwn((outcome as { value: object }).value, '__proto__'), 'a member, not the prototype')
})

t.test('a text is not parsed beyond its limits, and the objects of the request are found', async (t) => {
  const cases: readonly (readonly [string, Partial<typeof WIDE>, object])[] = [
    ['[{},{},{}]', { values: 5 }, { excess: 'too-many-values', objectAt: undefined }],
    ['[{},{},{}]', { values: 6 }, { value: [{}, {}, {}] }],
    ['{"a":"{,[:\\"{"}', { values: 2 }, { value: { a: '{,[:"{' } }],
    [
      '{"request":{"uid":"object","object":{"object":1,"b":2}}}',
      { members: 0 },
      { excess: 'too-many-values', objectAt: undefined },
    ],
    [
      '{"request":{"uid":"object","object":{"object":1,"b":2,"c":3}}}',
      { members: 1 },
      { excess: 'too-many-values', objectAt: 27 },
    ],
    ['{"request":{"oldObject":["12345"]}}', { stringBytes: 10 }, { value: { request: { oldObject: ['12345'] } } }],
    ['{"request":{"oldObject":["12345678901"]}}', { stringBytes: 11 }, { excess: 'too-many-values', objectAt: 12 }],
    ['{"request":{"object":[[[1]]]}}', { depth: 5 }, { excess: 'too-deep', objectAt: 12 }],
    ['{"request":{"object":[[[1]]]}}', { depth: 6 }, { value: { request: { object: [[[1]]] } } }],
  ]
  for (const [text, limits, expected] of cases)
    t.same((await inSlices(text, 4, { ...WIDE, ...limits })).outcome, expected, text)
})

t.test('an object with more values than a legal one has is not read', async (t) => {
  const { send, metrics } = await start(t)
  const fill = `[${'{},'.repeat(MOST_VALUES / 2)}{}]`
  for (const object of [`{"spec":{"containers":${fill}}}`, fill]) {
    const answer = await send(reviewText(object))
    t.equal(answer.status, 200)
    t.match(JSON.parse(answer.body), {
      response: {
        uid: 'u-1',
        allowed: true,
        warnings: [/^Pod shop\/web: the object has more or longer values than .*too-many-values/],
      },
    })
  }
  const denied = await send(reviewText(`{"spec":{"rules":${fill}}}`, 'Ingress', 'networking.k8s.io'))
  t.match(JSON.parse(denied.body), {
    response: {
      allowed: false,
      status: { code: 403, message: /^Ingress shop\/web is denied: .*too large to convert/ },
    },
  })
  t.equal((await send(fill)).status, 413, 'without a request in front')
  t.match(await metrics.registry.metrics(), /istio_onramp_fail_open_total\{reason="too-many-values"\} 2/)
})

t.test('more containers or annotations than a legal object has are not decided one by one', async (t) => {
  const { send } = await start(t)
  const probe = '"livenessProbe":{"httpGet":{"port":8080}}'
  const containers = Array.from({ length: 200_000 }, (_, index) => `{"name":"c${index}",${probe}}`).join(',')
  const annotations = Array.from({ length: 200_000 }, (_, index) => `"a${index}":""`).join(',')
  const template = `{"metadata":{},"spec":{"containers":[${containers}]}}`
  const cases = [
    reviewText(`{"spec":{"containers":[${containers}]}}`),
    reviewText(`{"spec":{"template":${template}}}`, 'Deployment', 'apps'),
    reviewText(`{"metadata":{"annotations":{${annotations}}},"spec":{"containers":[{"name":"a",${probe}}]}}`),
  ]
  for (const body of cases)
    t.match(JSON.parse((await send(body)).body), { response: { allowed: true, warnings: [/too-many-values/] } })
})

t.test('at the cap of connections the oldest unused one is closed, and none is refused', async (t) => {
  const { send, open, port } = await start(t, { mostConnections: 3 })
  const agent = new Agent({ ca: made.ca, keepAlive: true })
  t.teardown(() => agent.destroy())
  t.equal((await send(SMALL, { agent })).status, 200, 'one that is used')
  const oldest = await open()
  const closed = new Promise((resolve) => oldest.once('close', resolve))
  const younger = await open()
  const newest = await open()
  await closed
  t.notOk(younger.destroyed)
  t.notOk(newest.destroyed)
  t.equal((await send(SMALL, { agent })).status, 200, 'the used one goes on')
  t.ok(port)
})

t.test('with --client-ca, reviews need a certificate of that authority, and probes do not', async (t) => {
  const client = await createSelfSigned(['client'], new Date(), 30, 'client')
  const stranger = await createSelfSigned(['client'], new Date(), 30, 'client')
  const { send } = await start(t, { clientCa: client.ca })
  const as = (pair: { cert: string; key: string } | undefined) => ({ agent: new Agent({ ca: made.ca, ...pair }) })
  const pick = ({ cert, key }: typeof client) => ({ cert, key })
  t.equal((await send(SMALL, as(pick(client)))).status, 200)
  t.match(await send(SMALL, as(pick(stranger))), { status: 401, body: /client-certificate/ })
  t.equal((await send(SMALL, as(undefined))).status, 401)
  t.equal((await send('', { ...as(undefined), method: 'GET', path: '/livez', headers: {} })).status, 200)
})

t.test('log lines for a full disk are lost and counted', async (t) => {
  const fd = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(fd))
  let lost = 0
  const stream = createLogStream({ fd, mostBytes: 1000, gather: 1, lost: (lines) => (lost += lines) })
  for (let count = 0; count < 5; count++) stream.write('a line\n')
  t.equal(await stream.flush(2000), true)
  t.equal(lost, 5)
})

t.test('a pipe that nobody reads holds a bounded number of lines, and gets them when it is read', async (t) => {
  const path = `${t.testdir({})}/pipe`
  execFileSync('mkfifo', [path])
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK)
  t.teardown(() => closeSync(fd))
  let lost = 0
  const stream = createLogStream({ fd, mostBytes: 300_000, gather: 1, lost: (lines) => (lost += lines) })
  for (let count = 0; count < 10_000; count++) stream.write(`${'x'.repeat(99)}\n`)
  t.equal(lost, 7000, 'what is beyond the bound')
  t.equal(await stream.flush(100), false, 'an end does not wait for it')
  let read = 0
  const buffer = Buffer.alloc(65_536)
  while (read < 300_000) {
    try {
      read += readSync(fd, buffer)
    } catch {
      await sleep(20)
    }
  }
  t.equal(await stream.flush(2000), true)
  t.equal(read, 300_000)
})

t.test('large bodies use the buffers of earlier ones again, and get all their bytes', async (t) => {
  const limits = { requestBytes: 4 * MIB, inFlightBytes: 4 * MIB }
  const reader = new BodyReader(limits, { showInFlight: () => undefined })
  const read = async (text: string): Promise<Buffer> => {
    const message = Object.assign(Readable.from([...pieces(text)]), { headers: {} }) as unknown as IncomingMessage
    const body = await reader.read(message)
    t.equal(body.toString(), text)
    reader.release(message)
    return body
  }
  const first = await read('a'.repeat(3 * MIB))
  const second = await read('b'.repeat(2 * MIB + 1))
  t.equal(second.buffer, first.buffer)
  t.not((await read('c'.repeat(1000))).buffer, first.buffer, 'a small one has its own')
})

function* pieces(text: string): Iterable<Buffer> {
  for (let start = 0; start < text.length; start += 65_536) yield Buffer.from(text.slice(start, start + 65_536))
}
