// `check --prometheus`: counts by workload, what is unknown, and every way in which Prometheus cannot be asked. A real one is
// asked by hack/callers/prometheus.
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { joinCounts, trafficQueries, type TrafficAnswers } from '../../src/callers/traffic-counts.ts'
import { createSelfSigned } from '../../src/certificates/self-signed.ts'
import { askPrometheus } from '../../src/commands/prometheus.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { assess, assumingStrict } from '../../src/readiness/assess.ts'
import { buildEstate } from '../../src/readiness/estate.ts'
import { situationOf } from '../../src/readiness/situation.ts'
import { unknownCounts } from '../../src/readiness/topics/counted-traffic.ts'
import { DEFAULT_RULES } from '../../src/rules/configuration.ts'
import { deployment, mesh, runningPod, type Members } from '../readiness/support/mesh.ts'

const vector = (...samples: readonly (readonly [JsonObject, number])[]): Json => ({
  resultType: 'vector',
  result: samples.map(([metric, value]) => ({ metric, value: [1764213120, String(value)] })),
})
const WEB = { destination_workload: 'web', destination_workload_namespace: 'shop' }
const SHOP = vector([{ destination_workload_namespace: 'shop' }, 3])
const NOTHING = vector()
const answers = (changes: Partial<TrafficAnswers>): TrafficAnswers => ({
  any: SHOP,
  namespaces: SHOP,
  requests: NOTHING,
  bytes: NOTHING,
  ...changes,
})

function judge(changes: Partial<TrafficAnswers>, container: Members = {}, strict = true) {
  const state = mesh([deployment('web', container), runningPod('web', container)])
  const built = buildEstate(state)
  const estate = { ...built, counted: joinCounts(answers(changes), 3600, built) }
  const policies = strict ? assumingStrict(state.policies, 'shop') : state.policies
  const found = assess(situationOf(estate, policies, DEFAULT_RULES)).filter(({ code }) =>
    code.startsWith('plaintext-traffic'),
  )
  return { found, unknown: unknownCounts('shop', estate.counted) }
}

const PROBED = { livenessProbe: { httpGet: { port: 8080 }, periodSeconds: 10 } }

t.test('counts become findings of the workload, and no data is unknown', (t) => {
  t.match(judge({ requests: vector([WEB, 1234.4]), bytes: vector([WEB, 5]) }).found, [
    {
      code: 'plaintext-traffic',
      severity: 'error',
      message:
        /^Prometheus counted 1234 requests and 5 bytes of TCP in plain text to Deployment shop\/web in 1h, which STRICT refuses\. Metrics cannot name callers/,
    },
  ])
  t.match(judge({ bytes: vector([WEB, 5]) }, {}, false).found, [{ code: 'plaintext-traffic-open', severity: 'info' }])
  t.same(judge({}).found, [], 'mutual TLS only')
  t.same(judge({}).unknown, [], 'there is data')
  t.match(judge({ namespaces: NOTHING }).unknown, [/^Prometheus has no data of its sidecars in the last 1h$/])
  t.same(judge({ requests: vector([{ ...WEB, destination_workload: 'other' }, 9]) }).found, [], 'another workload')
  t.end()
})

t.test("kubelet's own probes are not callers", (t) => {
  t.same(judge({ requests: vector([WEB, 360]) }, PROBED).found, [], 'as many as its probe makes in an hour')
  t.match(judge({ requests: vector([WEB, 360]) }, PROBED).unknown, [
    /kubelet's probes made the 360 plain-text requests to Deployment shop\/web/,
  ])
  t.equal(judge({ requests: vector([WEB, 3600]) }, PROBED).found.length, 1, 'ten times as many')
  t.equal(judge({ requests: vector([WEB, 360]), bytes: vector([WEB, 1]) }, PROBED).found.length, 1, 'and TCP')
  t.end()
})

async function serve(listener: RequestListener, tls?: { cert: string; key: string }) {
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const answering =
  (status: number, body: string): RequestListener =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(body)
  }
const success = (data: Json) => JSON.stringify({ status: 'success', data })

t.test('what keeps it from being asked has a code', async (t) => {
  const pair = await createSelfSigned(['elsewhere.example.org'], new Date())
  const cases: readonly (readonly [string, string, string, RegExp])[] = [
    ['no scheme', 'localhost:9090', 'prometheus-url-invalid', /http:\/\/ or https:\/\//],
    ['another scheme', 'ftp://localhost', 'prometheus-url-invalid', /ftp:\/\/localhost/],
    ['no URL', 'prometheus', 'prometheus-url-invalid', /is expected/],
    ['401', await serve(answering(401, 'Unauthorized')), 'prometheus-unauthorized', /HTTP 401/],
    ['403', await serve(answering(403, '{}')), 'prometheus-unauthorized', /HTTP 403/],
    ['a time-out', await serve(() => undefined), 'prometheus-timeout', /127\.0\.0\.1/],
    ['a wrong certificate', await serve(answering(200, success(SHOP)), pair), 'prometheus-certificate', /certificate/],
    [
      'no such metric',
      await serve(answering(200, success(NOTHING))),
      'prometheus-metric-missing',
      /istio_requests_total/,
    ],
    [
      'an error of its own',
      await serve(answering(400, '{"status":"error","error":"invalid parameter"}')),
      'prometheus-failed',
      /invalid parameter/,
    ],
    ['something else', await serve(answering(200, '<html>')), 'prometheus-failed', /not of Prometheus/],
    ['a redirect', await serve(answering(302, '')), 'prometheus-failed', /HTTP 302/],
    ['nobody there', 'http://127.0.0.1:9', 'prometheus-failed', /ECONNREFUSED/],
  ]
  for (const [title, url, code, message] of cases)
    await t.rejects(askPrometheus(url, trafficQueries(60), 500), { code, message }, title)
})

t.test('a path before the API and credentials of the URL are used, and not shown', async (t) => {
  const asked: (readonly [string | undefined, string | undefined])[] = []
  const url = await serve((request, response) => {
    asked.push([request.url, request.headers.authorization])
    answering(asked.length > 4 ? 500 : 200, success(SHOP))(request, response)
  })
  const address = `${url.replace('://', '://user:secret@')}/prefix/`
  t.same(await askPrometheus(address, trafficQueries(60)), { any: SHOP, namespaces: SHOP, requests: SHOP, bytes: SHOP })
  t.same(asked[0], ['/prefix/api/v1/query', `Basic ${Buffer.from('user:secret').toString('base64')}`])
  await t.rejects(askPrometheus(address, trafficQueries(60)), { message: /^(?!.*secret)/ })
})
