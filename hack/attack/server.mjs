// The server as the image runs it, clients for it, and what it takes of memory and time.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
export const CLUSTER = here('cluster.yaml')

/** Node's flags as the Dockerfile has them. */
export const NODE_FLAGS = readFileSync(here('../../Dockerfile'), 'utf8').match(/--max-[a-z-]+=\d+/g)

/** Of the chart, in MiB. */
export const MEMORY_LIMIT = Number.parseInt(
  parse(readFileSync(here('../../charts/istio-onramp/values.yaml'), 'utf8')).resources.limits.memory,
  10,
)

/** `pair` is a certificate and key as files, with their authority; by default the server makes its own. */
export async function startServer({ from = ['--from', CLUSTER], more = [], env = {}, pair } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-attack-'))
  const file = (name) => join(folder, name)
  const log = openSync(file('log'), 'w')
  const started = performance.now()
  const child = spawn(
    process.execPath,
    [
      ...NODE_FLAGS,
      here('../../dist/cli.js'),
      'serve',
      ...from,
      ...(pair === undefined
        ? ['--tls-self-signed', '--tls-ca-out', file('ca.crt')]
        : ['--tls-cert', pair.cert, '--tls-key', pair.key]),
      '--listen',
      '127.0.0.1:0',
      '--metrics',
      '127.0.0.1:0',
      ...more,
    ],
    { stdio: ['ignore', 'ignore', log], env: { ...process.env, ...env } },
  )
  closeSync(log)
  const server = { child, exit: undefined, folder, log: () => readFileSync(file('log'), 'utf8') }
  child.once('exit', (code, signal) => (server.exit = { code, signal }))
  const line = await until(() => {
    if (server.exit !== undefined) throw new Error(`the server ended: ${server.log()}`)
    return (
      (pair !== undefined || existsSync(file('ca.crt'))) &&
      server
        .log()
        .split('\n')
        .find((text) => text.includes('"listening"'))
    )
  }, 30_000)
  const { address, metrics } = JSON.parse(line)
  const [, port] = /:(\d+)$/.exec(address)
  const [, metricsPort] = /:(\d+)$/.exec(metrics)
  return Object.assign(server, {
    port: Number(port),
    metricsPort: Number(metricsPort),
    ca: readFileSync(pair?.ca ?? file('ca.crt'), 'utf8'),
    readyAfter: performance.now() - started,
  })
}

export async function stopServer(server, signal = 'SIGINT') {
  const started = performance.now()
  if (server.exit === undefined) server.child.kill(signal)
  const ended = await until(() => server.exit, 40_000).catch(() => undefined)
  if (ended === undefined) server.child.kill('SIGKILL')
  rmSync(server.folder, { recursive: true, force: true })
  return { ...ended, milliseconds: performance.now() - started }
}

export async function until(condition, milliseconds) {
  const deadline = performance.now() + milliseconds
  for (;;) {
    const result = await condition()
    if (result) return result
    if (performance.now() > deadline) throw new Error(`nothing after ${milliseconds} ms`)
    await sleep(20)
  }
}

export const isAlive = (server) => server.exit === undefined

/** MiB: now, and the highest since the start. */
export function resident({ child }) {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  const mib = (name) => Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)[1]) / 1024)
  return { now: mib('VmRSS'), most: mib('VmHWM') }
}

export const descriptors = ({ child }) => readdirSync(`/proc/${child.pid}/fd`).length

/** Never rejects: an answer, or `error`. Each request has a connection of its own unless there is an agent. */
export function post(server, path, body, { agent, headers = {}, timeout = 60_000, method = 'POST' } = {}) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  const started = performance.now()
  return new Promise((resolve) => {
    const done = (outcome) => resolve({ ...outcome, milliseconds: performance.now() - started })
    const sent = request(
      {
        host: '127.0.0.1',
        port: server.port,
        path,
        method,
        agent: agent ?? new Agent({ ca: server.ca }),
        timeout,
        headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
      },
      (response) => {
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('error', (error) => done({ error: error.code ?? error.message }))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          done({ status: response.statusCode, headers: response.headers, text, json: parsed(text) })
        })
      },
    )
    sent.on('timeout', () => sent.destroy(new Error('timeout')))
    sent.on('error', (error) => done({ error: error.code ?? error.message }))
    sent.end(bytes)
  })
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function metricsOf({ metricsPort }) {
  return new Promise((resolve, reject) => {
    httpRequest({ host: '127.0.0.1', port: metricsPort, path: '/metrics', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part) => (text += part))
      response.on('end', () => resolve(text))
    })
      .on('error', reject)
      .end()
  })
}

/** A TLS connection for raw bytes. */
export function openConnection({ port, ca }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' }, () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** Small reviews from a process of their own, because this one is busy, until `end` is called. */
export function watchOthers({ port, ca }) {
  const child = spawn(process.execPath, [here('others.mjs'), String(port)], { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.write(`${JSON.stringify({ ca })}\n`)
  const answers = text(child.stdout)
  return {
    async end() {
      child.stdin.end()
      return JSON.parse(await answers)
    },
  }
}
