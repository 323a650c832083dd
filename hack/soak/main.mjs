// npm run e2e:full [-- --minutes 30 --fuzz 20 --seed S]: mixed load for half an hour while certificates rotate and the cluster
// changes, then a long fuzz. Prints the slope of resident memory, of the event loop's lag and of open descriptors, and fails if
// memory or descriptors keep growing or a review is not answered.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { createSelfSigned } from '../../dist/certificates/self-signed.js'
import { startApiServer } from '../attack/lists.mjs'
import {
  descriptors,
  isAlive,
  MEMORY_LIMIT,
  metricsOf,
  post,
  resident,
  startServer,
  stopServer,
} from '../attack/server.mjs'
import { reviewText, SHAPES, SMALL } from '../attack/shapes.mjs'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    fuzz: { type: 'string', default: '20' },
    seed: { type: 'string', default: '1' },
  },
})
const SAMPLE_MS = 5000
const ROTATE_MS = 60_000
const CHURN_MS = 200
/** MiB and descriptors per hour, in runs long enough to tell. The first quarter does not count: code is compiled. */
const LONG_MINUTES = 15
const MOST_GROWTH = { resident: 40, descriptors: 20 }

const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-soak-'))
const pair = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'tls.ca') }
let rotations = 0
await rotate()
const { api, kubeconfig } = await startApiServer(folder, 200, 20, CHURN_MS)
const server = await startServer({ from: [], env: { KUBECONFIG: kubeconfig }, pair })
const until = performance.now() + Number(values.minutes) * 60_000
const isOver = () => performance.now() > until || !isAlive(server)
const statuses = {}
const samples = []

await Promise.all([
  ...Array.from({ length: 4 }, () => load(() => SMALL, 20)),
  load(() => largeReview(64 * 1024), 200),
  load(() => largeReview(4 * 1024 * 1024), 3000),
  load(() => '{"broken', 1000),
  every(ROTATE_MS, rotate),
  every(SAMPLE_MS, sample),
])
const problems = report()
await stopServer(server)
api.kill()
rmSync(folder, { recursive: true, force: true })
const fuzz = Number(values.fuzz) === 0 ? { status: 0 } : runFuzz()
for (const problem of problems) console.log(`FAIL ${problem}`)
process.exit(problems.length === 0 && fuzz.status === 0 ? 0 : 1)

function runFuzz() {
  const args = ['hack/fuzz/main.mjs', '--minutes', values.fuzz, '--seed', values.seed]
  return spawnSync(process.execPath, args, { stdio: 'inherit' })
}

/** One authority after the other, as when a Secret is replaced: each new connection trusts the newest. */
async function rotate() {
  const made = await createSelfSigned(['127.0.0.1', 'localhost'], new Date())
  for (const name of ['cert', 'key', 'ca']) {
    writeFileSync(`${pair[name]}.next`, made[name])
    renameSync(`${pair[name]}.next`, pair[name])
  }
  rotations += 1
}

async function every(milliseconds, act) {
  while (!isOver()) {
    await sleep(milliseconds)
    if (!isOver()) await act()
  }
}

/** A connection is used for fifty reviews. The certificate may be of any rotation. */
async function load(body, pause) {
  while (!isOver()) {
    const agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 1 })
    for (let count = 0; count < 50 && !isOver(); count++) {
      const { status, error } = await post(server, '/mutate', body(), { agent })
      statuses[status ?? error] = (statuses[status ?? error] ?? 0) + 1
      await sleep(pause)
    }
    agent.destroy()
  }
}

function largeReview(bytes) {
  const [, kind, make] = SHAPES[Math.floor(Math.random() * SHAPES.length)]
  return reviewText(kind, make(bytes))
}

async function sample() {
  const lag = /^istio_onramp_nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(await metricsOf(server))?.[1]
  samples.push({
    at: performance.now(),
    resident: resident(server).now,
    lag: Number(lag) * 1000,
    descriptors: descriptors(server),
  })
}

function report() {
  const { most } = isAlive(server) ? resident(server) : { most: 0 }
  const settled = samples.slice(Math.floor(samples.length / 4))
  const growth = Object.fromEntries(['resident', 'lag', 'descriptors'].map((name) => [name, slope(settled, name)]))
  console.log(
    `${values.minutes} minutes: ${JSON.stringify(statuses)}, ${rotations} certificates; ${most} of ${MEMORY_LIMIT} MiB at most;` +
      ` per hour: resident ${growth.resident.toFixed(1)} MiB, event loop lag p99 ${growth.lag.toFixed(2)} ms,` +
      ` descriptors ${growth.descriptors.toFixed(1)} (last: ${JSON.stringify(samples.at(-1))})`,
  )
  const expected = Object.keys(statuses).filter((status) => !['200', '400', '413', '503'].includes(status))
  return [
    ...(isAlive(server) ? [] : [`the server ended: ${JSON.stringify(server.exit)}`]),
    ...expected.map((status) => `${statuses[status]} answers were ${status}`),
    ...(most > MEMORY_LIMIT ? ['too much memory'] : []),
    ...Object.entries(MOST_GROWTH)
      .filter(([name, limit]) => Number(values.minutes) >= LONG_MINUTES && growth[name] > limit)
      .map(([name]) => `${name} grows by ${growth[name].toFixed(1)} an hour`),
  ]
}

/** Least squares, per hour. */
function slope(points, name) {
  const mean = (list) => list.reduce((sum, value) => sum + value, 0) / list.length
  const [x, y] = [mean(points.map(({ at }) => at)), mean(points.map((point) => point[name]))]
  const spread = points.reduce((sum, { at }) => sum + (at - x) ** 2, 0)
  const shared = points.reduce((sum, point) => sum + (point.at - x) * (point[name] - y), 0)
  return spread === 0 ? 0 : (shared / spread) * 3_600_000
}
