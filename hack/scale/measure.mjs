// The server as shipped in the cluster that seed.mjs made, under the chart's ClusterRole with a pod's service account:
// how long its first reading takes, what it keeps resident, how soon a change is decided by, what a decision costs.
// argv is the control plane's folder (hack/cluster/up).
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { podOfSize, reviewOf } from '../bench/reviews.mjs'
import { connect } from './api.mjs'
import { namespaceName, POLICIES, SIZE } from './objects.mjs'

const CHANGES = 20
const DECISIONS = 2000
const here = (path) => fileURLToPath(new URL(path, import.meta.url))
/** What the image runs with. */
const NODE_FLAGS = readFileSync(here('../../Dockerfile'), 'utf8').match(/--max-[a-z-]+=\d+/g)

const plane = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-scale-'))
const api = await connect(4)
let child
try {
  await giveAccount()
  const started = performance.now()
  const server = await startServer()
  while ((await server.send('/readyz', '')).status !== 200) await sleep(20)
  const ready = (performance.now() - started) / 1000
  const { namespaces, services, policies } = SIZE
  console.log(`\n${namespaces} namespaces, ${services} services, ${policies} policies`)
  console.log(
    `  from the start of the process until ready   ${ready.toFixed(1)} s, ${cpuSeconds().toFixed(1)} s of it computing`,
  )
  console.log(`  resident then / at most                      ${memory('VmRSS')} / ${memory('VmHWM')} MiB`)
  const visible = await timeChanges(server)
  console.log(
    `  a policy's change decided by, after its PUT  ${at(visible, 0.5)} ms, at most ${at(visible, 1)} ms (of ${CHANGES})`,
  )
  const { mean, rate } = await timeDecisions(server)
  console.log(
    `  a decision (pod of 3 KB), of ${DECISIONS}           ${mean.toFixed(3)} ms in the server; ${Math.round(rate)} requests a second over one connection`,
  )
  console.log(`  resident / at most after that                ${memory('VmRSS')} / ${memory('VmHWM')} MiB`)
  server.close()
} finally {
  child?.kill('SIGKILL')
  api.close()
  rmSync(folder, { recursive: true, force: true })
}

/** A service account with the chart's rights, and the files that kubelet would mount for it. */
async function giveAccount() {
  const name = 'scale'
  const rbac = '/apis/rbac.authorization.k8s.io/v1'
  const rules = (file) => parse(readFileSync(here(`../../charts/istio-onramp/files/${file}.yaml`), 'utf8'))
  const subjects = [{ kind: 'ServiceAccount', name, namespace: 'default' }]
  const roleRef = (kind) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
  const metadata = { name }
  const inSystem = `${rbac}/namespaces/istio-system`
  for (const [path, object] of [
    ['/api/v1/namespaces', { metadata: { name: 'istio-system' } }],
    ['/api/v1/namespaces/default/serviceaccounts', { metadata }],
    [`${rbac}/clusterroles`, { metadata, rules: rules('cluster-role-rules') }],
    [`${rbac}/clusterrolebindings`, { metadata, roleRef: roleRef('ClusterRole'), subjects }],
    [`${inSystem}/roles`, { metadata, rules: rules('control-plane-role-rules') }],
    [`${inSystem}/rolebindings`, { metadata, roleRef: roleRef('Role'), subjects }],
  ])
    await api.create(path, object)
  const asked = await api.send('POST', `/api/v1/namespaces/default/serviceaccounts/${name}/token`, { spec: {} })
  writeFileSync(join(folder, 'token'), JSON.parse(asked.body).status.token)
  writeFileSync(join(folder, 'ca.crt'), readFileSync(join(plane, 'pki/ca.crt')))
}

async function startServer() {
  const port = readFileSync(join(plane, 'ports'), 'utf8').trim()
  child = spawn(process.execPath, [...NODE_FLAGS, here('serve.mjs'), folder, port], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const addresses = await new Promise((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      const event = JSON.parse(line)
      if (event.msg === 'listening') resolve(event)
      else if (event.level >= 40) console.log(`  ${line}`)
    })
  })
  const [host, listening] = addresses.address.split(':')
  const agent = new Agent({ ca: readFileSync(join(folder, 'webhook.crt')), keepAlive: true, maxSockets: 1 })
  const send = (path, body) =>
    new Promise((resolve, reject) => {
      const method = body === '' ? 'GET' : 'POST'
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request({ host, port: listening, path, method, agent, headers }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode, answer }), reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
  const metrics = async () => await (await fetch(`http://${addresses.metrics}/metrics`)).text()
  return { send, metrics, close: () => agent.destroy() }
}

/** Milliseconds from the API server's answer to a write until a review is decided by it. */
async function timeChanges(server) {
  const namespace = namespaceName(SIZE.namespaces - 1)
  const review = reviewIn(namespace)
  const path = `/apis/security.istio.io/v1/namespaces/${namespace}/${POLICIES}`
  const policy = { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', metadata: { name: 'default' } }
  const times = []
  await api.send('DELETE', `${path}/default`)
  for (let change = 0; change < CHANGES; change++) {
    const isStrict = change % 2 === 0
    if (isStrict) await api.create(path, { ...policy, spec: { mtls: { mode: 'STRICT' } } })
    else await api.send('DELETE', `${path}/default`)
    const written = performance.now()
    while ((await server.send('/mutate', review)).answer.includes('"patch"') !== isStrict) await sleep(1)
    times.push(performance.now() - written)
  }
  return times
}

async function timeDecisions(server) {
  const before = await decisionTime(server)
  const started = performance.now()
  for (let count = 0; count < DECISIONS; count++)
    await server.send('/mutate', reviewIn(namespaceName((count * 7919) % SIZE.namespaces)))
  const rate = (DECISIONS * 1000) / (performance.now() - started)
  const after = await decisionTime(server)
  return { mean: ((after.sum - before.sum) / (after.count - before.count)) * 1000, rate }
}

/** Of the server's own histogram, in seconds. */
async function decisionTime(server) {
  const lines = (await server.metrics()).split('\n').filter((line) => line.includes('duration_seconds'))
  const total = (suffix) =>
    lines.filter((line) => line.includes(`_${suffix}{`)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  return { sum: total('sum'), count: total('count') }
}

function reviewIn(namespace) {
  return reviewOf(podOfSize(3_000)).replaceAll('"ns-7"', JSON.stringify(namespace))
}

function memory(field) {
  const [, kib] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}

function cpuSeconds() {
  const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1].split(' ')
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return (Number(fields[11]) + Number(fields[12])) / ticks
}

function at(values, share) {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))].toFixed(0)
}
