// The chart with certificates.mode selfManaged, two replicas, and lifetimes of minutes: installed, rotated, robbed of its
// Secret and its bundles, stopped, and changed to other modes and back. Where failurePolicy is Fail, every call that fails
// is a create that fails.
import { spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { readCertificates } from '../../src/certificates/authority.ts'
import { arrayMember, isObject, member, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { NAME, NAMESPACE } from '../support/api-server/helm.ts'
import { createNamespace, done, kubectl, release } from '../support/api-server/kubectl.ts'
import { createDuring, failuresOf } from './support/creates.ts'
import { certificates, createCertificate, meshNamespace, standUp, until, useCertificate } from './support/stand.ts'
import { emptyBundles, KINDS, read, served, trusted } from './support/trust.ts'

const SECRET = `secret/${NAME}-self-managed`
const SELF_MANAGED = {
  certificates: {
    mode: 'selfManaged',
    selfManaged: { authorityDuration: '3m', leafDuration: '1m', trustDelay: '10s' },
  },
}
const fail = (failurePolicy: 'Fail' | 'Ignore'): JsonObject => ({
  webhooks: { pods: { failurePolicy }, templates: { failurePolicy } },
})
const FAIL = fail('Fail')
const IGNORE = fail('Ignore')

t.test('without cert-manager the default mode ends with a sentence, and nothing is created', async (t) => {
  for (const name of [NAMESPACE, 'istio-system']) await createNamespace(name)
  t.throws(() => release('install', {}), {
    message:
      /does not serve cert-manager\.io\/v1: install cert-manager first, or set certificates\.mode=selfManaged .* or certificates\.mode=existingSecret/,
  })
  t.equal(await done(['get', 'all,clusterrole', '-A', '-l', 'app.kubernetes.io/instance=onramp', '-o', 'name']), '')
})

const CALM = { replicas: 2, preStopSeconds: 5, config: { shutdown: { drainSeconds: 15 }, rules: { probes: 'exec' } } }
const stand = await standUp({ ...CALM, ...SELF_MANAGED, ...FAIL })
await meshNamespace('load')

async function secret(): Promise<Readonly<Record<string, string>>> {
  const data = member(await read(SECRET, '-n', NAMESPACE), 'data')
  if (!isObject(data)) return {}
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), 'base64').toString()]),
  )
}

function steps(step: string): Promise<number> {
  const pattern = new RegExp(`^istio_onramp_certificate_steps_total\\{step="${step}",result="done"\\}`)
  return Promise.all(stand.servers().map((server) => server.metric(pattern))).then((counts) =>
    counts.reduce((sum, count) => sum + count, 0),
  )
}

t.test('both replicas sign by one authority, which every bundle trusts', async (t) => {
  const { 'tls.crt': pem = '' } = await secret()
  const authority = new X509Certificate(pem)
  for (const bundle of await trusted()) t.same(bundle, [authority.fingerprint256])
  const leaves = await Promise.all(stand.servers().map(served))
  t.equal(leaves.length, 2)
  t.not(leaves[0]?.fingerprint256, leaves[1]?.fingerprint256, 'each has its own')
  for (const leaf of leaves) {
    t.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey))
    t.equal(leaf.checkHost(`${NAME}.${NAMESPACE}.svc`), `${NAME}.${NAMESPACE}.svc`)
  }
})

t.test(
  'our writer owns caBundle and nothing else; the chart owns neither that nor the data of the Secret',
  async (t) => {
    for (const kind of KINDS) {
      const managers = arrayMember(
        memberAt(await read(`${kind}/istio-onramp`, '--show-managed-fields'), 'metadata'),
        'managedFields',
      )
      const ours = managers.filter((manager) => member(manager, 'manager') === 'istio-onramp-certificates')
      t.equal(ours.length, 1, kind)
      const [webhooks] = ours.map((manager) => memberAt(manager, 'fieldsV1', 'f:webhooks'))
      t.same(Object.keys(memberAt(ours[0], 'fieldsV1') as object), ['f:webhooks'])
      for (const fields of Object.values(webhooks as JsonObject))
        t.same(fields, { 'f:clientConfig': { 'f:caBundle': {} } })
      const others = managers.filter((manager) => !ours.includes(manager))
      t.notMatch(JSON.stringify(others), /caBundle/)
    }
    const managers = arrayMember(
      memberAt(await read(SECRET, '-n', NAMESPACE, '--show-managed-fields'), 'metadata'),
      'managedFields',
    )
    const writers = managers.filter((manager) => memberAt(manager, 'fieldsV1', 'f:data') !== undefined)
    t.same(
      writers.map((manager) => member(manager, 'manager')),
      ['istio-onramp-certificates'],
    )
  },
)

t.test('an authority is rotated, certificates are renewed, and no create fails', async (t) => {
  const { 'tls.crt': before = '' } = await secret()
  const old = new X509Certificate(before).fingerprint256
  const signed = await steps('signed')
  let now = ''
  const load = await createDuring(
    async () => {
      const isOver = async () => {
        now = new X509Certificate((await secret())['tls.crt'] ?? '').fingerprint256
        return now !== old && !(await trusted()).flat().includes(old)
      }
      // Two minutes until the next one is made, ten seconds until it signs, and the lifetime of a certificate after that.
      for (let minute = 0; minute < 5 && !(await isOver()); minute++) await until('', isOver).catch(() => undefined)
    },
    { dryRun: true },
  )
  t.same(failuresOf(load), [])
  t.ok(load.rewritten > 1000)
  t.not(now, old, 'the authority is another one')
  t.ok((await steps('signed')) >= signed + 6, 'each replica has renewed several times')
  t.equal((await trusted()).flat().includes(old), false, 'the old one is no longer trusted')
  for (const server of stand.servers()) t.equal(await server.metric(/^istio_onramp_certificate_failures_total/), 0)
})

