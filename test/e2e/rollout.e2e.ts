// Two replicas with the stop of the chart's defaults under load, with everything done to them that a cluster does: one is
// deleted, all are rolled out again, the certificate and its authority are replaced. failurePolicy is Fail, so that every
// call that fails is a create that fails (docs/facts/operations.md#shutdown, docs/facts/admission-requests.md#draining).
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api, type V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import { connect, messageOf } from '../support/api-server/client.ts'
import { NAME, NAMESPACE } from '../support/api-server/helm.ts'
import { done } from '../support/api-server/kubectl.ts'
import { CONTAINER, handlerOf } from './support/manifests.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { certificates, createCertificate, meshNamespace, standUp, until, useCertificate } from './support/stand.ts'

const CONCURRENT = 4
const FIRST = await createCertificate()
const VALUES = {
  replicas: 2,
  preStopSeconds: 5,
  config: { shutdown: { drainSeconds: 15, idleSeconds: 5 }, rules: { probes: 'exec' } },
  webhooks: { pods: { failurePolicy: 'Fail' } },
}
const stand = await standUp({ ...VALUES, ...certificates(FIRST.ca) }, FIRST)
await meshNamespace('load')

/** With its sidecar in the manifest: in the mesh, and not in need of istiod, whose work would be most of the load. */
const WITH_SIDECAR: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    generateName: 'web-',
    labels: { 'sidecar.istio.io/inject': 'false' },
    annotations: { 'sidecar.istio.io/status': '{}' },
  },
  spec: {
    initContainers: [
      { name: 'istio-init', image: 'proxyv2', args: ['istio-iptables', '-b', '*', '-d', '15090,15021,15020'] },
    ],
    containers: [CONTAINER, { name: 'istio-proxy', image: 'proxyv2', args: ['proxy', 'sidecar'] }],
  },
}

interface Load {
  /** Creates that the API server has answered with success. */
  created: number
  /** What the failed ones were answered, and what was stored without having been rewritten. */
  readonly failed: string[]
}

/** Creates pods without a pause for as long as `during` takes, and at least as many as `least`. */
async function underLoad(least: number, during: () => Promise<void>): Promise<Load> {
  const load: Load = { created: 0, failed: [] }
  let isOver = false
  const core = connect().makeApiClient(CoreV1Api)
  const body = WITH_SIDECAR as unknown as V1Pod
  const work = async (): Promise<void> => {
    while (!isOver || load.created < least) {
      try {
        const stored = await core.createNamespacedPod({ namespace: 'load', body })
        if (handlerOf(JSON.parse(JSON.stringify(stored)) as Json) === 'exec prober') load.created += 1
        else load.failed.push('not rewritten')
      } catch (error) {
        load.failed.push(messageOf(error))
      }
    }
  }
  const workers = Array.from({ length: CONCURRENT }, work)
  await during().finally(() => (isOver = true))
  await Promise.all(workers)
  t.comment(`${load.created} creates`)
  return load
}

async function names(): Promise<readonly string[]> {
  const { items } = await connect().makeApiClient(CoreV1Api).listNamespacedPod({ namespace: NAMESPACE })
  return items.map(({ metadata }) => metadata?.name ?? '')
}

t.test('a replica that is deleted takes no create with it: 0 of 2,000', async (t) => {
  const [leaving = ''] = await names()
  const load = await underLoad(2000, async () => {
    await sleep(1000)
    await done(['delete', 'pod', leaving, '-n', NAMESPACE])
    await done(['rollout', 'status', `deployment/${NAME}`, '-n', NAMESPACE, '--timeout=120s'])
  })
  t.same(load.failed, [])
  t.ok(load.created >= 2000)
  t.notOk((await names()).includes(leaving), 'it is gone, and another is in its place')
  t.equal(stand.servers().length, 2)
})

t.test('a new configuration rolls out under load without a failed create', async (t) => {
  const before = await names()
  const load = await underLoad(0, async () => {
    await stand.upgrade({ ...VALUES, config: { ...VALUES.config, logLevel: 'warn' } })
    await until('the old pods are gone', async () => (await names()).every((name) => !before.includes(name)))
  })
  t.same(load.failed, [])
})

// As a rotation has to go: the API server trusts both authorities before a server shows a certificate of the new one.
t.test('the certificate and its authority are replaced under load without a failed create', async (t) => {
  const second = await createCertificate()
  const values = { ...VALUES, config: { ...VALUES.config, logLevel: 'warn' } }
  const expiry = /^istio_onramp_certificate_reloads_total\{result="loaded"\}/
  const load = await underLoad(0, async () => {
    await stand.upgrade({ ...values, ...certificates(`${FIRST.ca}\n${second.ca}`) })
    await useCertificate(second)
    await until('every server has loaded it', async () => {
      const loaded = await Promise.all(stand.servers().map((server) => server.metric(expiry)))
      return loaded.every((count) => count === 1)
    })
    await stand.upgrade({ ...values, ...certificates(second.ca) })
    await sleep(1000)
  })
  t.same(load.failed, [])
  for (const server of stand.servers()) t.equal(await server.metric(/certificate_reloads_total\{result="refused"\}/), 0)
})
