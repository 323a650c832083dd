// Every strategy and a mix of them on a real node, beside real sidecars of an Istio that leaves probes alone, under STRICT: each
// pod is ready, notices when the application breaks and when it recovers, and outlives a restart of Istio's agent.
import t, { type Test } from 'tap'
import {
  arrayMember,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../src/kubernetes/json.ts'
import { done } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { MIXED, meshPod, SERVED, UNCAPTURED } from '../support/node/pods.ts'
import {
  describe,
  isReady,
  killAgent,
  restartsOf,
  rewritten,
  say,
  untilLog,
  untilPod,
} from '../support/node/watching.ts'

const NAMESPACE = 'strategies'

/**
 * What readiness, liveness and startup come to: `exec`, or the port that kubelet asks. The agent's is 15020; a tcpSocket
 * startup probe of a pod that names a port without mTLS moves there, too.
 */
const ROWS: readonly {
  readonly name: string
  readonly annotations: JsonObject
  readonly checks: Readonly<Record<string, Json>>
  readonly becomes: readonly [string | number, string | number, string | number]
}[] = [
  {
    name: 'leave',
    annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'true' },
    checks: SERVED,
    becomes: [15020, 15020, 15020],
  },
  {
    name: 'port',
    annotations: { 'istio-onramp.io/probe-port': String(UNCAPTURED) },
    checks: SERVED,
    becomes: [UNCAPTURED, UNCAPTURED, UNCAPTURED],
  },
  { name: 'agent', annotations: { 'istio-onramp.io/probes': 'agent' }, checks: SERVED, becomes: [15020, 15020, 15020] },
  {
    name: 'exec',
    annotations: { 'istio-onramp.io/probes': 'exec' },
    checks: SERVED,
    becomes: ['exec', 'exec', 'exec'],
  },
  { name: 'auto', annotations: {}, checks: SERVED, becomes: [15020, 15020, 15020] },
  { name: 'mixed', annotations: {}, checks: MIXED, becomes: [15020, 'exec', 'exec'] },
  {
    name: 'opted-out',
    annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' },
    checks: SERVED,
    becomes: ['exec', 'exec', 'exec'],
  },
]

await done(['apply', '-f', '-'], namespaceObject(NAMESPACE, { 'istio-injection': 'enabled' }))
await done(['apply', '-f', '-'], peerAuthentication(NAMESPACE, 'default', { mtls: { mode: 'STRICT' } }))
await done(
  ['apply', '-f', '-'],
  rewritten(ROWS.map(({ name, annotations, checks }) => meshPod(name, NAMESPACE, annotations, checks))),
)

function becomes(pod: JsonObject): readonly (string | number)[] {
  const app = arrayMember(member(pod, 'spec'), 'containers').find((found) => stringMember(found, 'name') === 'app')
  return ['readinessProbe', 'livenessProbe', 'startupProbe'].map((slot) => {
    const probe = memberAt(app, slot)
    if (member(probe, 'exec') !== undefined) return 'exec'
    return Number(memberAt(probe, 'httpGet', 'port') ?? memberAt(probe, 'tcpSocket', 'port'))
  })
}

t.test('under STRICT', async (t) => {
  t.jobs = 2
  await Promise.all(ROWS.map((row) => t.test(row.name, { buffered: true }, async (t) => await live(t, row))))
})

async function live(t: Test, { name, becomes: wanted }: (typeof ROWS)[number]): Promise<void> {
  const pod = await untilPod([NAMESPACE, name], 'is Ready', isReady)
  t.same(becomes(pod), wanted)
  t.equal(restartsOf(pod, 'app'), 0)

  await say(pod, 500, '/ready', UNCAPTURED)
  await untilPod([NAMESPACE, name], 'is unready when the application is', (pod) => !isReady(pod))
  t.match(await describe(NAMESPACE, name), 'Readiness probe failed: HTTP probe failed with statuscode: 500')
  await say(pod, 204, '/ready', UNCAPTURED)
  await untilPod([NAMESPACE, name], 'is Ready again', isReady)

  killAgent(name)
  const healed = await untilPod(
    [NAMESPACE, name],
    'is Ready after a restart of the agent',
    (pod) => restartsOf(pod, 'istio-proxy') === 1 && isReady(pod),
  )
  t.equal(restartsOf(healed, 'app'), 0, 'the application is not restarted with the agent')

  await say(pod, 503, '/alive', UNCAPTURED)
  await untilPod([NAMESPACE, name], 'is restarted and Ready', (pod) => restartsOf(pod, 'app') === 1 && isReady(pod))
  t.match(await describe(NAMESPACE, name), 'Liveness probe failed: HTTP probe failed with statuscode: 503')
}

t.test('what the agent does not speak is asked by the prober, as the pod says', async () => {
  await untilLog(
    [NAMESPACE, 'mixed', 'app'],
    [
      /^h2c \/alive kube-probe\/0/m,
      /^grpcs \/grpc\.health\.v1\.Health\/Check "" kube-probe\/0/m,
      /^http \/ready kube-probe\/1\.37$/m,
    ],
  )
})
