// What `check --assume-strict` says of an application, against what breaks on a real node once STRICT is on. Both are lists of
// the same words: a probe or hook by workload and slot, a caller, a webhook, a node port. hack/check/on-node runs it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSelfSigned } from '../../../src/certificates/self-signed.ts'
import { arrayMember, memberAt, stringMember, type JsonObject } from '../../../src/kubernetes/json.ts'
import { done, kubeconfig, kubectl } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { ASKED, clients, LEGACY, NODE_PORT, servers, SHOP, webhook } from '../support/node/shop.ts'

const CLI = join(import.meta.dirname, '../../../dist/cli.js')
/** Pooled connections are cut after 45 s, so calls are judged from a minute on. */
const SETTLED_MS = 70_000
const WATCHED_MS = 180_000

/** Namespaces, pods and policies as one apply; then every Deployment is available. */
async function apply(objects: readonly JsonObject[]): Promise<void> {
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [...objects] })
}

async function untilAvailable(): Promise<void> {
  for (const namespace of [SHOP, LEGACY])
    await done(['wait', 'deployment', '--all', '-n', namespace, '--for=condition=Available', '--timeout=300s'])
}

interface Items {
  readonly items: readonly JsonObject[]
}

async function list(what: string, namespace: string): Promise<readonly JsonObject[]> {
  const { items } = JSON.parse(await done(['get', what, '-n', namespace, '-o', 'json'])) as Items
  return items
}

async function podOf(name: string): Promise<JsonObject> {
  const { items } = JSON.parse(await done(['get', 'pods', '-n', SHOP, '-l', `app=${name}`, '-o', 'json'])) as Items
  const [pod] = items
  if (pod === undefined) throw new Error(`no pod of ${name}`)
  return pod
}

interface Report {
  readonly findings: readonly JsonObject[]
}

function predicted(args: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [CLI, 'check', '--assume-strict', SHOP, '-o', 'json', ...args],
    { encoding: 'utf8', env: { ...process.env, KUBECONFIG: kubeconfig() }, maxBuffer: 1 << 26 },
  )
  if (status !== 1) throw new Error(`check ended with ${String(status)}: ${stderr}`)
  const { findings } = JSON.parse(stdout) as Report
  const errors = findings.filter(({ severity }) => severity === 'error')
  return [...new Set(errors.flatMap(inWords))].toSorted()
}

/** Every error has to be one of the things that are watched. */
function inWords(finding: JsonObject): readonly string[] {
  const { code, container, slot } = finding
  const [namespace = '', name = ''] = ['namespace', 'name'].map((key) => String(memberAt(finding, 'object', key)))
  if (typeof slot === 'string') return [`probe ${namespace}/${name} ${String(container)} ${slot}`]
  const callers = arrayMember(finding, 'callers')
  if (callers.length > 0)
    return callers.map(
      (caller) => `caller ${String(memberAt(caller, 'namespace'))}/${String(memberAt(caller, 'name'))}`,
    )
  if (code === 'node-port-refused') return [`node port ${namespace}/${name}`]
  if (code === 'webhook-unreachable') return [`webhook ${name}`]
  return [`${String(code)} ${namespace}/${name}`]
}

const SLOTS: Readonly<Record<string, string>> = {
  Liveness: 'livenessProbe',
  Readiness: 'readinessProbe',
  Startup: 'startupProbe',
  FailedPostStartHook: 'postStart',
  FailedPreStopHook: 'preStop',
}

/** Probes and hooks that kubelet reports as failed after the moment. */
async function failedChecks(since: Date): Promise<readonly string[]> {
  const events = await list('events', SHOP)
  return events.flatMap((event) => {
    const reason = stringMember(event, 'reason') ?? ''
    // Events that differ in their source port alone arrive as "(combined from similar events): Readiness probe failed".
    const message = (stringMember(event, 'message') ?? '').replace(/^\(combined from similar events\): /, '')
    const word = reason === 'Unhealthy' ? (/^\w+/.exec(message)?.[0] ?? '') : reason
    const slot = SLOTS[word]
    const at = new Date(stringMember(event, 'lastTimestamp') ?? '')
    if (slot === undefined || memberAt(event, 'type') !== 'Warning' || !(at >= since)) return []
    const pod = String(memberAt(event, 'involvedObject', 'name')).replace(/-[^-]+-[^-]+$/, '')
    const container = /\{(.*)\}/.exec(String(memberAt(event, 'involvedObject', 'fieldPath')))?.[1] ?? ''
    // A new pod's proxy is not ready at once.
    return container.startsWith('istio-') ? [] : [`probe ${SHOP}/${pod} ${container} ${slot}`]
  })
}

