// A log that cannot be written: a full disk, a pipe that nobody reads, a pipe that is closed. Reviews are answered, memory stays
// bounded, lost lines are counted, and SIGTERM ends the process in time.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { Agent } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CLUSTER, isAlive, metricsOf, NODE_FLAGS, post, resident, until } from './server.mjs'
import { SMALL } from './shapes.mjs'

const REVIEWS = 5000
const AT_ONCE = 20
/** About 250 bytes a line. */
const MOST_GROWTH_MIB = 60
/** Five seconds without a request end the drain. */
const STOP_MS = 9000

const LOGS = [
  ['a full disk', () => openSync('/dev/full', 'w')],
  ['a pipe that nobody reads', () => 'pipe'],
  ['a pipe that is closed', () => 'pipe', (child) => child.stderr.destroy()],
]

export async function attackWithLogs({ report, only }) {
  for (const [name, open, spoil = () => undefined] of LOGS) {
    if (only !== undefined && !name.includes(only)) continue
    const server = await start(open())
    spoil(server.child)
    const agent = new Agent({ ca: server.ca, keepAlive: true, maxSockets: AT_ONCE })
    const review = () => post(server, '/mutate', SMALL, { agent })
    for (let count = 0; count < 500; count++) await review()
    const before = resident(server).now
    const statuses = new Set()
    for (let count = 0; count < REVIEWS / AT_ONCE && isAlive(server); count++)
      for (const { status, error } of await Promise.all(Array.from({ length: AT_ONCE }, review)))
        statuses.add(status ?? error)
    const growth = isAlive(server) ? resident(server).now - before : 0
    const lost = isAlive(server)
      ? Number(/^istio_onramp_log_lines_lost_total (\d+)/m.exec(await metricsOf(server))?.[1])
      : 0
    agent.destroy()
    const { milliseconds, code, signal } = await stop(server)
    report(
      name,
      [
        ...(isOnly200(statuses) ? [] : [`answers were ${[...statuses].join(', ')}`]),
        ...(growth > MOST_GROWTH_MIB ? [`${growth} MiB more`] : []),
        ...(lost > 0 ? [] : ['no lost line was counted']),
        ...(milliseconds > STOP_MS ? [`it took ${Math.round(milliseconds)} ms to stop`] : []),
      ],
      `${lost} lines lost, ${growth} MiB more, ended ${signal ?? code} after ${Math.round(milliseconds)} ms`,
    )
  }
}

const isOnly200 = (statuses) => statuses.size === 1 && statuses.has(200)

/** Its log tells nothing, so its ports are chosen before. */
async function start(stderr) {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-logs-'))
  const [port, metricsPort] = [await freePort(), await freePort()]
  const ca = join(folder, 'ca.crt')
  const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
  const flags = ['--from', CLUSTER, '--tls-self-signed', '--tls-ca-out', ca]
  const addresses = ['--listen', `127.0.0.1:${port}`, '--metrics', `127.0.0.1:${metricsPort}`]
  const child = spawn(process.execPath, [...NODE_FLAGS, cli, 'serve', ...flags, ...addresses], {
    stdio: ['ignore', 'ignore', stderr],
  })
  const server = { child, exit: undefined, port, metricsPort, folder }
  child.once('exit', (code, signal) => (server.exit = { code, signal }))
  await until(() => existsSync(ca) && readFileSync(ca, 'utf8').includes('-----END'), 30_000)
  return Object.assign(server, { ca: readFileSync(ca, 'utf8') })
}

async function stop(server) {
  const started = performance.now()
  server.child.kill('SIGTERM')
  await until(() => server.exit, 60_000).catch(() => server.child.kill('SIGKILL'))
  rmSync(server.folder, { recursive: true, force: true })
  return { ...server.exit, milliseconds: performance.now() - started }
}

async function freePort() {
  const probe = createServer()
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
