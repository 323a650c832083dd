// What happens to users while something is broken: no server, a server that dies, an API server that restarts, a webhook
// that missed a call. And that no ReplicaSets are made in a loop, whatever breaks when.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api, type V1Pod } from '@kubernetes/client-node'
import t, { type Test } from 'tap'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { connect } from '../support/api-server/client.ts'
import { createNamespace, done, kubeconfig, kubectl } from '../support/api-server/kubectl.ts'
import { auditMark, auditSince } from './support/audit.ts'
import { handlerOf, ownerOf, pod, workload } from './support/manifests.ts'
import { meshNamespace, standUp, until } from './support/stand.ts'

const stand = await standUp()
const EXEC = 'exec prober'
const KEPT = 'httpGet 8080'

async function create(object: JsonObject): Promise<{ readonly stored: string; readonly stderr: string }> {
  const { status, stdout, stderr } = await kubectl(['create', '-o', 'json', '-f', '-'], object)
  return { stored: status === 0 ? handlerOf(JSON.parse(stdout) as Json) : 'nothing', stderr }
}

async function list(namespace: string, kind: string): Promise<readonly JsonObject[]> {
  const { items } = JSON.parse(await done(['get', kind, '-n', namespace, '-o', 'json'])) as { items: JsonObject[] }
  return items
}

function apiServerLog(): readonly string[] {
  return readFileSync(join(dirname(kubeconfig()), 'kube-apiserver.log'), 'utf8').split('\n')
}

t.test(
  'Ignore: without a server, with one that has just died and with one that hangs, everything passes as it is',
  async (t) => {
    const namespace = 'open'
    await meshNamespace(namespace)
    const mark = auditMark()
    const [server] = stand.servers()
    // By the client, which is faster than the restart. How it fails depends on how soon its endpoint is taken away.
    const lines = apiServerLog().length
    await server?.kill()
    const body = pod({ name: 'refused', namespace }) as unknown as V1Pod
    const refused = await connect().makeApiClient(CoreV1Api).createNamespacedPod({ namespace, body })
    t.equal(handlerOf(refused as unknown as Json), KEPT, 'a server that is gone')
    t.match(
      apiServerLog().slice(lines).join('\n'),
      /failing open probes\.istio-onramp\.io.*(connection refused|EOF|reset|no endpoints)/,
    )
    await until('it has started again', async () => (await server?.isReady()) === true)
    process.kill(server?.pid ?? 0, 'SIGSTOP')
    const stalled = await create(pod({ name: 'stalled', namespace }))
    t.same([stalled.stored, stalled.stderr], [KEPT, ''], 'a server that does not answer, after timeoutSeconds')
    process.kill(server?.pid ?? 0, 'SIGCONT')
    await stand.scale(0)
    const without = await create(pod({ name: 'without', namespace }))
    t.same([without.stored, without.stderr], [KEPT, ''], 'no endpoint')
    const opened = auditSince(mark).filter(({ objectRef }) => objectRef?.namespace === namespace)
    for (const name of ['refused', 'stalled', 'without'])
      t.match(opened.find(({ objectRef }) => objectRef?.name === name)?.annotations ?? {}, {
        'failed-open.mutation.webhook.admission.k8s.io/round_0_index_0': 'probes.istio-onramp.io',
      })
    await stand.scale(1)
    t.equal((await create(pod({ name: 'back', namespace }))).stored, EXEC)
  },
)

t.test(
  'Fail: without a server nothing is created in the mesh, and kubectl says which webhook did not answer',
  async (t) => {
    const namespace = 'closed'
    await meshNamespace(namespace)
    await createNamespace('excluded')
    await stand.upgrade({
      webhooks: { pods: { failurePolicy: 'Fail' }, templates: { failurePolicy: 'Fail' } },
      excludeNamespaces: ['excluded'],
    })
    await stand.scale(0)
    const { stored, stderr } = await create(pod({ name: 'web', namespace }))
    t.equal(stored, 'nothing')
    t.equal(
      stderr,
      'Error from server (InternalError): error when creating "STDIN": Internal error occurred: failed calling webhook ' +
        '"probes.istio-onramp.io": failed to call webhook: Post "https://onramp-istio-onramp.onramp.svc:443/mutate?timeout=3s": ' +
        'no endpoints available for service "onramp-istio-onramp"\n',
    )
    t.equal(
      (await create(pod({ name: 'unprobed', namespace }, { name: 'app', image: 'a:1' }))).stored,
      'none',
      'not asked about',
    )
    t.equal((await create(pod({ name: 'web', namespace: 'excluded' }))).stored, KEPT, 'an excluded namespace')
    t.match(
      (await create(workload('Deployment', { name: 'web', namespace }))).stderr,
      /failed calling webhook "templates\.istio/,
    )
    t.equal((await kubectl(['get', 'pods', '-n', namespace])).status, 0)
    await stand.scale(1)
    await stand.upgrade({})
  },
)

t.test('a server that is killed is missed for a moment, and not for longer', async (t) => {
  const namespace = 'killed'
  await meshNamespace(namespace)
  const [server] = stand.servers()
  await server?.kill()
  await until('it has started again', async () => (await server?.isReady()) === true)
  const isRewritten = async () => (await create(pod({ generateName: 'web-', namespace }))).stored === EXEC
  await until('pods are rewritten', isRewritten)
  t.equal(server?.log.split('"msg":"listening"').length, 3, 'it has been started twice')
})

