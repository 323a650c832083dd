// The cluster kept in view: lists, watches, and everything that can go wrong between us and the API server.
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Agent } from 'undici'
import type { ClusterState } from '../../src/cluster/cluster-state.ts'
import { createClusterApi } from '../../src/cluster/live/cluster-api.ts'
import { isAbsent } from '../../src/cluster/live/discovery.ts'
import { LiveCluster } from '../../src/cluster/live/live-cluster.ts'
import { listOnce } from '../../src/cluster/live/list-once.ts'
import type { ReflectorTiming } from '../../src/cluster/live/reflector.ts'
import {
  nameOfTarget,
  pathsOf,
  resourcesFor,
  targetsOf,
  type WatchTarget,
} from '../../src/cluster/live/watch-target.ts'
import { workloadModes } from '../../src/istio/peer-authentication.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { namespaceObject, peerAuthentication } from '../support/fixtures.ts'
import { startFakeApiServer, type FakeApiServer } from '../support/fake-api-server.ts'

const NAMESPACES = '/api/v1/namespaces'
const POLICIES = '/apis/security.istio.io/v1/peerauthentications'
const OLD_POLICIES = '/apis/security.istio.io/v1beta1/peerauthentications'
const SERVICES = '/api/v1/services'
const TARGETS = targetsOf(resourcesFor('admission'), ['istio-system'])
const ALWAYS = TARGETS.filter(({ resource }) => resource.presence === 'always').map(
  (target) => pathsOf(target)[0] ?? '',
)

const WORKLOADS = targetsOf(resourcesFor('all'), ['istio-system'])
  .filter(({ resource }) => resource.presence === 'always' && !resource.isForAdmission)
  .map((target) => pathsOf(target)[0] ?? '')

const FAST: ReflectorTiming = {
  pageSize: 500,
  relist: 60_000,
  watchSeconds: 300,
  silence: 5_000,
  retry: { least: 20, most: 100 },
  absent: 50,
}

interface Stage {
  readonly server: FakeApiServer
  readonly live: LiveCluster
  readonly told: string[]
  /** Milliseconds to wait after each failure. */
  readonly waits: number[]
  readonly clock: { ahead: number }
  readonly state: () => ClusterState
}

interface StageOptions {
  readonly timing?: Partial<ReflectorTiming>
  readonly targets?: readonly WatchTarget[]
  readonly prepare?: (server: FakeApiServer) => void
}

async function stage(test: Test, { timing, targets = TARGETS, prepare }: StageOptions = {}): Promise<Stage> {
  const server = await startFakeApiServer()
  for (const path of ALWAYS) server.set(path, [])
  server.set(
    NAMESPACES,
    ['default', 'shop', 'payments'].map((name) => namespaceObject(name, { 'istio-injection': 'enabled' })),
  )
  server.set(POLICIES, [])
  prepare?.(server)
  const api = connect(server.url)
  const told: string[] = []
  const waits: number[] = []
  const clock = { ahead: 0 }
  const live = new LiveCluster({
    api,
    targets,
    timing: { ...FAST, ...timing },
    unknownAfter: 60_000,
    now: () => performance.now() + clock.ahead,
    observer: {
      failed(target, error, wait) {
        waits.push(wait)
        told.push(`${nameOfTarget(target)} failed: ${error.message}`)
      },
      unreadable: (target, { namespace, name }, { field }) =>
        told.push(`${target.resource.kind} ${namespace}/${name} unreadable: ${field}`),
      synced: () => told.push('synced'),
    },
  })
  test.teardown(async () => {
    await live.stop()
    await server.close()
  })
  const state = () => {
    const { state: known } = live
    if (known === undefined) throw new Error('nothing is known')
    return known
  }
  return { server, live, told, waits, clock, state }
}

