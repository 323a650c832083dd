// Rewritten checks under a real Istio's STRICT mutual TLS, its own rewriting switched off: what kubelet's own requests come
// to, and what rewritten probes do, beside real sidecars and behind real redirection.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { arrayMember, memberAt, stringMember, type JsonObject } from '../../../src/kubernetes/json.ts'
import { done } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { deafPod, probedPod } from '../support/node/pods.ts'
import { describe, isReady, logUntilDeleted, read, rewritten, untilPod } from '../support/node/watching.ts'

const NAMESPACE = 'strict'
const annotations = { 'istio-onramp.io/probes': 'exec' }
const pod = (name: string, user = 65532): JsonObject => probedPod({ name, namespace: NAMESPACE, user, annotations })
const deaf = (name: string): JsonObject => deafPod({ name, namespace: NAMESPACE, user: 65532, annotations })

async function apply(manifest: JsonObject | string): Promise<void> {
  await done(['apply', '-f', '-'], manifest)
}

async function setMode(mode: string): Promise<void> {
  await apply(peerAuthentication(NAMESPACE, 'default', { mtls: { mode } }))
}

function hasSidecar(found: JsonObject): boolean {
  return arrayMember(memberAt(found, 'spec'), 'initContainers').some(
    (container) => stringMember(container, 'name') === 'istio-proxy',
  )
}

await apply(namespaceObject(NAMESPACE, { 'istio-injection': 'enabled' }))
await setMode('PERMISSIVE')
await apply(pod('plain'))
await apply(deaf('plain-deaf'))
await untilPod([NAMESPACE, 'plain'], 'is Ready while PERMISSIVE', isReady)
await setMode('STRICT')
const manifest = rewritten([pod('exec'), pod('exec-as-proxy', 1337), deaf('exec-deaf')])
await apply(manifest)

t.test("kubelet's own requests are cut off", async (t) => {
  const found = await untilPod([NAMESPACE, 'plain'], 'is unready', (found) => !isReady(found))
  t.ok(hasSidecar(found))
  t.match(await describe(NAMESPACE, 'plain'), /Readiness probe failed: Get "http:.*: read: connection reset by peer/)
})

for (const name of ['exec', 'exec-as-proxy']) {
  t.test(`${name}: rewritten probes arrive`, async (t) => {
    const found = await untilPod([NAMESPACE, name], 'is Ready', isReady)
    t.ok(hasSidecar(found))
    await sleep(10_000)
    const later = await read(NAMESPACE, `pod/${name}`)
    t.ok(isReady(later), 'and stays so')
    for (const status of arrayMember(memberAt(later, 'status'), 'containerStatuses'))
      t.equal(memberAt(status, 'restartCount'), 0)
  })
}

t.test('the proxy answers a tcpSocket probe with or without a listener; the prober tells the truth', async (t) => {
  await untilPod([NAMESPACE, 'plain-deaf'], 'is Ready', isReady)
  t.notOk(isReady(await read(NAMESPACE, 'pod/exec-deaf')))
  t.match(
    await describe(NAMESPACE, 'exec-deaf'),
    /Readiness probe failed: dial tcp \S+:7999: connect: connection refused/,
  )
})

t.test('a preStop hook reaches the application past the proxy', async (t) => {
  for (const name of ['exec', 'exec-as-proxy'])
    t.match(await logUntilDeleted(NAMESPACE, name, 'app'), /^https \/stopping kube-lifecycle\//m)
})