// docs/facts/admission-requests.md#owned-templates: one missed call for a Deployment, with its ReplicaSet rewritten, made
// 48 ReplicaSets in 13 s.
t.test('no mode and no failure makes a second ReplicaSet', async (t) => {
  const settings = ['auto', 'rewrite', 'leave'] as const
  const deployments = (setting: string, name: string, paused = false): JsonObject => {
    const made = workload('Deployment', { name, namespace: `loop-${setting}` })
    return { ...made, spec: { ...(made['spec'] as JsonObject), paused } }
  }
  for (const setting of settings) {
    await meshNamespace(`loop-${setting}`, { 'istio-onramp.io/templates': setting })
    await done(['create', '-f', '-'], deployments(setting, 'there'))
  }
  // The Deployment is made while the webhook is away, its ReplicaSet and pods when it is back.
  await stand.scale(0)
  for (const setting of settings) await done(['create', '-f', '-'], deployments(setting, 'missed', true))
  await stand.scale(1)
  for (const setting of settings) await done(['rollout', 'resume', 'deployment/missed', '-n', `loop-${setting}`])
  // And the other way round: the Deployment is rewritten, its ReplicaSet and pods come while the webhook is away.
  for (const setting of settings) await done(['create', '-f', '-'], deployments(setting, 'half', true))
  await stand.scale(0)
  for (const setting of settings) await done(['rollout', 'resume', 'deployment/half', '-n', `loop-${setting}`])
  await sleep(3000)
  await stand.scale(1)
  for (const setting of settings) await checkNoLoop(t, `loop-${setting}`, setting === 'rewrite')
})

async function checkNoLoop(t: Test, namespace: string, isRewritten: boolean): Promise<void> {
  await until('each has its ReplicaSet', async () => (await list(namespace, 'replicasets')).length >= 3)
  const sets = await list(namespace, 'replicasets')
  t.equal(sets.length, 3, `${namespace}: one for each Deployment`)
  for (const object of await list(namespace, 'deployments'))
    t.equal((object['status'] as JsonObject)['collisionCount'], undefined, namespace)
  const templates = sets.map((set) => handlerOf(set)).toSorted()
  t.same(templates, isRewritten ? [EXEC, EXEC, KEPT] : [KEPT, KEPT, KEPT], 'a ReplicaSet is what its Deployment says')
  const pods = (await list(namespace, 'pods')).map((one) => handlerOf(one)).toSorted()
  t.same(
    pods,
    isRewritten ? [EXEC, EXEC, EXEC] : [EXEC, EXEC, KEPT],
    'only the pod that no webhook saw is as it was written',
  )
  for (const set of sets) t.equal(ownerOf(set), 'Deployment')
}

t.test(
  'the API server restarts under the webhook: what was known stays in force, and what changes then is seen',
  async (t) => {
    const namespace = 'restarted'
    await meshNamespace(namespace)
    const [server] = stand.servers()
    const pid = server?.pid
    apiServer('stop')
    t.equal(await server?.isReady(), true, 'an API server that is away does not take the replicas out')
    await sleep(1500)
    apiServer('start')
    await until(
      'pods are rewritten as before',
      async () => (await create(pod({ generateName: 'web-', namespace }))).stored === EXEC,
    )
    await done(['annotate', 'namespace', namespace, 'istio-onramp.io/probes=off'])
    await until(
      'a change is seen',
      async () => (await create(pod({ generateName: 'web-', namespace }))).stored === KEPT,
    )
    t.equal(stand.servers()[0]?.pid, pid, 'the same process')
    t.match(server?.log ?? '', /reading the cluster failed; the last known state stays in use/)
    t.ok(((await server?.metric(/^istio_onramp_cluster_contact_age_seconds\{resource="namespaces"/)) ?? 99) < 30)
  },
)

function apiServer(verb: 'stop' | 'start'): void {
  const command = join(import.meta.dirname, '../../hack/cluster/apiserver')
  const { status, stderr } = spawnSync(command, [verb, dirname(kubeconfig())], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}

t.test('a server that starts without an API server waits for it, unready and alive', async (t) => {
  apiServer('stop')
  const [server] = stand.servers()
  await server?.kill()
  server?.startUnlessRunning()
  await until('it listens', () => /"msg":"listening"/.test(server?.log.split('reading the cluster"').at(-1) ?? ''))
  await sleep(3000)
  t.equal(server?.isRunning, true)
  t.equal(await server?.isReady(), false, 'nothing is decided by an empty cluster')
  apiServer('start')
  await until('it becomes ready', async () => (await server?.isReady()) === true)
  await meshNamespace('started')
})

t.test('Istio’s definitions may vanish and come back', async (t) => {
  const namespace = 'definitions'
  await meshNamespace(namespace)
  const name = 'customresourcedefinition/peerauthentications.security.istio.io'
  const definition = JSON.parse(await done(['get', name, '-o', 'json'])) as { metadata: JsonObject }
  await done(['delete', name])
  await until(
    'without policies nothing is STRICT',
    async () => (await create(pod({ generateName: 'web-', namespace }))).stored === KEPT,
  )
  const { name: called, labels, annotations } = definition.metadata
  await done(['create', '-f', '-'], { ...definition, metadata: { name: called, labels, annotations } } as JsonObject)
  await until(
    'the definition is served',
    async () => (await kubectl(['get', 'peerauthentications', '-A'])).status === 0,
  )
  await meshNamespace(namespace)
  t.equal((await create(pod({ generateName: 'web-', namespace }))).stored, EXEC)
})
