// A cluster whose objects carry up to 1 GB of foreign annotations: the server starts, stays within the chart's memory, and
// answers reviews.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSelfSigned } from '../../dist/certificates/self-signed.js'
import { isAlive, MEMORY_LIMIT, metricsOf, post, resident, startServer, stopServer, until } from './server.mjs'
import { SMALL } from './shapes.mjs'

const CLUSTERS = [
  ['250 Services of 250 KB', 250, 1],
  ['180 Deployments of 1 MB', 1, 180],
  ['1 GB of annotations', 1000, 750],
]

export async function attackWithLists({ report, only }) {
  for (const [name, services, deployments] of CLUSTERS) {
    if (only !== undefined && !name.includes(only)) continue
    const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-lists-'))
    const { api, kubeconfig } = await startApiServer(folder, services, deployments)
    const server = await startServer({ from: [], env: { KUBECONFIG: kubeconfig } })
    const read = await until(async () => !isAlive(server) || (await isRead(server, services, deployments)), 300_000)
    const isLive = read && isAlive(server)
    const answer = isLive ? await post(server, '/mutate', SMALL) : {}
    const { most } = isLive ? resident(server) : { most: 0 }
    report(
      name,
      [
        ...(isLive ? [] : [`the server ended: ${JSON.stringify(server.exit)}`]),
        ...(answer.status === 200 ? [] : [`a review is answered ${answer.status ?? answer.error}`]),
        ...(most > MEMORY_LIMIT ? ['too much memory'] : []),
      ],
      `${most} of ${MEMORY_LIMIT} MiB at most`,
    )
    await stopServer(server)
    api.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function isRead(server, services, deployments) {
  const metrics = await metricsOf(server)
  const objects = (resource) =>
    Number(new RegExp(`istio_onramp_cluster_objects\\{resource="${resource}"\\} (\\d+)`).exec(metrics)?.[1])
  return objects('services') === services && objects('deployments') === deployments
}

/** `churn` is how often in milliseconds an object changes. */
export async function startApiServer(folder, services, deployments, churn) {
  const made = await createSelfSigned(['127.0.0.1'], new Date())
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, name), made[name])
  const program = fileURLToPath(new URL('api-server.mjs', import.meta.url))
  const often = churn === undefined ? [] : [churn]
  const args = [program, join(folder, 'cert'), join(folder, 'key'), services, deployments, ...often].map(String)
  const api = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = await new Promise((resolve) => api.stdout.once('data', (data) => resolve(Number(data))))
  const kubeconfig = join(folder, 'kubeconfig')
  const cluster = {
    server: `https://127.0.0.1:${port}`,
    'certificate-authority-data': Buffer.from(made.ca).toString('base64'),
  }
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'large', cluster }],
      users: [{ name: 'user', user: { token: 'token' } }],
      contexts: [{ name: 'large', context: { cluster: 'large', user: 'user' } }],
      'current-context': 'large',
    }),
  )
  return { api, kubeconfig }
}
