// What `check --access-log` costs for a log of a gigabyte: the rate, and memory against that of a tenth of it.
import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))
const CLUSTER = fileURLToPath(new URL('../../test/callers/recorded/cluster.json', import.meta.url))

export function benchAccessLogs() {
  console.log('\ncheck --access-log (aim: memory that does not grow with the log)')
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-bench-'))
  try {
    for (const format of ['text', 'JSON']) {
      const [small, large] = [100, 1000].map((size) => measure(join(folder, 'log'), format, size))
      const rate = 900 / (large.seconds - small.seconds)
      console.log(
        `  ${format.padEnd(5)} 1 GB: ${large.seconds.toFixed(1)} s, ${rate.toFixed(0)} MB/s; ${large.mib} MiB, ${(large.mib / small.mib).toFixed(2)} times that of 100 MB`,
      )
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** CPU seconds and the highest memory of one run. Addresses and ports vary, as those of a load balancer's clients do. */
function measure(file, format, megabytes) {
  const log = openSync(file, 'w')
  for (let written = 0, block = 0; written < megabytes * 1e6; block++) {
    const lines = Array.from({ length: 20_000 }, (_, index) => line(format, block * 20_000 + index))
    written += writeSync(log, `${lines.join('\n')}\n`)
  }
  closeSync(log)
  const script = `
    const { runCommandLine } = await import(${JSON.stringify(new URL('../../dist/command-line.js', import.meta.url).href)})
    const none = { write: () => true }
    await runCommandLine(process.argv.slice(1), { stdout: none, stderr: none })
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    console.log(JSON.stringify({ seconds: (userCPUTime + systemCPUTime) / 1e6, mib: Math.round(maxRSS / 1024) }))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script, 'check', '--from', CLUSTER, '--access-log', file, '-o', 'json'],
    { encoding: 'utf8' },
  )
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

function line(format, index) {
  const [remote, port] = [`203.0.${(index >> 8) % 256}.${index % 256}`, 30_000 + (index % 30_000)]
  const isMesh = index % 4 !== 0
  const from = isMesh ? `10.88.0.23:${port}` : `${remote}:${port}`
  const sni = isMesh ? 'outbound_.8080_._.api.shop.svc.cluster.local' : '-'
  const time = new Date(1_764_213_120_000 + index).toISOString()
  if (format === 'text')
    return `[${time}] "GET /orders/${index}?page=2 HTTP/1.1" 200 - via_upstream - "-" 0 512 4 3 "-" "Mozilla/5.0 (X11; Linux x86_64)" "5f0c8c1e-0a8e-4b0d-9b5a-${index}" "api.shop:8080" "10.88.0.15:8080" inbound|8080|| 127.0.0.6:58693 10.88.0.15:8080 ${from} ${sni} default`
  return JSON.stringify({
    authority: 'api.shop:8080',
    bytes_received: 0,
    downstream_local_address: '10.88.0.15:8080',
    downstream_remote_address: from,
    method: 'GET',
    path: `/orders/${index}`,
    requested_server_name: sni,
    response_code: 200,
    response_code_details: 'via_upstream',
    route_name: 'default',
    start_time: time,
    upstream_cluster: 'inbound|8080||',
    upstream_host: '10.88.0.15:8080',
    user_agent: 'Mozilla/5.0 (X11; Linux x86_64)',
  })
}
