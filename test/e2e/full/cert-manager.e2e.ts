// The chart's default with cert-manager's own controllers and cainjector, two replicas and lifetimes of a minute: issued,
// injected, rotated, and changed to the other modes and back. Where failurePolicy is Fail, every call that fails is a create
// that fails. hack/chart/full runs it, with Helm 4.
import { spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { readCertificates } from '../../../src/certificates/authority.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { CONFIGURATION, helm } from '../../support/api-server/helm.ts'
import { createNamespace, done, kubeconfig } from '../../support/api-server/kubectl.ts'
import { createDuring, failuresOf, type Creates } from '../support/creates.ts'
import { certificates, createCertificate, meshNamespace, standUp, until, useCertificate } from '../support/stand.ts'
import { bundles, served, trusted } from '../support/trust.ts'

t.comment(helm(['version', '--short']).stdout.trim())
await startCertManager()

const policy = (failurePolicy: 'Fail' | 'Ignore'): JsonObject => ({
  webhooks: { pods: { failurePolicy }, templates: { failurePolicy } },
})
const CALM = { replicas: 2, preStopSeconds: 5, config: { shutdown: { drainSeconds: 15 }, rules: { probes: 'exec' } } }
const certManager = (options: JsonObject = {}): JsonObject => ({
  certificates: { mode: 'certManager', certManager: options },
})
const SELF_MANAGED = { certificates: { mode: 'selfManaged' } }
/** cert-manager renews when only renewBefore is left: twenty seconds after the issue. */
const LEAF = { duration: '1h', renewBefore: '59m40s' }
const AUTHORITY = { authority: { duration: '2h', renewBefore: '1h59m20s' } }

const stand = await standUp({ ...CALM, ...certManager(), ...policy('Ignore') })
await meshNamespace('load')

/** In the place of cert-manager's three Deployments. */
async function startCertManager(): Promise<void> {
  const build = join(import.meta.dirname, '../../../hack/cluster/build')
  const parts = ['cert-manager', 'cert-manager-controllers']
  const bin = spawnSync(build, parts, { encoding: 'utf8' }).stdout.trim()
  // With the slash, because the folder is a link.
  await done(['create', '-f', `${join(bin, 'cert-manager-crds')}/`])
  await done(['wait', '--for=condition=Established', 'crd', '--all'])
  await createNamespace('cert-manager')
  const log = openSync(join(dirname(kubeconfig()), 'cert-manager.log'), 'a')
  const child = spawn(join(bin, 'cert-manager'), [kubeconfig()], { stdio: ['ignore', log, log] })
  closeSync(log)
  t.teardown(() => void child.kill())
}

async function leaves(): Promise<readonly X509Certificate[]> {
  return await Promise.all(stand.servers().map(served))
}

/** Whether every server presents a certificate that every bundle trusts. */
async function isWhole(name?: string): Promise<boolean> {
  const [certificates, trusting] = await Promise.all([leaves(), bundles(name)])
  const verifies = (leaf: X509Certificate, bundle: string) =>
    authoritiesIn(bundle).some(({ publicKey }) => leaf.verify(publicKey))
  return certificates.length === 2 && certificates.every((leaf) => trusting.every((bundle) => verifies(leaf, bundle)))
}

function authoritiesIn(bundle: string): readonly X509Certificate[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  )
}

/** Under Ignore: nothing is refused, and what passed unpatched is counted. */
function checkIgnored(t: Test, { refused, rewritten, unchanged }: Creates): void {
  t.same(refused, [])
  t.comment(`${unchanged} of ${rewritten + unchanged} pods passed unchanged`)
  t.ok(rewritten > 0)
}

t.test('cert-manager issues, cainjector injects, and pods are rewritten', async (t) => {
  t.ok(await isWhole())
  t.match(await done(['get', 'certificate', '-n', 'onramp', '--no-headers']), /True/)
})

t.test('certificates are renewed every twenty seconds, and no create fails', async (t) => {
  await stand.upgrade({ ...certManager(LEAF), ...policy('Fail') })
  const seen = new Set<string>()
  const load = await createDuring(
    async () => {
      for (let minute = 0; minute < 4 && seen.size < 6; minute++)
        await until('', async () => {
          for (const { fingerprint256 } of await leaves()) seen.add(fingerprint256)
          return seen.size >= 6
        }).catch(() => undefined)
    },
    { dryRun: true },
  )
  t.ok(seen.size >= 6, `${seen.size} certificates were presented`)
  t.same(failuresOf(load), [])
})

// cainjector adds a new authority to the old ones (its feature CAInjectorMerging, on since 1.19), so both are trusted while the
// pods still mount what the old one signed.
t.test('authorities are renewed every forty seconds, and no create fails', async (t) => {
  const before = new Set((await trusted()).flat())
  const isNew = (bundle: readonly string[]) => bundle.filter((one) => !before.has(one)).length >= 2
  const load = await createDuring(
    async () => {
      await stand.upgrade({ ...certManager({ ...LEAF, ...AUTHORITY }), ...policy('Fail') })
      const isRotated = async () => (await trusted()).every(isNew)
      for (let minute = 0; minute < 4 && !(await isRotated()); minute++)
        await until('', isRotated).catch(() => undefined)
      t.ok(await isRotated(), 'two more are trusted')
      await stand.upgrade({ ...certManager(), ...policy('Fail') })
      await until('the servers present what they signed', isWhole)
    },
    { dryRun: true },
  )
  t.same(failuresOf(load), [])
})

t.test('to selfManaged no create fails', async (t) => {
  await stand.upgrade({ ...certManager(), ...policy('Fail') })
  const foreign = readCertificates((await bundles())[0] ?? '')[0]?.fingerprint ?? 'none'
  const load = await createDuring(() => stand.upgrade({ ...SELF_MANAGED, ...policy('Fail') }), { dryRun: true })
  t.same(failuresOf(load), [])
  for (const bundle of await trusted()) t.ok(bundle.includes(foreign), 'the authority of before is still trusted')
})

t.test('and back no create fails: cainjector adds its authority to what is there', async (t) => {
  const load = await createDuring(
    async () => {
      await stand.upgrade({ ...certManager(), ...policy('Fail') })
      await until('the servers present what the bundle trusts', isWhole)
    },
    { dryRun: true },
  )
  t.same(failuresOf(load), [])
})

t.test('to existingSecret with both authorities in its bundle no create fails', async (t) => {
  await stand.upgrade({ ...certManager(), ...policy('Fail') })
  const pair = await createCertificate()
  await useCertificate(pair)
  const both = `${pair.ca}\n${(await bundles())[0] ?? ''}`
  const load = await createDuring(() => stand.upgrade({ ...certificates(both), ...policy('Fail') }), { dryRun: true })
  t.same(failuresOf(load), [])
  t.equal(
    (await bundles(CONFIGURATION)).every((pem) => pem.includes(pair.ca.trim())),
    true,
  )
})

t.test('and back: nothing is refused, and it is healed within a minute', async (t) => {
  const load = await createDuring(
    async () => {
      await stand.upgrade({ ...certManager(), ...policy('Ignore') })
      await until('the servers present what the bundle trusts', isWhole)
    },
    { dryRun: true },
  )
  checkIgnored(t, load)
})
