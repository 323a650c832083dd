// Rewritten checks run by a real kubelet, without Istio: every delivery and user, in a namespace that Pod Security, a quota
// and a LimitRange guard as tightly as can be.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import {
  arrayMember,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../src/kubernetes/json.ts'
import { done, kubectl } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { probedPod, RESOURCES } from '../support/node/pods.ts'
import {
  describe,
  isReady,
  logUntilDeleted,
  read,
  rewritten,
  say,
  untilLog,
  untilPod,
} from '../support/node/watching.ts'

const NAMESPACE = 'guarded'
const SPEC = ['initContainers', 'containers'] as const

await done(
  ['apply', '-f', '-'],
  list(
    namespaceObject(NAMESPACE, {
      'istio-injection': 'enabled',
      'pod-security.kubernetes.io/enforce': 'restricted',
      'pod-security.kubernetes.io/enforce-version': 'latest',
    }),
  ),
)
await done(['apply', '-f', '-'], list(quota(), limitRange()))

/** Four pods as they came: one more millicore, and the last one would be refused. */
function quota(): JsonObject {
  const hard = {
    'requests.cpu': '1200m',
    'limits.cpu': '1200m',
    'requests.memory': '384Mi',
    'limits.memory': '384Mi',
    pods: '4',
  }
  return { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'all', namespace: NAMESPACE }, spec: { hard } }
}

/** Refuses a container that is smaller or larger than the application's, or that says nothing. */
function limitRange(): JsonObject {
  const limits = [
    { type: 'Container', min: RESOURCES, max: RESOURCES, maxLimitRequestRatio: { cpu: '1', memory: '1' } },
  ]
  return { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'all', namespace: NAMESPACE }, spec: { limits } }
}

function list(...items: readonly JsonObject[]): JsonObject {
  return { apiVersion: 'v1', kind: 'List', items }
}

/** A cluster in which the namespace is in the mesh and STRICT, with the real node or with one that is too old. */
async function cluster(folder: string, nodes: 'real' | 'old'): Promise<string> {
  const nodeInfo = { kubeletVersion: 'v1.34.1', containerRuntimeVersion: 'containerd://1.7.28' }
  const old = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'old' }, status: { nodeInfo } }
  const found =
    nodes === 'old' ? [old] : arrayMember(JSON.parse(await done(['get', 'nodes', '-o', 'json'])) as Json, 'items')
  const strict = peerAuthentication(NAMESPACE, 'default', { mtls: { mode: 'STRICT' } })
  mkdirSync(folder, { recursive: true })
  for (const [index, object] of [
    namespaceObject(NAMESPACE, { 'istio-injection': 'enabled' }),
    strict,
    ...found,
  ].entries())
    writeFileSync(join(folder, `${index}.yaml`), stringify(object))
  return folder
}

function containersOf(pod: JsonObject): readonly Json[] {
  return SPEC.flatMap((field) => arrayMember(member(pod, 'spec'), field))
}

/** The handlers of all checks, as `container slot kind`. */
function handlers(pod: JsonObject): readonly string[] {
  return containersOf(pod).flatMap((container) =>
    [
      ['startupProbe'],
      ['readinessProbe'],
      ['livenessProbe'],
      ['lifecycle', 'postStart'],
      ['lifecycle', 'preStop'],
    ].flatMap((path) => {
      const check = memberAt(container, ...path)
      const kind = ['exec', 'httpGet', 'tcpSocket', 'grpc'].find((kind) => member(check, kind) !== undefined)
      return kind === undefined ? [] : [`${stringMember(container, 'name') ?? ''} ${path.at(-1) ?? ''} ${kind}`]
    }),
  )
}

function restarts(pod: JsonObject, name: string): Json | undefined {
  const states = ['initContainerStatuses', 'containerStatuses'].flatMap((field) =>
    arrayMember(member(pod, 'status'), field),
  )
  return member(
    states.find((state) => stringMember(state, 'name') === name),
    'restartCount',
  )
}

const ROWS = [
  { name: 'volume-65532', nodes: 'real', user: 65532 },
  { name: 'volume-1337', nodes: 'real', user: 1337 },
  { name: 'init-65532', nodes: 'old', user: 65532 },
  { name: 'init-1337', nodes: 'old', user: 1337 },
] as const

