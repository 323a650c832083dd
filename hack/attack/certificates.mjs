// Certificate files that change while the server runs: a pair that clients would refuse never replaces a valid one, and at the
// start it is an error that /readyz shows, until a valid one comes.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { get } from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { createSelfSigned } from '../../dist/certificates/self-signed.js'
import { metricsOf, startServer, stopServer, until } from './server.mjs'

const DAY = 86_400_000
const madeAt = (days) => createSelfSigned(['127.0.0.1', 'localhost'], new Date(Date.now() + days * DAY))

export async function attackWithCertificates({ report, only }) {
  const [valid, next, expired, early] = [await madeAt(0), await madeAt(0), await madeAt(-36_500), await madeAt(3650)]
  const BAD = [
    ['an expired pair', expired],
    ['a pair of the future', early],
    ["another pair's key", { ...valid, key: next.key }],
    ['an expired certificate with the key in use', { ...expired, key: valid.key }],
    ['an empty certificate', { ...valid, cert: '' }],
    ['half a certificate', { ...valid, cert: valid.cert.slice(0, valid.cert.length / 2) }],
  ]
  for (const [name, pair] of BAD) {
    if (only !== undefined && !name.includes(only)) continue
    await replaceWith(report, name, valid, pair, next)
  }
  for (const [name, pair] of BAD.slice(0, 2)) await startWith(report, name, pair, valid)
}

async function replaceWith(report, name, valid, bad, next) {
  const files = folderOf(valid)
  const server = await startServer({ pair: files })
  const before = await fingerprint(server)
  write(files, bad)
  const refused = await until(
    async () => /certificate_reloads_total\{result="refused"\} [1-9]/.test(await metricsOf(server)),
    20_000,
  ).catch(() => false)
  const during = await fingerprint(server)
  const ready = await readyz(server)
  write(files, next)
  const isBack = await until(async () => (await fingerprint(server)) !== before, 20_000).catch(() => false)
  report(
    `${name} replaces a valid one`,
    [
      ...(refused ? [] : ['it was not refused']),
      ...(during === before ? [] : ['it is served']),
      ...(ready === 200 ? [] : [`/readyz says ${ready}`]),
      ...(isBack ? [] : ['the next valid pair is not used']),
    ],
    'refused, and the next valid pair is used',
  )
  await stopServer(server)
  rmSync(files.folder, { recursive: true })
}

async function startWith(report, name, bad, valid) {
  const files = folderOf(bad)
  const server = await startServer({ pair: files })
  const atStart = await readyz(server)
  write(files, valid)
  const isReady = await until(async () => (await readyz(server)) === 200, 20_000).catch(() => false)
  report(
    `${name} at the start`,
    [...(atStart === 503 ? [] : [`/readyz says ${atStart}`]), ...(isReady ? [] : ['a valid pair does not mend it'])],
    'not ready, until a valid pair comes',
  )
  await stopServer(server)
  rmSync(files.folder, { recursive: true })
}

function folderOf(made) {
  const folder = mkdtempSync(join(tmpdir(), 'istio-onramp-certificates-'))
  const files = { folder, cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'tls.ca') }
  write(files, made)
  return files
}

function write(files, made) {
  for (const name of ['ca', 'key', 'cert']) {
    writeFileSync(`${files[name]}.next`, made[name])
    renameSync(`${files[name]}.next`, files[name])
  }
}

/** Of the certificate that a new connection is shown. */
async function fingerprint({ port }) {
  await sleep(50)
  return await new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.once('error', reject)
  })
}

function readyz({ port }) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/readyz', rejectUnauthorized: false, agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).once('error', reject)
  })
}