t.test('a Secret that is deleted is restored within a minute, and no create fails', async (t) => {
  const before = await secret()
  const load = await createDuring(
    async () => {
      await done(['delete', SECRET, '-n', NAMESPACE])
      await until('it is back', async () => (await kubectl(['get', SECRET, '-n', NAMESPACE])).status === 0)
    },
    { dryRun: true },
  )
  t.same(failuresOf(load), [])
  t.equal((await secret())['tls.key'], before['tls.key'], 'with the same authority')
  const labels = memberAt(await read(SECRET, '-n', NAMESPACE), 'metadata', 'labels', 'app.kubernetes.io/managed-by')
  t.equal(labels, 'Helm', 'so that an upgrade takes it for its own')
})

t.test('a Secret that is damaged is restored', async () => {
  const { 'tls.key': key } = await secret()
  await done(['patch', SECRET, '-n', NAMESPACE, '-p', JSON.stringify({ stringData: { 'tls.key': 'no key' } })])
  await until('it is whole', async () => (await secret())['tls.key'] === key)
})

t.test('Ignore: bundles that are emptied are healed within a minute, and no create is refused', async (t) => {
  await stand.upgrade(IGNORE)
  const load = await createDuring(
    async () => {
      await emptyBundles()
      await until('they are back', async () => (await trusted()).every((bundle) => bundle.length > 0))
      await meshNamespace('healed')
    },
    { dryRun: true },
  )
  t.same(load.refused, [])
  t.comment(`${load.unchanged} pods passed unchanged while the bundles were empty`)
  t.ok(load.rewritten > load.unchanged)
})

t.test('a replica that was stopped past the end of its certificate has another as soon as it runs', async (t) => {
  const [stopped] = stand.servers()
  if (stopped === undefined) throw new Error('no server')
  const before = await served(stopped)
  const load = await createDuring(
    async () => {
      process.kill(stopped.pid ?? 0, 'SIGSTOP')
      await sleep(Math.max(0, Date.parse(before.validTo) - Date.now()) + 3000)
      process.kill(stopped.pid ?? 0, 'SIGCONT')
      await until('it is ready', () => stopped.isReady())
    },
    { dryRun: true },
  )
  t.same(load.refused, [])
  const after = await served(stopped)
  t.ok(Date.parse(after.validTo) > Date.now())
  t.not(after.fingerprint256, before.fingerprint256)
})

t.test(
  'from cert-manager to selfManaged no create fails: the old authority stays trusted while its pods run',
  async (t) => {
    const bin = spawnSync(join(import.meta.dirname, '../../hack/cluster/build'), ['cert-manager'], { encoding: 'utf8' })
    for (const kind of ['certificates', 'issuers'])
      await done(['create', '-f', join(bin.stdout.trim(), `cert-manager-crds/cert-manager.io_${kind}.yaml`)])
    await until('they are served', async () => (await kubectl(['get', 'certificates,issuers', '-A'])).status === 0)
    // In the place of cert-manager and its cainjector.
    const issued = await createCertificate()
    await done(['delete', 'secret', `${NAME}-tls`, '-n', NAMESPACE, '--ignore-not-found'])
    await useCertificate(issued, `${NAME}-tls`)
    const upgraded = stand.upgrade({ ...IGNORE, certificates: { mode: 'certManager' } })
    for (const kind of KINDS) await inject(kind, issued.ca)
    await upgraded
    await stand.upgrade({ ...FAIL, certificates: { mode: 'certManager' } })
    const load = await createDuring(() => stand.upgrade({ ...FAIL, ...SELF_MANAGED }), { dryRun: true })
    t.same(failuresOf(load), [])
    const [foreign] = readCertificates(issued.ca)
    for (const bundle of await trusted()) t.ok(bundle.includes(foreign?.fingerprint ?? ''), 'it is still trusted')
  },
)

async function inject(kind: string, ca: string): Promise<void> {
  const value = Buffer.from(ca).toString('base64')
  const { length } = arrayMember(await read(`${kind}/istio-onramp`), 'webhooks')
  const patch = Array.from({ length }, (_, index) => ({
    op: 'add',
    path: `/webhooks/${index}/clientConfig/caBundle`,
    value,
  }))
  await done(['patch', `${kind}/istio-onramp`, '--type=json', '-p', JSON.stringify(patch)])
}

t.test(
  'to existingSecret with both authorities in the bundle no create fails; the Secret of the mode is gone',
  async (t) => {
    const pair = await createCertificate()
    await useCertificate(pair)
    const { 'tls.crt': own = '', 'next.crt': next = '' } = await secret()
    const load = await createDuring(() => stand.upgrade({ ...FAIL, ...certificates(`${pair.ca}\n${own}\n${next}`) }), {
      dryRun: true,
    })
    t.same(failuresOf(load), [])
    t.not((await kubectl(['get', SECRET, '-n', NAMESPACE])).status, 0)
  },
)

t.test('and back: under Ignore no create is refused while Helm has taken its bundle away', async (t) => {
  const load = await createDuring(() => stand.upgrade({ ...IGNORE, ...SELF_MANAGED }), { dryRun: true })
  t.same(load.refused, [])
  t.comment(`${load.unchanged} pods passed unchanged meanwhile`)
  const { 'tls.crt': pem = '' } = await secret()
  const { fingerprint256 } = new X509Certificate(pem)
  for (const bundle of await trusted()) t.ok(bundle.includes(fingerprint256))
})
