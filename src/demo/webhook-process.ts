/** Starts `istio-onramp serve` on the embedded cluster and waits until it listens. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { parseJson, stringMember } from '../kubernetes/json.ts'

export interface WebhookProcess {
  readonly address: string
  readonly metrics: string
  readonly ca: string
  readonly caFile: string
  readonly exited: Promise<void>
  stop(): Promise<void>
}

const CLI = fileURLToPath(new URL('../cli.js', import.meta.url))
const START_MS = 10_000

export async function startWebhook(clusterFolder: string, listen: string): Promise<WebhookProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'istio-onramp-'))
  const caFile = join(folder, 'ca.crt')
  const args = [
    'serve',
    '--from',
    clusterFolder,
    '--tls-self-signed',
    '--tls-ca-out',
    caFile,
    '--listen',
    listen,
    '--metrics',
    '127.0.0.1:0',
  ]
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithThisProcess(child)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const removed = exited.then(() => rm(folder, { recursive: true, force: true }))
  const { address, metrics } = await listening(child)
  return {
    address,
    metrics,
    ca: await readFile(caFile, 'utf8'),
    caFile,
    exited: removed,
    async stop() {
      child.kill('SIGINT')
      await removed
    },
  }
}

/** If this process is asked to end, it first ends the server, then itself after cleaning up. */
function endWithThisProcess(child: ChildProcess): void {
  const pass = (signal: NodeJS.Signals): unknown => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, pass)
  child.once('exit', () =>
    process.removeListener('SIGINT', pass).removeListener('SIGTERM', pass).removeListener('SIGHUP', pass),
  )
}

/** Waits for the log line `listening`. If the process ends or time runs out first, rejects with its output. */
async function listening(child: ChildProcess): Promise<{ readonly address: string; readonly metrics: string }> {
  const printed: string[] = []
  return await new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error(`the webhook did not start:\n${printed.join('\n')}`))
    const timer = setTimeout(fail, START_MS)
    child.once('exit', fail)
    createInterface({ input: child.stderr ?? Readable.from([]) }).on('line', (line) => {
      printed.push(line)
      const event = parseJson(line)
      const address = stringMember(event, 'address')
      if (stringMember(event, 'msg') !== 'listening' || address === undefined) return
      clearTimeout(timer)
      child.off('exit', fail)
      resolve({ address, metrics: stringMember(event, 'metrics') ?? '' })
    })
  })
}
