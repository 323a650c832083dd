// The loop that keeps certificates: real keys and certificates, a store in memory, lifetimes of seconds.
import { X509Certificate } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, createServer } from 'node:tls'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { readSecret, writeSecret, type SecretData } from '../../src/certificates/authority-secret.ts'
import { readAuthority, readCertificates } from '../../src/certificates/authority.ts'
import { createAuthority, signCertificate, type Issued } from '../../src/certificates/issue.ts'
import type { RotationTiming } from '../../src/certificates/next-step.ts'
import { SelfManagedCertificates, type AuthorityStore } from '../../src/certificates/self-managed.ts'
import { WriteBudget } from '../../src/certificates/write-budget.ts'

const NOW = new Date()
const HOUR = 3_600_000
const VALIDITY = { notBefore: new Date(NOW.getTime() - HOUR), notAfter: new Date(NOW.getTime() + HOUR) }
const CALM: RotationTiming = { authorityDuration: 24 * HOUR, leafDuration: 8 * HOUR, trustDelay: 1000 }

async function authority(): Promise<ReturnType<typeof read>> {
  return read(await createAuthority('test', VALIDITY))
}

function read({ certificate, key }: Issued) {
  const made = readAuthority(certificate, key)
  if (typeof made === 'string') throw new Error(made)
  return made
}

t.test('what is written into the Secret is what is read from it', async (t) => {
  const [signing, next, retired] = await Promise.all([authority(), authority(), authority()])
  const [certificate] = readCertificates(retired.pem)
  const retiredUntil = Math.floor(NOW.getTime() / 1000) * 1000
  for (const authorities of [
    { signing, next, retired: certificate === undefined ? [] : [certificate], retiredUntil },
    { signing, next: undefined, retired: [], retiredUntil: 0 },
  ])
    t.same(readSecret(writeSecret(authorities)), { kind: 'authorities', authorities })
})

t.test('a Secret of any other content is damaged, and the problem names its keys', async (t) => {
  const [one, other] = await Promise.all([authority(), authority()])
  const leaf = await signCertificate({ certificate: one.pem, key: one.key }, ['a'], VALIDITY)
  const rows: readonly (readonly [string, SecretData | undefined, string])[] = [
    ['no Secret', undefined, 'absent'],
    ['an empty one', {}, 'absent'],
    ['other keys', { a: 'b' }, 'tls.crt, tls.key: the certificate is not PEM'],
    ['no key', { 'tls.crt': one.pem }, 'tls.crt, tls.key: the key is not PEM'],
    [
      'the key of another',
      { 'tls.crt': one.pem, 'tls.key': other.key },
      'tls.crt, tls.key: the key is of another certificate',
    ],
    [
      'no authority',
      { 'tls.crt': leaf.certificate, 'tls.key': leaf.key },
      'tls.crt, tls.key: the certificate is not an authority',
    ],
    ['cut', { 'tls.crt': one.pem.slice(0, 200), 'tls.key': one.key }, 'tls.crt, tls.key: the certificate is not PEM'],
  ]
  for (const [title, data, expected] of rows) {
    const content = readSecret(data)
    t.equal(content.kind === 'unreadable' ? content.problem : content.kind, expected, title)
  }
  const damaged = {
    ...writeSecret({ signing: one, next: other, retired: [], retiredUntil: 0 }),
    'next.key': 'x',
    'retired.crt': 'y',
  }
  t.match(readSecret(damaged), { kind: 'authorities', authorities: { next: undefined, retired: [] } })
  const endless = {
    ...writeSecret({ signing: one, next: undefined, retired: [other], retiredUntil: 0 }),
    'retired-until': 'soon',
  }
  t.match(readSecret(endless), { authorities: { retiredUntil: other.notAfter } }, 'trusted until it expires')
})

t.test('a bundle is read as far as it is certificates, each once, and no further than fifty', async (t) => {
  const one = await authority()
  const pem = one.pem.trim()
  t.same(
    readCertificates(`text\n${pem}\n${pem}\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----`).map(
      ({ fingerprint }) => fingerprint,
    ),
    [one.fingerprint],
  )
  t.same(readCertificates(`${'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'.repeat(50)}${pem}`), [])
})

