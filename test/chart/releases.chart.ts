// What a release goes through, by the helm of HELM on a real API server: every example installed, upgraded, rolled back and
// taken away; taken over from another tool; and the mode of its certificates changed in every direction while cert-manager's
// cainjector or our servers own caBundle. hack/chart/test runs it with Helm 3, hack/chart/full with Helm 4, whose server-side
// apply refuses to take a field from another owner.
import { basename } from 'node:path'
import t, { type Test } from 'tap'
import { arrayMember, isObject, member, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { CI_VALUES, helm, NAMESPACE, render } from '../support/api-server/helm.ts'
import { SERVING } from '../support/api-server/objects.ts'
import { createNamespace, done, kubeconfig, release, rollback, uninstall } from '../support/api-server/kubectl.ts'
import { installOperatorKinds, ours } from '../support/api-server/ours.ts'

for (const name of [NAMESPACE, 'istio-system', 'istio-canary']) await createNamespace(name)
await installOperatorKinds()
const VERSION = helm(['version', '--short']).stdout.trim()
const IS_HELM_4 = VERSION.startsWith('v4')
t.comment(VERSION)

t.afterEach(
  () =>
    void helm(['uninstall', 'onramp', '--namespace', NAMESPACE, '--ignore-not-found', '--kubeconfig', kubeconfig()]),
)

async function deployment(): Promise<Json | undefined> {
  const list = JSON.parse(await done(['get', 'deployment', '-n', NAMESPACE, '-o', 'json'])) as Json
  return arrayMember(list, 'items')[0]
}

t.test('each example installs, upgrades, rolls back, and leaves nothing behind', async (t) => {
  for (const file of CI_VALUES) {
    t.match(release('install', {}, [file]), /STATUS: deployed/, basename(file))
    t.match(await ours(), /deployment\.apps\//, basename(file))
    const before = memberAt(await deployment(), 'spec', 'revisionHistoryLimit')
    release('upgrade', { revisionHistoryLimit: 4, config: { logLevel: 'trace' } }, [file])
    t.equal(memberAt(await deployment(), 'spec', 'revisionHistoryLimit'), 4)
    rollback(1)
    t.equal(memberAt(await deployment(), 'spec', 'revisionHistoryLimit'), before, `${basename(file)}: as it was`)
    release('upgrade', {}, [file])
    uninstall()
    t.equal(await ours(), '', basename(file))
  }
})

t.test(
  '--take-ownership takes over what another tool has created, with client-side or server-side apply',
  async (t) => {
    for (const file of CI_VALUES)
      for (const how of [['create'], ['apply', '--server-side', '--field-manager=other']]) {
        const objects = render({ files: [file] })
        const list = { apiVersion: 'v1', kind: 'List', items: objects as unknown as JsonObject[] }
        await done([...how, '-f', '-'], list)
        const title = `${basename(file)} after ${how[0] ?? ''}`
        t.match(release('install', {}, [file], ['--take-ownership']), /STATUS: deployed/, title)
        // A value that changes belongs to the other tool until Helm 4 has taken it, once.
        release('upgrade', { revisionHistoryLimit: 4 }, [file], IS_HELM_4 ? ['--force-conflicts'] : [])
        release('upgrade', { revisionHistoryLimit: 5 }, [file])
        uninstall()
        t.equal(await ours(), '', title)
      }
  },
)

const KINDS = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'] as const
const EXISTING = { existingSecret: { name: 'tls', caBundle: SERVING.ca } }
const MODES = ['certManager', 'selfManaged', 'existingSecret'] as const
type Mode = (typeof MODES)[number]
/** Who writes caBundle at runtime. */
const WRITERS = { certManager: 'cert-manager-cainjector', selfManaged: 'istio-onramp-certificates' } as const

function values(mode: Mode): JsonObject {
  return { certificates: { mode, ...(mode === 'existingSecret' ? EXISTING : {}) } }
}

async function configurations(): Promise<readonly JsonObject[]> {
  const list = JSON.parse(await done(['get', KINDS.join(','), '-o', 'json', '--show-managed-fields'])) as Json
  return arrayMember(list, 'items').filter(isObject)
}

/** As cainjector and our servers do it: an update of that one field, by a manager of their own. */
async function writeBundles(mode: Mode, caBundle: string): Promise<void> {
  if (mode === 'existingSecret') return
  for (const configuration of await configurations()) {
    const patch = arrayMember(configuration, 'webhooks').map((_, index) => ({
      op: 'add',
      path: `/webhooks/${index}/clientConfig/caBundle`,
      value: Buffer.from(caBundle).toString('base64'),
    }))
    const name = `${String(configuration['kind']).toLowerCase()}/${String(memberAt(configuration, 'metadata', 'name'))}`
    await done(['patch', name, '--type=json', `--field-manager=${WRITERS[mode]}`, '-p', JSON.stringify(patch)])
  }
}

async function bundles(): Promise<readonly string[]> {
  return (await configurations())
    .flatMap((configuration) => arrayMember(configuration, 'webhooks'))
    .map((webhook) => Buffer.from(String(memberAt(webhook, 'clientConfig', 'caBundle') ?? ''), 'base64').toString())
}

const CHANGES = MODES.flatMap((from) => MODES.filter((to) => to !== from).map((to) => [from, to] as const))

t.test('certificates.mode changes in every direction, and back, without a conflict', async (t) => {
  for (const [from, to] of CHANGES) await changeMode(t, from, to)
})

async function changeMode(t: Test, from: Mode, to: Mode): Promise<void> {
  const title = `${from} to ${to}`
  release('install', values(from))
  await writeBundles(from, `the bundle of ${from}`)
  t.match(release('upgrade', { ...values(from), revisionHistoryLimit: 4 }), /STATUS: deployed/, `${title}: before`)
  t.match(release('upgrade', values(to)), /STATUS: deployed/, title)
  t.equal((await configurations()).length, 2, `${title}: one configuration of each kind`)
  // From cert-manager the bundle stays until the servers have added theirs, so that no call fails meanwhile.
  const kept = from === 'certManager' || from === 'selfManaged' ? `the bundle of ${from}` : ''
  const expected = to === 'existingSecret' ? SERVING.ca : kept
  t.same(new Set(await bundles()), new Set([expected]), title)
  await writeBundles(to, `the bundle of ${to}`)
  t.match(release('upgrade', { ...values(to), revisionHistoryLimit: 5 }), /STATUS: deployed/, `${title}: after`)
  rollback(1)
  t.equal(memberAt(await deployment(), 'spec', 'revisionHistoryLimit'), 5, `${title}: rolled back`)
  uninstall()
  t.equal(await ours(), '', title)
}

t.test('the bundle that is written at runtime survives an upgrade, and Helm never owns it', async (t) => {
  for (const mode of ['certManager', 'selfManaged'] as const) {
    release('install', values(mode))
    await writeBundles(mode, 'written')
    release('upgrade', { ...values(mode), webhooks: { pods: { timeoutSeconds: 9 } } })
    t.same(new Set(await bundles()), new Set(['written']), mode)
    for (const configuration of await configurations()) {
      const managers = arrayMember(memberAt(configuration, 'metadata'), 'managedFields')
      const owners = managers.filter((manager) => JSON.stringify(member(manager, 'fieldsV1')).includes('f:caBundle'))
      t.same(
        owners.map((manager) => member(manager, 'manager')),
        [WRITERS[mode]],
        mode,
      )
    }
    uninstall()
  }
})

t.test('a namespace that the cluster does not have is named before anything is created', async (t) => {
  for (const [values, says] of [
    [
      { controlPlaneNamespaces: ['istio-system', 'nowhere'] },
      /controlPlaneNamespaces names nowhere, which this cluster/,
    ],
    [{ podMonitor: { enabled: true, namespace: 'nowhere' } }, /podMonitor\.namespace is nowhere, which this cluster/],
    [{ dashboard: { enabled: true, namespace: 'nowhere' } }, /dashboard\.namespace is nowhere, which this cluster/],
  ] as const) {
    t.throws(() => release('install', values), says)
    t.equal(await ours(), '')
  }
})