/** Clients of which calls failed within the last seconds; a client that printed nothing is an error of the test. */
async function failedCallers(seconds: number): Promise<readonly string[]> {
  const found: string[] = []
  for (const object of clients('', '')) {
    const [namespace = '', name = ''] = ['namespace', 'name'].map((key) => String(memberAt(object, 'metadata', key)))
    const log = await done(['logs', `deployment/${name}`, '-n', namespace, '-c', 'app', `--since=${seconds}s`])
    if (!/^(?:ok|failed) /m.test(log)) throw new Error(`${name} called nobody`)
    if (/^failed /m.test(log)) found.push(`caller ${namespace}/${name}`)
    t.comment(`${name}: ${log.trim().split('\n').at(-1) ?? ''}`)
  }
  return found
}

async function failedEntrances(): Promise<readonly string[]> {
  const asked = await kubectl(['create', '--dry-run=server', '-f', '-'], ASKED)
  const answer = await fetch(`http://10.88.0.1:${NODE_PORT}/`, { headers: { connection: 'close' } }).catch(
    () => undefined,
  )
  return [...(asked.status === 0 ? [] : ['webhook gate']), ...(answer?.ok === true ? [] : [`node port ${SHOP}/open`])]
}

const pair = await createSelfSigned(['gate.shop.svc'], new Date())
await apply([namespaceObject(SHOP, { 'istio-injection': 'enabled' }), namespaceObject(LEGACY)])
await apply(servers(pair))
await untilAvailable()
const apiPod = await podOf('api')
const storePod = await podOf('store')
const addressOf = (pod: JsonObject) => String(memberAt(pod, 'status', 'podIP'))
const calling = clients(addressOf(apiPod), addressOf(storePod))
await apply([...calling, webhook(pair)])
await untilAvailable()
await sleep(20_000)

const folder = mkdtempSync(join(tmpdir(), 'check-'))
const configuration = await list('configmaps', 'istio-system')
const manifests = [namespaceObject(SHOP, { 'istio-injection': 'enabled' }), namespaceObject(LEGACY), ...servers(pair)]
writeFileSync(
  join(folder, 'cluster.json'),
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [...manifests, ...calling, webhook(pair), apiPod, ...configuration],
  }),
)
const fromManifests = predicted(['--from', folder])
const live = predicted([])
t.same(live, fromManifests, 'the manifests and the cluster predict the same')

t.test('nothing fails before the switch', async (t) => {
  t.same(await failedCallers(10), [])
  t.same(await failedEntrances(), [])
  t.same(await failedChecks(new Date(Date.now() - 10_000)), [])
})

t.test('what breaks within three minutes is what was predicted', async (t) => {
  const since = new Date()
  await apply([peerAuthentication(SHOP, 'default', { mtls: { mode: 'STRICT' } })])
  const broken = new Set<string>()
  const note = (found: readonly string[]) => found.forEach((entry) => broken.add(entry))
  await sleep(SETTLED_MS)
  while (Date.now() - since.getTime() < WATCHED_MS) {
    note(await failedChecks(since))
    note(await failedCallers(10))
    note(await failedEntrances())
    await sleep(10_000)
  }
  // Hooks run when a pod ends and when the next one starts.
  await done(['delete', 'pod', '-n', SHOP, '-l', 'app=hooks', '--wait=false'])
  await sleep(30_000)
  note(await failedChecks(since))
  t.same(
    live.filter((entry) => !broken.has(entry)),
    [],
    'no false alarm',
  )
  t.same(
    [...broken].filter((entry) => !live.includes(entry)),
    [],
    'no miss',
  )
  t.ok(live.length >= 14, `${live.length} things break: ${live.join('; ')}`)
})