interface Place {
  readonly store: AuthorityStore<{ data: SecretData; version: number }, Live>
  secret: SecretData | undefined
  bundles: string[]
  /** Added to the clock of the API server. */
  skew: number
  failure: Error | undefined
  writes: number
}

interface Live {
  readonly configuration: string
  readonly isInjected: boolean
  readonly webhooks: readonly { readonly name: string; readonly caBundle: string }[]
  readonly version: number
}

function createPlace(): Place {
  let version = 0
  const check = () => {
    if (place.failure !== undefined) throw place.failure
  }
  const place: Place = {
    secret: undefined,
    bundles: ['', ''],
    skew: 0,
    failure: undefined,
    writes: 0,
    store: {
      now: () => Date.now() + place.skew,
      async readConfigurations() {
        check()
        return place.bundles.map((caBundle, index) => ({
          configuration: `configuration ${index}`,
          isInjected: false,
          webhooks: [{ name: 'one', caBundle }],
          version,
        }))
      },
      async readSecret() {
        check()
        return place.secret && { data: place.secret, version }
      },
      async writeSecret(data, over) {
        check()
        if (over === undefined ? place.secret !== undefined : over.version !== version) return false
        place.secret = data
        place.writes += 1
        version += 1
        return true
      },
      async publish(over, bundle) {
        check()
        if (over.version !== version && place.bundles[Number(over.configuration.at(-1))] !== over.webhooks[0]?.caBundle)
          return false
        place.bundles[Number(over.configuration.at(-1))] = bundle
        place.writes += 1
        return true
      },
    },
  }
  return place
}

function start(t: Test, place: Place, timing: RotationTiming, jitter = 0) {
  const signed: Issued[] = []
  const events: string[] = []
  const certificates = new SelfManagedCertificates({
    store: place.store,
    hosts: ['localhost'],
    timing,
    jitter,
    observer: {
      signed: (leaf) => void signed.push(leaf),
      known: () => undefined,
      stepped: (step, isDone) =>
        void events.push(`${step.kind === 'store' ? step.event : step.kind}${isDone ? '' : ' too late'}`),
      failed: (error) => void events.push(`failed: ${error instanceof Error ? error.message : ''}`),
    },
  })
  t.teardown(() => certificates.stop())
  certificates.start()
  return { certificates, signed, events, current: () => signed.at(-1) }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600 && !(await holds()); tries++) await sleep(20)
}

const fingerprints = (bundle: string) => readCertificates(bundle).map(({ fingerprint }) => fingerprint)

/** Whether a TLS client that trusts `bundle` accepts the certificate. */
async function isAccepted({ certificate, key }: Issued, bundle: string): Promise<boolean> {
  const server = createServer({ cert: certificate, key }, (socket) => socket.end())
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: bundle })
  const isTrusted = await once(client, 'secureConnect').then(
    () => true,
    () => false,
  )
  client.destroy()
  server.close()
  return isTrusted
}

t.test('two replicas that start at once use one authority, and each has a certificate of its own', async (t) => {
  const place = createPlace()
  const [one, other] = [start(t, place, CALM), start(t, place, CALM)]
  t.equal(one.certificates.problem(), 'there is no certificate yet')
  await until(() => [one, other].every(({ certificates }) => certificates.problem() === undefined))
  t.equal([...one.events, ...other.events].filter((event) => event === 'create').length, 1)
  t.equal(new Set(place.bundles).size, 1)
  const [first = { certificate: '', key: '' }, second = { certificate: '', key: '' }] = [one.current(), other.current()]
  t.not(first.key, second.key)
  for (const leaf of [first, second]) t.equal(await isAccepted(leaf, place.bundles[0] ?? ''), true)
  t.notMatch(JSON.stringify(place.secret), first.key.split('\n')[1] ?? 'x', 'the key of a certificate is kept nowhere')
})

