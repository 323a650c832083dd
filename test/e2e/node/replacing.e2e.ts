// The server is replaced, and its certificate renewed, while pods are created without a pause. hack/chart/on-node runs
// this twice: with the API server calling the Service's address, and the pods' own.
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:tls'
import t from 'tap'
import { NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { done, release, uninstall } from '../../support/api-server/kubectl.ts'
import {
  createProbed,
  isRewritten,
  prepare,
  rolledOut,
  serverPods,
  shopIsStrict,
  sign,
  storeSecret,
  until,
  valuesFor,
} from '../support/node/release.ts'
import { startLoad, type LoadResult } from '../support/node/load.ts'

const DEBUGGING = { config: { logLevel: 'debug' } }
const pair = await prepare()
release('install', valuesFor(pair))
t.teardown(() => uninstall())
await rolledOut()
await shopIsStrict()

async function loadDuring(change: () => Promise<void>): Promise<LoadResult> {
  const load = startLoad('shop')
  await change()
  return await load.stop()
}

async function podNames(): Promise<readonly string[]> {
  return (await serverPods()).map(({ metadata }) => String(metadata?.name)).toSorted()
}

t.test('they are replaced under load, and no creation fails or goes unseen', async (t) => {
  const replacements: readonly (readonly [string, () => Promise<void>])[] = [
    ['rollout restart', async () => void (await done(['rollout', 'restart', `deployment/${NAME}`, '-n', NAMESPACE]))],
    ['helm upgrade', async () => void release('upgrade', valuesFor(pair, DEBUGGING))],
  ]
  for (const [title, replace] of replacements) {
    const names = await podNames()
    const { created, unpatched, failures } = await loadDuring(async () => {
      await replace()
      await rolledOut()
    })
    t.comment(`${title}: ${created} pods created meanwhile`)
    t.ok(created > 100, `${title}: there was load: ${created}`)
    t.same(failures, [], title)
    t.equal(unpatched, 0, title)
    t.notOk(
      (await serverPods()).some(({ metadata }) => names.includes(String(metadata?.name))),
      `${title}: all of them are new`,
    )
  }
})

t.test('a renewed certificate is served without a restart, and no creation fails meanwhile', async (t) => {
  const renewed = await sign()
  const names = await podNames()
  const { failures, unpatched } = await loadDuring(async () => {
    const both = { ...renewed, ca: `${pair.ca}\n${renewed.ca}` }
    release('upgrade', valuesFor(both, DEBUGGING))
    await storeSecret('tls', renewed)
    const { fingerprint256 } = new X509Certificate(renewed.cert)
    await until('both serve the new one', async () => {
      return (await servedFingerprints()).every((served) => served === fingerprint256)
    })
    release('upgrade', valuesFor(renewed, DEBUGGING))
    await until('the new authority alone is trusted', async () => isRewritten(await createProbed('shop')))
  })
  t.same(failures, [])
  t.equal(unpatched, 0)
  t.same(await podNames(), names, 'the same pods')
})

async function servedFingerprints(): Promise<readonly string[]> {
  const addresses = (await serverPods()).map(({ status }) => String(status?.podIP))
  return await Promise.all(addresses.map(servedFingerprint))
}

async function servedFingerprint(host: string): Promise<string> {
  const socket = connect({ host, port: 10250, rejectUnauthorized: false })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerCertificate().fingerprint256
  } finally {
    socket.destroy()
  }
}
