/** `istio-onramp serve` as a process of its own, with the cluster of a kubeconfig. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { container, HTTP_PROBE, pod } from '../../support/fixtures.ts'
import { reviewOf } from '../../support/reviews.ts'

export const CLI = fileURLToPath(new URL('../../../dist/cli.js', import.meta.url))
/** In `shop`, and rewritten where that namespace is in the mesh and STRICT. */
export const PROBED = pod([container('web', { livenessProbe: HTTP_PROBE })])

/** Nothing from the environment of the user who runs the tests. */
export const environment = (kubeconfig: string) => ({
  PATH: process.env['PATH'],
  HOME: '/nonexistent',
  KUBECONFIG: kubeconfig,
})

export interface Serving {
  /** The log lines so far. */
  readonly lines: readonly Record<string, unknown>[]
  /** Those that say that the cluster cannot be read. */
  failures(): readonly Record<string, unknown>[]
  /** The status of a GET. */
  get(path: string): Promise<number | undefined>
  /** The response to the creation of PROBED. */
  review(): Promise<JsonObject>
  isReady(): Promise<boolean>
  isRewritten(): Promise<boolean>
  /** `istio_onramp_cluster_NAME` of a kind. */
  metric(name: string, resource: string): Promise<number>
}

/** Resolves when it listens; killed when the test ends. */
export async function serve(t: Test, kubeconfig: string): Promise<Serving> {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const ca = join(folder, 'ca.crt')
  const listen = ['--listen', '127.0.0.1:0', '--metrics', '127.0.0.1:0']
  const child = spawn(process.execPath, [CLI, 'serve', '--tls-self-signed', '--tls-ca-out', ca, ...listen], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: environment(kubeconfig),
  })
  t.teardown(() => child.kill('SIGKILL'))
  const lines: Record<string, unknown>[] = []
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(JSON.parse(line) as Record<string, unknown>))
  await until('it listens', () => lines.some(({ msg }) => msg === 'listening'))
  const { address, metrics } = lines.find(({ msg }) => msg === 'listening') as { address: string; metrics: string }
  const send = sender(t, address, readFileSync(ca))
  const review = async () => (JSON.parse((await send('/mutate', REVIEW)).answer) as { response: JsonObject }).response
  const get = async (path: string) => (await send(path)).status
  return {
    lines,
    failures: () => lines.filter(({ msg }) => String(msg).startsWith('reading the cluster failed')),
    get,
    review,
    isReady: async () => (await get('/readyz')) === 200,
    isRewritten: async () => (await review())['patch'] !== undefined,
    async metric(name, resource) {
      const all = await (await fetch(`http://${metrics}/metrics`)).text()
      const start = `istio_onramp_cluster_${name}{resource="${resource}"} `
      return Number(
        all
          .split('\n')
          .find((line) => line.startsWith(start))
          ?.slice(start.length),
      )
    },
  }
}

const REVIEW = reviewOf(PROBED)

function sender(t: Test, address: string, ca: Buffer) {
  const [host, port] = address.split(':')
  const agent = new Agent({ ca, keepAlive: true })
  t.teardown(() => agent.destroy())
  return async (path: string, body = '') =>
    await new Promise<{ status: number | undefined; answer: string }>((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const posting = body === '' ? {} : { method: 'POST', headers }
      const sent = request({ host, port, path, agent, ...posting }, (response) => {
        text(response).then((answer) => resolve({ status: response.statusCode, answer }), reject)
      })
      sent.once('error', reject)
      sent.end(body)
    })
}

/** Generous, because a machine that builds something beside the tests is slow. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`)
    await sleep(20)
  }
}
