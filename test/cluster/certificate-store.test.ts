// What is sent to the API server for the self-managed certificates, and how its refusals are taken. The real one is in
// test/e2e/self-managed.e2e.ts.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import { CertificateStore } from '../../src/cluster/live/certificate-store.ts'
import { createClusterApi } from '../../src/cluster/live/cluster-api.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'

interface Sent {
  readonly call: string
  readonly type: string | undefined
  readonly body: Json
}

const base64 = (plain: string) => Buffer.from(plain).toString('base64')
const { signal } = new AbortController()
const HOOKS = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/hooks'
const CHECKS = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/hooks'
const SECRET = '/api/v1/namespaces/onramp/secrets/authority'

/** Answers a GET with the object of its path, a write with `status`, and everything at the time `date`. */
async function start(t: Test, objects: Record<string, JsonObject>) {
  const sent: Sent[] = []
  const server = { status: 200, date: 'Fri, 27 Nov 2026 12:00:00 GMT', objects, sent, events: '' }
  const listener = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = '', url = '' } = request
      if (method !== 'GET')
        sent.push({ call: `${method} ${url}`, type: request.headers['content-type'], body: JSON.parse(body) as Json })
      if (url.includes('watch=true')) sent.push({ call: `${method} ${url}`, type: undefined, body: null })
      const found = server.objects[url]
      const status = method === 'GET' && !url.includes('watch') ? (found === undefined ? 404 : 200) : server.status
      response.writeHead(status, { 'content-type': 'application/json', date: server.date })
      response.end(url.includes('watch=true') ? server.events : JSON.stringify(found ?? { message: 'as asked' }))
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.teardown(() => {
    listener.closeAllConnections()
    listener.close()
  })
  const credentials = async () => ({ headers: {}, connect: () => new Agent() })
  const url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
  const api = createClusterApi({ server: url, namespace: undefined, credentials, forget: () => undefined })
  const options = { api, namespace: 'onramp', secretName: 'authority', configurationName: 'hooks' }
  return { server, store: new CertificateStore(options) }
}

function configuration(annotations: JsonObject, ...bundles: readonly (string | undefined)[]): JsonObject {
  return {
    metadata: { name: 'hooks', resourceVersion: '7', annotations },
    webhooks: bundles.map((bundle, index) => ({
      name: `w${index}`,
      clientConfig: bundle === undefined ? {} : { caBundle: base64(bundle) },
    })),
  }
}

t.test('configurations that exist are read, with the bundle of each webhook', async (t) => {
  const { store } = await start(t, { [HOOKS]: configuration({}, 'A', undefined) })
  t.match(await store.readConfigurations(signal), [
    {
      configuration: 'mutatingwebhookconfigurations/hooks',
      isInjected: false,
      webhooks: [
        { name: 'w0', caBundle: 'A' },
        { name: 'w1', caBundle: '' },
      ],
    },
  ])
})

t.test('an annotation of cainjector says who keeps the bundle', async (t) => {
  for (const key of ['inject-ca-from', 'inject-ca-from-secret', 'inject-apiserver-ca']) {
    const { store } = await start(t, { [CHECKS]: configuration({ [`cert-manager.io/${key}`]: 'a/b' }, 'A') })
    t.match(await store.readConfigurations(signal), [{ isInjected: true }], key)
  }
})

t.test('a bundle is published by a patch of that field alone, of the version that was read', async (t) => {
  const { store, server } = await start(t, { [HOOKS]: configuration({}, 'A', 'A') })
  const [read] = await store.readConfigurations(signal)
  if (read === undefined) throw new Error('nothing was read')
  t.equal(await store.publish(read, 'B', signal), true)
  t.same(server.sent, [
    {
      call: `PATCH ${HOOKS}?fieldManager=istio-onramp-certificates`,
      type: 'application/json-patch+json',
      body: [
        { op: 'replace', path: '/metadata/resourceVersion', value: '7' },
        { op: 'add', path: '/webhooks/0/clientConfig/caBundle', value: base64('B') },
        { op: 'add', path: '/webhooks/1/clientConfig/caBundle', value: base64('B') },
      ],
    },
  ])
  for (const status of [409, 404]) {
    server.status = status
    t.equal(await store.publish(read, 'B', signal), false, `${status}: changed or gone, so it is read again`)
  }
  server.status = 403
  await t.rejects(store.publish(read, 'B', signal), { message: 'as asked' })
})

t.test('a Secret is replaced in the version that was read, with everything else that it has', async (t) => {
  const metadata = { name: 'authority', resourceVersion: '3', labels: { a: 'b' }, annotations: { c: 'd' } }
  const { store, server } = await start(t, { [SECRET]: { metadata, data: { 'tls.crt': base64('old') } } })
  const read = await store.readSecret(signal)
  t.same(read?.data, { 'tls.crt': 'old' })
  t.equal(await store.writeSecret({ 'tls.crt': 'new' }, read, signal), true)
  t.same(server.sent, [
    {
      call: `PUT ${SECRET}?fieldManager=istio-onramp-certificates`,
      type: 'application/json',
      body: { apiVersion: 'v1', kind: 'Secret', metadata, data: { 'tls.crt': base64('new') } },
    },
  ])
})

t.test(
  'a Secret that is gone is created with the labels and annotations that it had, which Helm knows it by',
  async (t) => {
    const labels = { 'app.kubernetes.io/managed-by': 'Helm' }
    const annotations = { 'meta.helm.sh/release-name': 'onramp' }
    const { store, server } = await start(t, { [SECRET]: { metadata: { name: 'authority', labels, annotations } } })
    await store.readSecret(signal)
    server.objects = {}
    t.equal(await store.readSecret(signal), undefined)
    server.status = 201
    t.equal(await store.writeSecret({ a: 'b' }, undefined, signal), true)
    t.match(server.sent, [
      {
        call: 'POST /api/v1/namespaces/onramp/secrets?fieldManager=istio-onramp-certificates',
        body: { metadata: { name: 'authority', namespace: 'onramp', labels, annotations }, data: { a: base64('b') } },
      },
    ])
    server.status = 409
    t.equal(await store.writeSecret({ a: 'b' }, undefined, signal), false, 'another replica was faster')
  },
)

t.test('the time is the one of the API server', async (t) => {
  const { store, server } = await start(t, {})
  await store.readSecret(signal)
  t.ok(Math.abs(store.now() - Date.UTC(2026, 10, 27, 12)) < 5000)
  server.date = 'Sat, 27 Nov 2027 12:00:00 GMT'
  await store.readSecret(signal)
  t.ok(Math.abs(store.now() - Date.UTC(2027, 10, 27, 12)) < 5000)
})

t.test('a change is told, and only the configurations of the name are watched', async (t) => {
  const { store, server } = await start(t, {})
  server.events = `${['BOOKMARK', 'MODIFIED'].map((type) => JSON.stringify({ type, object: {} })).join('\n')}\n`
  const stop = new AbortController()
  let changes = 0
  const watching = store.watch(() => void changes++, stop.signal)
  for (let tries = 0; tries < 200 && changes < 2; tries++) await sleep(10)
  t.equal(changes, 2, 'one for each kind, and none for a bookmark')
  for (const { call } of server.sent) t.match(call, 'fieldSelector=metadata.name%3Dhooks')
  stop.abort()
  await watching
})
