// What the product is for, on a real node with real sidecars: pods that STRICT would break, admitted by the chart's own
// webhook, are ready, whichever way the prober comes into them. What a rewritten check is worth in all its kinds is
// prober.e2e.ts's; hack/chart/on-node starts all of it, with an Istio that does not rewrite probes itself.
import type { V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { done, release, uninstall } from '../../support/api-server/kubectl.ts'
import {
  core,
  isReady,
  prepare,
  rolledOut,
  SERVER_IMAGE,
  shopIsStrict,
  until,
  valuesFor,
} from '../support/node/release.ts'

const DELIVERIES = ['image-volume', 'init-container'] as const
/** Answers 200 at /up and 500 elsewhere. */
const APPLICATION = `
  require('node:http').createServer(({ url }, answer) => answer.writeHead(url === '/up' ? 200 : 500).end()).listen(8080)
  process.on('SIGTERM', () => process.exit())
`
const LOCKED_DOWN = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  runAsNonRoot: true,
  runAsUser: 65532,
  seccompProfile: { type: 'RuntimeDefault' },
}

const pair = await prepare()
release('install', configured('image-volume'))
t.teardown(() => uninstall())

function configured(delivery: string): JsonObject {
  return valuesFor(pair, { replicas: 1, config: { rules: { prober: { delivery, pullPolicy: 'Never' } } } })
}

function check(path: string): JsonObject {
  return { httpGet: { path, port: 8080 }, periodSeconds: 1, failureThreshold: 2 }
}

async function run(name: string, probes: JsonObject, securityContext: JsonObject = {}, annotations: JsonObject = {}) {
  const command = ['node', '-e', APPLICATION]
  const app = { name: 'app', image: SERVER_IMAGE, imagePullPolicy: 'Never', command, securityContext, ...probes }
  const metadata = { name, namespace: 'shop', annotations }
  const spec = { containers: [app], terminationGracePeriodSeconds: 1 }
  await done(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'Pod', metadata, spec })
}

async function pod(name: string): Promise<V1Pod> {
  return await core.readNamespacedPod({ namespace: 'shop', name })
}

async function messagesOf(name: string): Promise<string> {
  const columns = 'custom-columns=MESSAGE:.message'
  return await done(['get', 'events', '-n', 'shop', `--field-selector=involvedObject.name=${name}`, '-o', columns])
}

async function becomesReady(name: string): Promise<boolean> {
  await done(['wait', `pod/${name}`, '-n', 'shop', '--for=condition=Ready', '--timeout=90s']).catch(() => undefined)
  return isReady(await pod(name))
}

t.test('without us the check is reset by the sidecar, and the pod never ready', async (t) => {
  await rolledOut()
  await shopIsStrict()
  await run('left', { readinessProbe: check('/up') }, {}, { 'istio-onramp.io/probes': 'off' })
  await until('kubelet has tried', async () => (await messagesOf('left')).includes('Readiness probe failed'))
  t.match(await messagesOf('left'), /Readiness probe failed: Get "http:.*connection reset by peer/)
  t.notOk(isReady(await pod('left')))
})

for (const delivery of DELIVERIES)
  t.test(`prober by ${delivery}: what is well is ready, and what is ill is not`, async (t) => {
    release('upgrade', configured(delivery))
    await rolledOut()
    await shopIsStrict()
    const well = { startupProbe: check('/up'), readinessProbe: check('/up'), livenessProbe: check('/up') }
    await run(`well-${delivery}`, well)
    await run(`locked-${delivery}`, well, LOCKED_DOWN)
    await run(`ill-${delivery}`, { readinessProbe: check('/down') })

    for (const name of [`well-${delivery}`, `locked-${delivery}`]) {
      t.ok(await becomesReady(name), `${name} is ready`)
      const { spec } = await pod(name)
      const kinds = [spec?.volumes?.some(({ image }) => image !== undefined), spec?.initContainers?.some(isInstaller)]
      t.same(kinds, [delivery === 'image-volume', delivery === 'init-container'], 'delivered as configured')
    }
    await until('kubelet has judged', async () =>
      (await messagesOf(`ill-${delivery}`)).includes('Readiness probe failed'),
    )
    t.match(await messagesOf(`ill-${delivery}`), /Readiness probe failed: .*statuscode: 500/)
    t.notOk(isReady(await pod(`ill-${delivery}`)))
    for (const { restartCount } of (await pod(`well-${delivery}`)).status?.containerStatuses ?? [])
      t.equal(restartCount, 0, 'what is well was left running')
    await done(['delete', 'pods', '-n', 'shop', '--all', '--wait=false'])
  })

function isInstaller({ name }: { readonly name: string }): boolean {
  return name === 'istio-onramp-prober'
}