const folder = t.testdir()
const clusters = { real: await cluster(join(folder, 'real'), 'real'), old: await cluster(join(folder, 'old'), 'old') }
for (const { name, nodes, user } of ROWS)
  await done(['apply', '-f', '-'], rewritten([probedPod({ name, namespace: NAMESPACE, user })], clusters[nodes]))

// One test around them, which those after it wait for: they delete the pods, and tap begins them beside buffered ones.
t.test('kubelet runs every kind of check', async (t) => {
  t.jobs = ROWS.length
  await Promise.all(ROWS.map((row) => t.test(row.name, { buffered: true }, async (t) => await runChecks(t, row))))
})

async function runChecks(t: Test, { name, nodes, user }: (typeof ROWS)[number]): Promise<void> {
  const pod = await untilPod([NAMESPACE, name], 'is Ready', isReady)
  t.same(handlers(pod), [
    'early startupProbe exec',
    'app startupProbe exec',
    'app readinessProbe exec',
    'app livenessProbe exec',
    'app postStart exec',
    'app preStop exec',
    'store readinessProbe exec',
  ])
  const volumes = arrayMember(member(pod, 'spec'), 'volumes').map((volume) => Object.keys(volume as JsonObject))
  t.same(volumes.flat().toSorted(), nodes === 'real' ? ['image', 'name'] : ['emptyDir', 'name'])
  t.equal(memberAt(pod, 'spec', 'securityContext', 'runAsUser'), user)
  await untilLog(
    [NAMESPACE, name, 'app'],
    [
      /^grpc \/grpc\.health\.v1\.Health\/Check "orders" kube-probe\/\S+$/m,
      /^http \/ready kube-probe\/\S+$/m,
      /^https \/alive kube-probe\/\S+$/m,
      /^http \/started kube-lifecycle\/\S+$/m,
    ],
  )
  await untilLog([NAMESPACE, name, 'store'], [/^tcp connection$/m])
  await untilLog([NAMESPACE, name, 'early'], [/^http \/early kube-probe\/\S+$/m])
  for (const container of ['early', 'app', 'store'])
    t.equal(restarts(await read(NAMESPACE, `pod/${name}`), container), 0, `${container} never restarted`)

  await say(pod, 500, '/ready')
  await untilPod([NAMESPACE, name], 'is unready', (pod) => !isReady(pod))
  t.match(await describe(NAMESPACE, name), 'Readiness probe failed: HTTP probe failed with statuscode: 500')
  await say(pod, 204, '/ready')
  await untilPod([NAMESPACE, name], 'is Ready again', isReady)
  await say(pod, 503, '/alive')
  const after = await untilPod([NAMESPACE, name], 'is restarted', (pod) => restarts(pod, 'app') === 1 && isReady(pod))
  t.match(await describe(NAMESPACE, name), 'Liveness probe failed: HTTP probe failed with statuscode: 503')
  for (const container of ['early', 'store']) t.equal(restarts(after, container), 0, `${container} is not its business`)
}

t.test('the quota is as full as the pods themselves make it', async (t) => {
  const found = await read(NAMESPACE, 'resourcequota/all')
  t.same(memberAt(found, 'status', 'used'), memberAt(found, 'spec', 'hard'))
})

t.test('a volume that the pod already has, an init container that it already has: left as they are', async (t) => {
  for (const { name, nodes } of ROWS) {
    const once = await read(NAMESPACE, `pod/${name}`)
    const again = await kubectl(['diff', '-f', '-'], rewritten([once], clusters[nodes]))
    t.same([again.status, again.stdout], [0, ''], name)
  }
})

t.test('a preStop hook reaches the application before it ends', async (t) => {
  for (const { name } of ROWS)
    t.match(await logUntilDeleted(NAMESPACE, name, 'app'), /^https \/stopping kube-lifecycle\//m)
  const events = await done([
    'get',
    'events',
    '-n',
    NAMESPACE,
    '-o',
    'custom-columns=POD:.involvedObject.name,AT:.lastTimestamp,MESSAGE:.message',
    '--no-headers',
    '--field-selector',
    'reason=FailedPreStopHook',
  ])
  t.equal(events, '')
})
