// The certificates of development: an authority, and a leaf that TLS clients accept.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createSelfSigned } from '../../src/certificates/self-signed.ts'

const NOW = new Date()
const DAY_MS = 24 * 60 * 60 * 1000

t.test('the leaf names its hosts and addresses, and the authority signs it', async (t) => {
  const { ca, cert } = await createSelfSigned(['webhook.example.svc', '127.0.0.1', '::1'], NOW, 7)
  const [authority, leaf] = [new X509Certificate(ca), new X509Certificate(cert)]
  t.equal(authority.ca, true)
  t.equal(leaf.ca, false)
  t.equal(leaf.verify(authority.publicKey), true)
  t.equal(leaf.checkIssued(authority), true)
  t.equal(leaf.checkHost('webhook.example.svc'), 'webhook.example.svc')
  t.equal(leaf.checkHost('other.example.svc'), undefined)
  t.equal(leaf.checkIP('127.0.0.1'), '127.0.0.1')
  t.equal(leaf.checkIP('::1'), '::1')
})

t.test('both are valid from a day ago, for clocks that are behind, until the asked day', async (t) => {
  const pair = await createSelfSigned(['localhost'], NOW, 7)
  for (const pem of [pair.ca, pair.cert]) {
    const { validFrom, validTo } = new X509Certificate(pem)
    t.ok(Math.abs(Date.parse(validFrom) - (NOW.getTime() - DAY_MS)) < 1000, validFrom)
    t.ok(Math.abs(Date.parse(validTo) - (NOW.getTime() + 7 * DAY_MS)) < 1000, validTo)
  }
})

t.test('two runs share nothing: serial numbers and keys differ', async (t) => {
  const [one, other] = await Promise.all([createSelfSigned(['localhost'], NOW), createSelfSigned(['localhost'], NOW)])
  t.not(new X509Certificate(one.cert).serialNumber, new X509Certificate(other.cert).serialNumber)
  t.not(one.key, other.key)
})

t.test('a TLS client that trusts the authority connects, and one that trusts another does not', async (t) => {
  const [own, foreign] = await Promise.all([createSelfSigned(['localhost'], NOW), createSelfSigned(['localhost'], NOW)])
  const server = createServer({ cert: own.cert, key: own.key }, (socket) => socket.end())
  t.teardown(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const dial = (ca: string) => connect({ port, host: '127.0.0.1', servername: 'localhost', ca })
  const trusting = dial(own.ca)
  await once(trusting, 'secureConnect')
  t.equal(trusting.authorized, true)
  trusting.destroy()
  await t.rejects(once(dial(foreign.ca), 'secureConnect'), { code: /CERT|SELF_SIGNED|VERIFY/ })
})
