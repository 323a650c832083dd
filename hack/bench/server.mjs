// The server as shipped against two floors, in alternating windows of one run; servers and load on different cores. The raw
// floor reads, parses and answers; the other is fastify with one log line and no work, which is what the libraries can do.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSelfSigned } from '../../dist/certificates/self-signed.js'
import { NODE_FLAGS } from '../attack/server.mjs'
import { median } from './decisions.mjs'
import { deploymentOfSize, podOfSize, reviewOf } from './reviews.mjs'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const WINDOWS = Number(process.env.BENCH_WINDOWS ?? 3)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2)
const CLUSTER = `
apiVersion: v1
kind: Namespace
metadata: {name: ns-7, labels: {istio-injection: enabled}}
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: ns-7}
spec: {mtls: {mode: STRICT}}
`

export async function benchServer() {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-bench-'))
  const pin = canPin()
  try {
    const made = await createSelfSigned(['127.0.0.1'], new Date())
    for (const [name, content] of Object.entries({
      'ca.pem': made.ca,
      'cert.pem': made.cert,
      'key.pem': made.key,
      'cluster.yaml': CLUSTER,
    }))
      writeFileSync(join(folder, name), content)
    const file = (name) => join(folder, name)
    const floor = await startServer(pin, folder, [here('floor.mjs'), file('cert.pem'), file('key.pem')])
    const libraries = await startServer(
      pin,
      folder,
      [here('floor-fastify.mjs'), file('cert.pem'), file('key.pem')],
      'fastify',
    )
    const started = performance.now()
    const ours = await startServer(pin, folder, [
      ...NODE_FLAGS,
      here('../../dist/cli.js'),
      'serve',
      '--from',
      file('cluster.yaml'),
      '--tls-cert',
      file('cert.pem'),
      '--tls-key',
      file('key.pem'),
      '--listen',
      '127.0.0.1:0',
      '--metrics',
      '127.0.0.1:0',
    ])
    console.log(
      `\nReady to serve after ${Math.round(performance.now() - started)} ms; resident when idle ${residentMiB(ours.child.pid)} MiB (floor ${residentMiB(floor.child.pid)} MiB)`,
    )
    console.log(
      `\nServer as shipped against the floors, ${WINDOWS} alternating windows of ${SECONDS} s each${pin ? ', pinned to different cores' : ', not pinned: taskset is missing or there is one core'}`,
    )
    console.log(
      '  review            conn.     raw/s fastify/s  ours/s   of raw  of fastify     raw p99   ours p99   ratio',
    )
    const ratios = []
    for (const [title, object] of [
      ['Pod, 3 KB', podOfSize(3_000)],
      ['Deployment, 8 KB', deploymentOfSize(8_000)],
      ['Pod, 60 KB', podOfSize(60_000)],
    ]) {
      writeFileSync(file('body.json'), reviewOf(object))
      // Both servers' code is compiled by running it: neither row is to pay for that.
      for (const { address } of [floor, libraries, ours])
        await load(pin, address, file('ca.pem'), file('body.json'), 16)
      for (const connections of [1, 8, 64]) {
        const pairs = []
        for (let window = 0; window < WINDOWS; window++)
          pairs.push([
            await load(pin, floor.address, file('ca.pem'), file('body.json'), connections),
            await load(pin, libraries.address, file('ca.pem'), file('body.json'), connections),
            await load(pin, ours.address, file('ca.pem'), file('body.json'), connections),
          ])
        ratios.push(printRow(title, connections, pairs))
      }
    }
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
    console.log(
      `\nOf fastify with a log line: ${mean.toFixed(2)} in the geometric mean, ${Math.min(...ratios).toFixed(2)} in the worst cell (aims: 0.85 and 0.7)`,
    )
    console.log(
      `\nResident after the load: ${residentMiB(ours.child.pid)} MiB (floor ${residentMiB(floor.child.pid)} MiB)`,
    )
    floor.child.kill('SIGKILL')
    libraries.child.kill('SIGKILL')
    ours.child.kill('SIGKILL')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Each of `windows` has the raw floor, fastify and ours. Returns the requests of ours as a share of fastify's. */
function printRow(title, connections, windows) {
  const of = (index, key, digits) => median(windows.map((window) => window[index][key])).toFixed(digits)
  const ratio = (key, to) => median(windows.map((window) => window[2][key] / window[to][key]))
  const failed = windows.flat().reduce((sum, { failed: count }) => sum + count, 0)
  console.log(
    [
      `  ${title.padEnd(17)} ${String(connections).padStart(4)}  `,
      of(0, 'perSecond', 0).padStart(7),
      of(1, 'perSecond', 0).padStart(9),
      of(2, 'perSecond', 0).padStart(7),
      ratio('perSecond', 0).toFixed(2).padStart(8),
      ratio('perSecond', 1).toFixed(2).padStart(11),
      `${of(0, 'p99', 1)} ms`.padStart(12),
      `${of(2, 'p99', 1)} ms`.padStart(10),
      ratio('p99', 0).toFixed(2).padStart(7),
      failed > 0 ? `   ${failed} FAILED` : '',
    ].join(' '),
  )
  return ratio('perSecond', 1)
}

function canPin() {
  return availableParallelism() > 1 && spawnSync('taskset', ['-c', '0', 'true']).status === 0
}

function command(pin, core, args) {
  return pin ? ['taskset', ['-c', String(core), process.execPath, ...args]] : [process.execPath, args]
}

/** Its log goes to a file, as a container runtime takes it: a reader in this process would share the servers' core. */
async function startServer(pin, folder, args, name = String(args.length)) {
  const log = join(folder, `${name}.log`)
  const child = spawn(...command(pin, 0, args), { stdio: ['ignore', 'ignore', openSync(log, 'w')] })
  for (let tries = 0; tries < 200 && child.exitCode === null; tries++) {
    const line = readFileSync(log, 'utf8')
      .split('\n')
      .find((text) => text.includes('"listening"'))
    if (line !== undefined) return { child, address: JSON.parse(line).address }
    await sleep(10)
  }
  throw new Error(`${args[0]} did not start: ${readFileSync(log, 'utf8')}`)
}

async function load(pin, address, ca, body, connections) {
  const child = spawn(...command(pin, 1, [here('load.mjs'), address, ca, body, String(connections), String(SECONDS)]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  for await (const chunk of child.stdout) output += chunk
  return JSON.parse(output)
}

function residentMiB(pid) {
  const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Math.round(Number(kib) / 1024)
}
