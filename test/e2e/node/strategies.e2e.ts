// Every strategy and every mix of them on a real node, beside real sidecars of an Istio that leaves probes alone, under STRICT: each
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
import {
  meshPod,
  MIXED,
  SERVED,
  SIDE_MIXED,
  SIDE_SERVED,
  SIDE_UNCAPTURED,
  SIDE_UNSERVED,
  UNCAPTURED,
} from '../support/node/pods.ts'
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

type Place = 'exec' | number | undefined

interface Row {
  readonly name: string
  readonly annotations: JsonObject
  readonly checks: Readonly<Record<string, Json>>
  /** The checks of a second container; a mix of strategies with `port` needs one. */
  readonly side?: Readonly<Record<string, Json>>
  /** The readiness, liveness and startup probe of each container: `exec`, or the port that kubelet asks. */
  readonly becomes: readonly (readonly [Place, Place, Place])[]
}

const AGENT = 15020
const BY_PORT = { 'istio-onramp.io/probe-port': `app=${UNCAPTURED}` }
const MOVED = [UNCAPTURED, UNCAPTURED, UNCAPTURED] as const
/** Asked for one container, Istio rewrites the moved probes of the other as well; its agent then asks the moved port. */
const SERVED_BY_AGENT = [AGENT, AGENT, AGENT] as const

const ALONE: readonly Row[] = [
  {
    name: 'leave',
    annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'true' },
    checks: SERVED,
    becomes: [[AGENT, AGENT, AGENT]],
  },
  {
    name: 'port',
    annotations: { 'istio-onramp.io/probe-port': String(UNCAPTURED) },
    checks: SERVED,
    becomes: [MOVED],
  },
  {
    name: 'agent',
    annotations: { 'istio-onramp.io/probes': 'agent' },
    checks: SERVED,
    becomes: [[AGENT, AGENT, AGENT]],
  },
  {
    name: 'exec',
    annotations: { 'istio-onramp.io/probes': 'exec' },
    checks: SERVED,
    becomes: [['exec', 'exec', 'exec']],
  },
  { name: 'auto', annotations: {}, checks: SERVED, becomes: [[AGENT, AGENT, AGENT]] },
  { name: 'mixed', annotations: {}, checks: MIXED, becomes: [[AGENT, 'exec', 'exec']] },
  {
    name: 'opted-out',
    annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'false' },
    checks: SERVED,
    becomes: [['exec', 'exec', 'exec']],
  },
]

const MIXES: readonly Row[] = [
  {
    name: 'leave-exec',
    annotations: { 'sidecar.istio.io/rewriteAppHTTPProbers': 'true' },
    checks: MIXED,
    becomes: [[AGENT, 'exec', 'exec']],
  },
  {
    name: 'port-agent',
    annotations: BY_PORT,
    checks: SERVED,
    side: SIDE_SERVED,
    becomes: [SERVED_BY_AGENT, [AGENT, undefined, undefined]],
  },
  {
    name: 'port-exec',
    annotations: BY_PORT,
    checks: SERVED,
    side: SIDE_UNSERVED,
    becomes: [MOVED, ['exec', undefined, undefined]],
  },
  {
    name: 'port-agent-exec',
    annotations: BY_PORT,
    checks: SERVED,
    side: SIDE_MIXED,
    becomes: [SERVED_BY_AGENT, [AGENT, undefined, 'exec']],
  },
]

await done(['apply', '-f', '-'], namespaceObject(NAMESPACE, { 'istio-injection': 'enabled' }))
await done(['apply', '-f', '-'], peerAuthentication(NAMESPACE, 'default', { mtls: { mode: 'STRICT' } }))

/** A part of the pods at a time: more proxies than these starve the node's two cores. */
async function create(rows: readonly Row[]): Promise<void> {
  await done(['delete', 'pods', '--all', '-n', NAMESPACE, '--grace-period=1'])
  const pods = rows.map(({ name, annotations, checks, side }) => meshPod(name, NAMESPACE, annotations, checks, side))
  await done(['apply', '-f', '-'], rewritten(pods))
}

function becomes(pod: JsonObject): Row['becomes'] {
  const containers = arrayMember(member(pod, 'spec'), 'containers')
  const own = containers.filter((found) => ['app', 'side'].includes(stringMember(found, 'name') ?? ''))
  return own.map((container) => [
    placeOf(member(container, 'readinessProbe')),
    placeOf(member(container, 'livenessProbe')),
    placeOf(member(container, 'startupProbe')),
  ])
}

function placeOf(probe: Json | undefined): Place {
  if (probe === undefined) return undefined
  if (member(probe, 'exec') !== undefined) return 'exec'
  return Number(memberAt(probe, 'httpGet', 'port') ?? memberAt(probe, 'tcpSocket', 'port'))
}

for (const [title, rows] of [
  ['one strategy, and the agent with exec, under STRICT', ALONE],
  ['every other mix under STRICT', MIXES],
] as const)
  t.test(title, async (t) => {
    await create(rows)
    t.jobs = 2
    await Promise.all(rows.map((row) => t.test(row.name, { buffered: true }, async (t) => await live(t, row))))
    if (rows === ALONE) await sawEveryProtocol()
  })

async function live(t: Test, { name, side, becomes: wanted }: Row): Promise<void> {
  const pod = await untilPod([NAMESPACE, name], 'is Ready', isReady)
  t.same(becomes(pod), wanted)
  t.equal(restartsOf(pod, 'app'), 0)

  for (const port of side === undefined ? [UNCAPTURED] : [UNCAPTURED, SIDE_UNCAPTURED]) {
    await say(pod, 500, '/ready', port)
    await untilPod([NAMESPACE, name], `is unready when the application at ${port} is`, (pod) => !isReady(pod))
    t.match(await describe(NAMESPACE, name), 'Readiness probe failed: HTTP probe failed with statuscode: 500')
    await say(pod, 204, '/ready', port)
    await untilPod([NAMESPACE, name], 'is Ready again', isReady)
  }

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

/** The prober speaks what the agent does not; the agent passes on kubelet's own request. */
async function sawEveryProtocol(): Promise<void> {
  await untilLog(
    [NAMESPACE, 'mixed', 'app'],
    [
      /^h2c \/alive kube-probe\/0/m,
      /^grpcs \/grpc\.health\.v1\.Health\/Check "" kube-probe\/0/m,
      /^http \/ready kube-probe\/1\.37$/m,
    ],
  )
}
