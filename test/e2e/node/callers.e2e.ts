// Whom `check --access-log` names on a real node, from the logs of real sidecars. hack/callers/on-node runs it.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createSelfSigned } from '../../../src/certificates/self-signed.ts'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../../src/kubernetes/json.ts'
import { done, kubeconfig } from '../../support/api-server/kubectl.ts'
import { namespaceObject, peerAuthentication } from '../../support/fixtures.ts'
import { clients, LEGACY, NODE_PORT, servers, SHOP, webhook } from '../support/node/shop.ts'

const CLI = join(import.meta.dirname, '../../../dist/cli.js')
const SERVERS = ['web', 'secure', 'hooks', 'ported', 'api', 'store', 'open', 'gate', 'old', 'ruled']
const API = 'http://10.96.77.1:8080/'
const OPEN = 'http://10.96.77.5:8080/'

async function apply(objects: readonly JsonObject[]): Promise<void> {
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: [...objects] })
}

async function untilAvailable(): Promise<void> {
  for (const namespace of [SHOP, LEGACY])
    await done(['wait', 'deployment', '--all', '-n', namespace, '--for=condition=Available', '--timeout=300s'])
}

async function pods(namespace: string): Promise<readonly JsonObject[]> {
  const { items } = JSON.parse(await done(['get', 'pods', '-n', namespace, '-o', 'json'])) as { items: JsonObject[] }
  return items
}

const nameOf = (object: Json): string => String(memberAt(object, 'metadata', 'name'))

function telemetry(name: string, app: string, logging: JsonObject): JsonObject {
  const spec = { selector: { matchLabels: { app } }, accessLogging: [logging] }
  return { apiVersion: 'telemetry.istio.io/v1', kind: 'Telemetry', metadata: { name, namespace: SHOP }, spec }
}

function callsFrom(
  targets: readonly string[],
  times: number,
  variables: Readonly<Record<string, string>> = {},
): JsonObject {
  const env = Object.entries(variables).map(([name, value]) => ({ name, value }))
  const app = {
    name: 'app',
    image: 'istio-onramp.local/calls:1',
    imagePullPolicy: 'Never',
    args: [String(times), ...targets],
    env,
  }
  return { automountServiceAccountToken: false, restartPolicy: times === 0 ? 'Always' : 'Never', containers: [app] }
}

function pod(name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: LEGACY }, spec }
}

/** The callers of a report: `Deployment legacy/outside to shop/api:8080`. */
function named(args: readonly string[]): readonly string[] {
  const run = spawnSync(process.execPath, [CLI, 'check', '-n', SHOP, '-o', 'json', '--fail-on', 'never', ...args], {
    encoding: 'utf8',
    env: { ...process.env, KUBECONFIG: kubeconfig() },
    maxBuffer: 1 << 26,
  })
  if (run.status !== 0) throw new Error(`check ended with ${String(run.status)}: ${run.stderr}`)
  t.comment(run.stderr)
  const findings = arrayMember(JSON.parse(run.stdout) as JsonObject, 'findings')
  const unreadable = findings.filter((finding) => memberAt(finding, 'code') === 'access-log-lines-unreadable')
  t.same(unreadable, [], 'every line is read')
  const seen = findings.filter((finding) => String(memberAt(finding, 'code')).startsWith('plaintext-connection'))
  const words = seen.map((finding) =>
    String(memberAt(finding, 'message')).replace(/^([^,]+), .* (to \S+:\d+).*$/s, '$1 $2'),
  )
  return [...new Set(words)].toSorted()
}

const pair = await createSelfSigned(['gate.shop.svc'], new Date())
await apply([namespaceObject(SHOP, { 'istio-injection': 'enabled' }), namespaceObject(LEGACY)])
await apply([
  telemetry('json', 'open', { providers: [{ name: 'json' }] }),
  telemetry('custom', 'store', { providers: [{ name: 'custom' }] }),
  telemetry('narrow', 'ported', {
    match: { mode: 'SERVER' },
    providers: [{ name: 'envoy' }],
    filter: { expression: '!connection.mtls' },
  }),
])
await apply(servers(pair).filter((object) => object['kind'] !== 'Deployment' || SERVERS.includes(nameOf(object))))
await untilAvailable()
const running = await pods(SHOP)
const addressOf = (app: string) =>
  String(memberAt(running.find((one) => memberAt(one, 'metadata', 'labels', 'app') === app) ?? {}, 'status', 'podIP'))
const store = `http://${addressOf('store')}:8080/`
const jobTemplate = { spec: { template: { spec: callsFrom([API, OPEN, store], 7) } } }
await apply([
  ...clients(addressOf('api'), addressOf('store')),
  webhook(pair),
  {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name: 'report', namespace: LEGACY },
    spec: { schedule: '* * * * *', jobTemplate },
  },
  pod('forwarding', callsFrom([API], 0, { FORWARDED: '203.0.113.9' })),
  pod('on-host', {
    ...callsFrom([`http://${addressOf('api')}:9090/metrics`], 0, { AGENT: 'Prometheus/2.53.0' }),
    hostNetwork: true,
  }),
])
await untilAvailable()
for (let second = 0; second < 75; second++) {
  await fetch(`http://10.88.0.1:${NODE_PORT}/`, { headers: { connection: 'close' } }).catch(() => undefined)
  await sleep(1000)
}

const CALLERS = [
  'Address 203.0.113.9 to shop/api:8080',
  'CronJob legacy/report to shop/api:8080',
  'CronJob legacy/report to shop/open:8080',
  'CronJob legacy/report to shop/store:8080',
  'Deployment legacy/outside to shop/api:8080',
  'Deployment legacy/prometheus to shop/api:9090',
  'Deployment legacy/tolerated to shop/ported:8080',
  'Deployment shop/by-address to shop/api:8080',
  'Deployment shop/by-port to shop/api:8080',
  'Deployment shop/by-range to shop/api:8080',
  'Deployment shop/by-user to shop/api:8080',
  'Deployment shop/ruled-by to shop/ruled:8080',
  'Node node to shop/api:9090',
  'Node node to shop/open:8080',
]

const folder = mkdtempSync(join(tmpdir(), 'callers-'))
for (const one of await pods(SHOP)) {
  const log = await done(['logs', nameOf(one), '-n', SHOP, '-c', 'istio-proxy', '--prefix', '--timestamps'])
  writeFileSync(join(folder, `${nameOf(one)}.log`), log)
}

t.test('files of the sidecars name every caller outside the mesh, and no client of the mesh', (t) => {
  t.same(named(['--access-log', folder]), CALLERS)
  t.end()
})

t.test('so do the logs of the live cluster', (t) => {
  t.same(named(['--access-log', 'live']), CALLERS)
  t.end()
})

t.test('connections that STRICT refuses are named too', async (t) => {
  await apply([peerAuthentication(SHOP, 'default', { mtls: { mode: 'STRICT' } })])
  await sleep(70_000)
  const refused = named(['--access-log', 'live', '--since', '15s'])
  for (const caller of ['Deployment legacy/outside', 'Deployment legacy/prometheus', 'Node node'])
    t.ok(
      refused.some((one) => one.startsWith(caller)),
      caller,
    )
  t.notOk(
    refused.some((one) => one.startsWith('Deployment shop/client')),
    'and no client of the mesh',
  )
})