t.test('a rotation: both are trusted before the new one signs, and whoever signs is trusted', async (t) => {
  const place = createPlace()
  const replica = start(t, place, { authorityDuration: 6000, leafDuration: 2000, trustDelay: 500 })
  await until(() => replica.certificates.problem() === undefined)
  const [first = ''] = fingerprints(place.bundles[0] ?? '')
  const orphans: string[] = []
  await until(() => {
    const leaf = new X509Certificate(replica.current()?.certificate ?? '')
    const isSignedBy = ({ pem }: { pem: string }) => leaf.verify(new X509Certificate(pem).publicKey)
    for (const bundle of place.bundles) if (!readCertificates(bundle).some(isSignedBy)) orphans.push(bundle)
    return replica.events.includes('dropped')
  })
  t.same(orphans, [])
  t.notOk(place.bundles.flatMap(fingerprints).includes(first), 'the first authority is gone')
  const order = replica.events.filter((event) => event !== 'sign')
  t.same(order.slice(0, 5), ['create', 'publish', 'prepare', 'publish', 'promoted'])
  t.ok(replica.signed.length >= 4, 'certificates are renewed meanwhile')
})

t.test('bundles that are emptied are filled at a wake-up, and the certificate is not ready meanwhile', async (t) => {
  const place = createPlace()
  const replica = start(t, place, CALM)
  await until(() => replica.certificates.problem() === undefined)
  const before = [...place.bundles]
  place.bundles = ['', before[1] ?? '']
  replica.certificates.wake()
  await until(() => place.bundles[0] !== '')
  t.same(place.bundles, before)
})

t.test('readiness: a certificate counts only while every bundle trusts it', async (t) => {
  const place = createPlace()
  const replica = start(t, place, CALM)
  await until(() => replica.certificates.problem() === undefined)
  place.bundles = ['', '']
  place.store.publish = async () => {
    throw new Error('forbidden')
  }
  replica.certificates.wake()
  await until(() => replica.certificates.problem() !== undefined)
  t.equal(replica.certificates.problem(), 'the CA bundle of configuration 0 does not trust the certificate yet')
  t.ok(replica.events.includes('failed: forbidden'))
})

t.test(
  'a clock of the API server that jumps a year ahead, and back, leaves certificates that it accepts',
  async (t) => {
    const place = createPlace()
    const replica = start(t, place, CALM)
    await until(() => replica.certificates.problem() === undefined)
    for (const skew of [400 * 24 * HOUR, 0]) {
      place.skew = skew
      t.match(replica.certificates.problem(), /expired on|not valid before/)
      replica.certificates.wake()
      await until(() => replica.certificates.problem() === undefined)
      const { validFrom, validTo } = new X509Certificate(replica.current()?.certificate ?? '')
      t.ok(Date.parse(validFrom) <= place.store.now() && place.store.now() < Date.parse(validTo), `${skew}`)
    }
  },
)

t.test(
  'without an API server certificates are renewed by the authority that is known, and failures are few',
  async (t) => {
    const place = createPlace()
    const replica = start(t, place, CALM)
    await until(() => replica.certificates.problem() === undefined)
    place.failure = new Error('unreachable')
    place.skew = 6 * HOUR
    replica.certificates.wake()
    await until(() => replica.signed.length > 1)
    t.equal(replica.signed.length, 2, 'signed again, after two thirds of eight hours')
    await sleep(2000)
    t.equal(replica.certificates.problem(), undefined)
    const failures = replica.events.filter((event) => event === 'failed: unreachable').length
    t.ok(failures >= 1 && failures <= 5, `${failures} failures in three seconds`)
  },
)

t.test('another program that keeps changing a bundle cannot make us flood the API server', async (t) => {
  const place = createPlace()
  const replica = start(t, place, CALM)
  await until(() => replica.certificates.problem() === undefined)
  for (let times = 0; times < 60; times++) {
    place.bundles = ['', '']
    replica.certificates.wake()
    await sleep(20)
  }
  t.ok(replica.events.filter((event) => event === 'publish').length <= 11)
  const budget = new WriteBudget()
  t.same(
    Array.from({ length: 11 }, () => budget.take(1000)),
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4000],
  )
  t.equal(budget.take(5000), 0, 'one more after five seconds')
  t.equal(budget.take(5000), 5000)
})
