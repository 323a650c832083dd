// Two replicas with the stop of the chart's defaults under load, with everything done to them that a cluster does: one is
// deleted, all are rolled out again, the certificate and its authority are replaced. failurePolicy is Fail, so that every
// call that fails is a create that fails (docs/facts/operations.md#shutdown, docs/facts/admission-requests.md#draining).
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api } from '@kubernetes/client-node'
import t from 'tap'
import { connect } from '../support/api-server/client.ts'
import { NAME, NAMESPACE } from '../support/api-server/helm.ts'
import { done } from '../support/api-server/kubectl.ts'
import { createDuring, failuresOf } from './support/creates.ts'
import { certificates, createCertificate, meshNamespace, standUp, until, useCertificate } from './support/stand.ts'

const FIRST = await createCertificate()
const VALUES = {
  replicas: 2,
  preStopSeconds: 5,
  config: { shutdown: { drainSeconds: 15, idleSeconds: 5 }, rules: { probes: 'exec' } },
  webhooks: { pods: { failurePolicy: 'Fail' } },
}
const stand = await standUp({ ...VALUES, ...certificates(FIRST.ca) }, FIRST)
await meshNamespace('load')

async function names(): Promise<readonly string[]> {
  const { items } = await connect().makeApiClient(CoreV1Api).listNamespacedPod({ namespace: NAMESPACE })
  return items.map(({ metadata }) => metadata?.name ?? '')
}

t.test('a replica that is deleted takes no create with it: 0 of 2,000', async (t) => {
  const [leaving = ''] = await names()
  const load = await createDuring(
    async () => {
      await sleep(1000)
      await done(['delete', 'pod', leaving, '-n', NAMESPACE])
      await done(['rollout', 'status', `deployment/${NAME}`, '-n', NAMESPACE, '--timeout=120s'])
    },
    { least: 2000 },
  )
  t.same(failuresOf(load), [])
  t.ok(load.rewritten >= 2000)
  t.notOk((await names()).includes(leaving), 'it is gone, and another is in its place')
  t.equal(stand.servers().length, 2)
})

t.test('a new configuration rolls out under load without a failed create', async (t) => {
  const before = await names()
  const load = await createDuring(async () => {
    await stand.upgrade({ ...VALUES, config: { ...VALUES.config, logLevel: 'warn' } })
    await until('the old pods are gone', async () => (await names()).every((name) => !before.includes(name)))
  })
  t.same(failuresOf(load), [])
})

// As a rotation has to go: the API server trusts both authorities before a server shows a certificate of the new one.
t.test('the certificate and its authority are replaced under load without a failed create', async (t) => {
  const second = await createCertificate()
  const values = { ...VALUES, config: { ...VALUES.config, logLevel: 'warn' } }
  const expiry = /^istio_onramp_certificate_reloads_total\{result="loaded"\}/
  const load = await createDuring(async () => {
    await stand.upgrade({ ...values, ...certificates(`${FIRST.ca}\n${second.ca}`) })
    await useCertificate(second)
    await until('every server has loaded it', async () => {
      const loaded = await Promise.all(stand.servers().map((server) => server.metric(expiry)))
      return loaded.every((count) => count === 1)
    })
    await stand.upgrade({ ...values, ...certificates(second.ca) })
    await sleep(1000)
  })
  t.same(failuresOf(load), [])
  for (const server of stand.servers()) t.equal(await server.metric(/certificate_reloads_total\{result="refused"\}/), 0)
})