function connect(url: string) {
  const credentials = async () => ({ headers: {}, connect: () => new Agent() })
  return createClusterApi({ server: url, namespace: 'shop', credentials, forget: () => undefined })
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`)
    await sleep(5)
  }
}

function modeIn(state: ClusterState, namespace: string): string {
  const workload = { namespace, labels: new Map<string, string>(), revision: 'default', rootNamespace: 'istio-system' }
  return workloadModes(state.policies, workload).workload.mode
}

function strict(namespace: string, mode = 'STRICT'): JsonObject {
  return { ...peerAuthentication(namespace, 'default', { mtls: { mode } }) }
}

t.test('what is listed, page by page, is known; what is watched after it changes it', async (t) => {
  const { server, live, state, told } = await stage(t)
  t.equal(live.state, undefined, 'before the first list nothing is known, which is not an empty cluster')
  live.start()
  await until('synced', () => live.isSynced)
  t.equal(
    state().namespace('payments').labels.get('istio-injection'),
    'enabled',
    'the third object is on a second page',
  )
  t.ok(server.requests.some((request) => /namespaces\?limit=\d+&continue=2/.test(request)))
  t.equal(modeIn(state(), 'shop'), 'PERMISSIVE')
  await until('a watch', () => server.watchers(POLICIES) === 1)
  const before = state()
  server.send(POLICIES, 'ADDED', strict('shop'))
  await until('STRICT', () => modeIn(state(), 'shop') === 'STRICT')
  t.equal(modeIn(before, 'shop'), 'PERMISSIVE', 'a snapshot that a request holds does not change under it')
  server.send(POLICIES, 'MODIFIED', strict('shop', 'DISABLE'))
  await until('DISABLE', () => modeIn(state(), 'shop') === 'DISABLE')
  server.send(POLICIES, 'DELETED', strict('shop', 'DISABLE'))
  await until('gone', () => modeIn(state(), 'shop') === 'PERMISSIVE')
  t.same(state().webhooks, [], 'a live cluster without injection webhooks injects nothing')
  t.same(told, ['synced'])
})

t.test('Istio before 1.22 serves v1beta1 only', async (t) => {
  const { live, state } = await stage(t, {
    prepare(server) {
      server.forget(POLICIES)
      server.set(OLD_POLICIES, [strict('shop')])
    },
  })
  live.start()
  await until('synced', () => live.isSynced)
  t.equal(modeIn(state(), 'shop'), 'STRICT')
})

t.test('a kind that the cluster does not have is absent, and may come and go', async (t) => {
  const { server, live, state } = await stage(t, { prepare: (server) => server.forget(POLICIES) })
  live.start()
  await until('synced without it', () => live.isSynced)
  server.set(POLICIES, [strict('shop')])
  await until('it came', () => modeIn(state(), 'shop') === 'STRICT')
  server.forget(POLICIES)
  await until('it went', () => modeIn(state(), 'shop') === 'PERMISSIVE')
})

t.test('an API server that cannot be reached at the start is waited for', async (t) => {
  const { server, live, told } = await stage(t, { prepare: (server) => server.failWith(503) })
  live.start()
  await until('failures', () => told.length > 2 * TARGETS.length)
  t.equal(live.isSynced, false)
  t.match(told[0], /failed: the fake says 503/)
  server.failWith(undefined)
  await until('synced', () => live.isSynced)
})

for (const [what, answer] of [
  ['404, as a load balancer whose API servers are away answers', 404],
  ['403', 403],
  ['a response that is not a List', {}],
  ['a list without a version', { kind: 'List', items: [] }],
] as const)
  t.test(`${what}: that is a failure, never an empty cluster`, async (t) => {
    const { server, live, state, told } = await stage(t, {
      prepare: (server) => server.set(POLICIES, [strict('shop')]),
      timing: { relist: 50, silence: 40 },
    })
    live.start()
    await until('synced', () => live.isSynced)
    server.failWith(answer)
    server.cutConnections()
    const failures = (target: WatchTarget) =>
      told.filter((line) => line.startsWith(`${nameOfTarget(target)} failed: `)).length
    await until('every kind fails', () => TARGETS.every((target) => failures(target) > 3))
    t.equal(modeIn(state(), 'shop'), 'STRICT')
    t.ok(state().namespace('shop').isDeclared)
    server.failWith(undefined)
    server.set(POLICIES, [strict('payments')])
    await until('what is new', () => modeIn(state(), 'payments') === 'STRICT')
  })

t.test('a kind is absent where discovery says so, and in no other case', async (t) => {
  const policies = TARGETS.find(({ resource }) => resource.table === 'peerauthentications')
  if (policies === undefined) throw new Error('policies are read')
  const group = (name: string, version: string) => ({
    name,
    versions: [{ groupVersion: `${name}/${version}`, version }],
  })
  const served = { resources: [{ name: 'peerauthentications' }, { name: 'requestauthentications' }] }
  const cases: readonly (readonly [string, JsonObject, boolean])[] = [
    ['no group of it', { groups: [group('apps', 'v1')] }, true],
    ['its group, in versions that are not read', { groups: [group('security.istio.io', 'v2')] }, true],
    ['its group, with other kinds', { groups: [group('apps', 'v1'), group('security.istio.io', 'v1beta1')] }, true],
    ['the kind', { groups: [group('apps', 'v1'), group('security.istio.io', 'v1')] }, false],
    ['nothing at all, which no API server says', { groups: [] }, false],
    ['a value that is not a list of groups', {}, false],
  ]
  for (const [title, groups, expected] of cases) {
    const answers = new Map<string, JsonObject>([
      ['/apis', groups],
      ['/apis/security.istio.io/v1beta1', { resources: [{ name: 'requestauthentications' }] }],
      ['/apis/security.istio.io/v1', served],
    ])
    const api = { ...connect('http://127.0.0.1:9'), get: async (path: string) => answers.get(path) ?? {} }
    t.equal(await isAbsent(policies, api, new AbortController().signal), expected, title)
  }
})

t.test('a watch that ends with 410 each time makes no storm of lists', async (t) => {
  const { server, live } = await stage(t, { timing: { retry: { least: 50, most: 100 } } })
  live.start()
  await until('synced', () => live.isSynced)
  const asked = server.requests.length
  const until410 = performance.now() + 1000
  while (performance.now() < until410) {
    server.send(POLICIES, 'ERROR', { code: 410, message: 'too old' })
    await sleep(1)
  }
  const requests = server.requests.slice(asked).filter((path) => path.startsWith(POLICIES))
  t.ok(requests.length > 4, 'it is tried again')
  t.ok(requests.length < 60, `with a wait of 25 ms at least between two lists: ${requests.length} requests in a second`)
})

t.test('what no decision hangs on may come late, and is unknown until it does', async (t) => {
  const { server, live, state, clock } = await stage(t, {
    targets: targetsOf(resourcesFor('all'), ['istio-system']),
    prepare(server) {
      for (const path of WORKLOADS) server.set(path, [])
      server.forget('/api/v1/pods')
    },
  })
  live.start()
  await until('synced', () => live.isSynced)
  t.equal(state().workloads('shop'), undefined, 'Pods cannot be read: that is not to say that there are none')
  server.set('/api/v1/pods', [{ metadata: { name: 'web', namespace: 'shop' }, spec: { containers: [] } }])
  await until('known', () => state().workloads('shop')?.length === 1)
  await until('watched', () => server.watchers('/api/v1/pods') === 1)
  server.forget('/api/v1/pods')
  clock.ahead = 61_000
  for (const path of ALWAYS) server.send(path, 'BOOKMARK', {})
  server.send(POLICIES, 'BOOKMARK', {})
  await until('too old', () => live.state !== undefined && state().workloads('shop') === undefined)
})

for (const [how, breakIt] of [
  ['connections are reset', (server: FakeApiServer) => server.cutConnections()],
  [
    'the version to watch from has expired',
    (server: FakeApiServer) => server.send(POLICIES, 'ERROR', { code: 410, message: 'too old' }),
  ],
  [
    'the watch sends an error',
    (server: FakeApiServer) => server.send(POLICIES, 'ERROR', { code: 500, message: 'oops' }),
  ],
  ['the watch sends garbage', (server: FakeApiServer) => server.sendLine(POLICIES, '{"type": "ADD')],
  ['the watch sends a line that is not an event', (server: FakeApiServer) => server.sendLine(POLICIES, '[]')],
] as const)
  t.test(`${how}: the last known state stays in force, and the watch continues`, async (t) => {
    const { server, live, state } = await stage(t, { prepare: (server) => server.set(POLICIES, [strict('shop')]) })
    live.start()
    await until('a watch', () => live.isSynced && server.watchers(POLICIES) === 1)
    const asked = server.requests.length
    breakIt(server)
    await until('it asks again', () => server.requests.slice(asked).some((path) => path.startsWith(POLICIES)))
    t.equal(modeIn(state(), 'shop'), 'STRICT')
    await until('a new watch', () => server.watchers(POLICIES) === 1)
    server.send(POLICIES, 'ADDED', strict('payments'))
    await until('the next change', () => modeIn(state(), 'payments') === 'STRICT')
  })

t.test('a watch that falls silent is begun again', async (t) => {
  const { server, live, told } = await stage(t, { timing: { silence: 100 } })
  live.start()
  await until('silence noticed', () => told.some((line) => line.includes('no data received')))
  t.equal(live.isSynced, true)
  await until('watched again', () => server.watchers(SERVICES) === 1)
})

t.test('the wait grows while nothing answers, however long it takes to find that out', async (t) => {
  const { server, live, waits } = await stage(t, { timing: { silence: 80, retry: { least: 10, most: 10_000 } } })
  live.start()
  await until('synced', () => live.isSynced)
  server.delay(60_000)
  server.cutConnections()
  await until('waits of four doublings', () => waits.some((wait) => wait > 80))
  t.ok(waits.every((wait) => wait < 10_000))
})

t.test('a change whose event never came is found by the next list', async (t) => {
  const { server, live, state } = await stage(t, { timing: { relist: 100, silence: 50 } })
  live.start()
  await until('synced', () => live.isSynced)
  server.set(POLICIES, [strict('shop')])
  await until('found', () => modeIn(state(), 'shop') === 'STRICT')
})

t.test('an object that cannot be read keeps its last known row and is reported', async (t) => {
  const { server, live, state, told } = await stage(t, {
    prepare: (server) => server.set(POLICIES, [strict('shop'), strict('payments', 'NONSENSE')]),
  })
  live.start()
  await until('a watch', () => live.isSynced && server.watchers(POLICIES) === 1)
  t.equal(modeIn(state(), 'payments'), 'PERMISSIVE', 'nothing was known of it before')
  server.send(POLICIES, 'MODIFIED', strict('shop', 'NONSENSE'))
  await until('told', () =>
    told.some((line) => line.startsWith('PeerAuthentication shop/default unreadable: spec.mtls.mode')),
  )
  t.equal(modeIn(state(), 'shop'), 'STRICT')
})

t.test('a state without contact for too long becomes unknown, and known again after contact', async (t) => {
  const { server, live, clock } = await stage(t)
  live.start()
  await until('synced', () => live.isSynced)
  server.failWith(500)
  server.cutConnections()
  clock.ahead = 59_000
  t.ok(live.state, 'for a while the last known state stays')
  clock.ahead = 61_000
  t.equal(live.state, undefined)
  t.equal(live.isSynced, true, 'readiness does not flip: all replicas would leave at once')
  t.ok((live.health()[0]?.age ?? 0) > 60)
  server.failWith(undefined)
  await until('known again', () => live.state !== undefined)
})

t.test('after a stop no connection is left', async (t) => {
  const { server, live } = await stage(t)
  live.start()
  await until('watches', () => server.watchers(SERVICES) === 1)
  await live.stop()
  await until('no watch', () => ALWAYS.every((path) => server.watchers(path) === 0))
  const asked = server.requests.length
  await sleep(300)
  t.equal(server.requests.length, asked)
})

t.test('a command reads the cluster once, or says what it could not read', async (t) => {
  const { server } = await stage(t, { prepare: (server) => server.set(POLICIES, [strict('shop')]) })
  const api = connect(server.url)
  const { state } = await listOnce(api, TARGETS, () => undefined)
  t.equal(modeIn(state, 'shop'), 'STRICT')
  server.forget(SERVICES)
  await t.rejects(
    listOnce(api, TARGETS, () => undefined),
    { message: /services: the fake says 404$/ },
  )
})
