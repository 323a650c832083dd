// A load generator in a process of its own: argv is address, CA file, body file, connections, seconds.
// Prints one JSON line: requests per second and the 50th and 99th percentile of the latency in milliseconds.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { performance } from 'node:perf_hooks'

const [, , address, caFile, bodyFile, connections, seconds] = process.argv
const body = readFileSync(bodyFile)
const [host, port] = address.split(':')
const agent = new Agent({ ca: readFileSync(caFile), keepAlive: true, maxSockets: Number(connections) })
const latencies = []
let failed = 0

const warmUntil = performance.now() + 300
const until = warmUntil + Number(seconds) * 1000
await Promise.all(Array.from({ length: Number(connections) }, loop))
agent.destroy()
latencies.sort((left, right) => left - right)
const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
console.log(JSON.stringify({ perSecond: latencies.length / Number(seconds), p50: at(0.5), p99: at(0.99), failed }))

async function loop() {
  while (performance.now() < until) {
    const started = performance.now()
    const ok = await once().catch(() => false)
    if (!ok) failed += 1
    else if (started > warmUntil) latencies.push(performance.now() - started)
  }
}

function once() {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const sent = request({ host, port, path: '/mutate?timeout=10s', method: 'POST', agent, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode === 200))
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
