// Ten thousand creates while everything happens to the webhook that happens in a cluster: two replicas with certificates of
// their own, which live for a minute. failurePolicy is Fail where no call may fail, so that a call that fails is a create that
// fails; and Ignore where calls must fail, so that pods that pass unchanged are counted. hack/chart/full runs it.
import { execFile } from 'node:child_process'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { CoreV1Api } from '@kubernetes/client-node'
import t, { type Test } from 'tap'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { connect } from '../../support/api-server/client.ts'
import { NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { done, kubeconfig, kubectl } from '../../support/api-server/kubectl.ts'
import { createDuring, failuresOf, type Creates } from '../support/creates.ts'
import { NODE } from '../support/node.ts'
import { certificates, createCertificate, meshNamespace, standUp, until, useCertificate } from '../support/stand.ts'
import { bundles, emptyBundles, trusted } from '../support/trust.ts'

const LEAST = 10_000
const HEALED_MS = 60_000
const SECRET = `secret/${NAME}-self-managed`
const FOLDER = dirname(kubeconfig())
const CALM = { replicas: 2, preStopSeconds: 5, config: { shutdown: { drainSeconds: 15 }, rules: { probes: 'exec' } } }
const SELF_MANAGED = {
  certificates: {
    mode: 'selfManaged',
    selfManaged: { authorityDuration: '3m', leafDuration: '1m', trustDelay: '10s' },
  },
}
const policy = (failurePolicy: 'Fail' | 'Ignore'): JsonObject => ({
  webhooks: { pods: { failurePolicy }, templates: { failurePolicy } },
})

const stand = await standUp({ ...CALM, ...SELF_MANAGED, ...policy('Fail') })
await meshNamespace('load')
const lines: string[] = []
let total = 0

/** Creates pods during `act`, and at least `least`; notes what became of them. */
async function load(title: string, act: () => Promise<void>, least = 0): Promise<Creates> {
  const creates = await createDuring(act, { dryRun: true, least })
  const { rewritten, unchanged, refused } = creates
  total += rewritten + unchanged
  lines.push(`${title}: ${rewritten} rewritten, ${unchanged} unchanged, ${refused.length} refused`)
  return creates
}

async function podNames(): Promise<readonly string[]> {
  const { items } = await connect().makeApiClient(CoreV1Api).listNamespacedPod({ namespace: NAMESPACE })
  return items.map(({ metadata }) => metadata?.name ?? '')
}

async function rolledOut(): Promise<void> {
  await done(['rollout', 'status', `deployment/${NAME}`, '-n', NAMESPACE, '--timeout=180s'])
}

/** All of it, in seconds. */
async function healed(what: string, holds: () => Promise<boolean>): Promise<void> {
  const began = performance.now()
  await until(what, holds)
  const took = performance.now() - began
  lines.push(`  ${what} after ${(took / 1000).toFixed(1)} s`)
  if (took > HEALED_MS) throw new Error(`${what}: not within a minute`)
}

/** In the repository, while the load and the node go on. */
async function hack(...command: readonly string[]): Promise<void> {
  await promisify(execFile)('bash', ['-c', ['set -e', ...command].join('\n')], { cwd: ROOT })
}

const ROOT = join(import.meta.dirname, '../../..')

t.test('Fail: restart, deletion, drain of the node, and rotation: no create fails', async (t) => {
  const rows: readonly (readonly [string, () => Promise<void>])[] = [
    ['nothing happens', () => Promise.resolve()],
    [
      'rollout restart',
      async () => {
        await done(['rollout', 'restart', `deployment/${NAME}`, '-n', NAMESPACE])
        await rolledOut()
      },
    ],
    [
      'a pod is deleted',
      async () => {
        const [name = ''] = await podNames()
        await done(['delete', 'pod', name, '-n', NAMESPACE])
        await rolledOut()
      },
    ],
    [
      'the node is cordoned and drained',
      async () => {
        const selector = '--pod-selector=app.kubernetes.io/instance=onramp'
        await done(['drain', NODE, selector, '--ignore-daemonsets', '--timeout=180s'])
        await done(['uncordon', NODE])
        await rolledOut()
      },
    ],
    [
      'authority and certificates are rotated',
      async () => {
        const before = (await trusted()).flat()
        const isOver = async () => (await trusted()).flat().every((one) => !before.includes(one))
        for (let minute = 0; minute < 6 && !(await isOver()); minute++) await until('', isOver).catch(() => undefined)
        t.ok(await isOver(), 'no bundle trusts an authority of before')
      },
    ],
  ]
  for (const [title, act] of rows) t.same(failuresOf(await load(title, act, 1500)), [], title)
})

t.test('Fail: a Secret that is deleted is restored within a minute, and no create fails', async (t) => {
  const creates = await load('the Secret is deleted', async () => {
    await done(['delete', SECRET, '-n', NAMESPACE])
    await healed('the Secret is back', async () => (await kubectl(['get', SECRET, '-n', NAMESPACE])).status === 0)
  })
  t.same(failuresOf(creates), [])
})

/** What a client gets while there is no API server, or one that is stopping or starting: no answer of a webhook. */
const WITHOUT_API_SERVER =
  /fetch failed|ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|shutting down|other side closed|not yet ready/

t.test('Fail: the API server is restarted, and no call of a webhook fails', async (t) => {
  const creates = await load(
    'the API server is restarted',
    async () => {
      await sleep(1000)
      await hack(`hack/cluster/apiserver stop ${FOLDER}`)
      await sleep(2000)
      await hack(`hack/cluster/apiserver start ${FOLDER}`)
      await sleep(10_000)
    },
    500,
  )
  t.same(
    creates.refused.filter((message) => !WITHOUT_API_SERVER.test(message)),
    [],
  )
  t.equal(creates.unchanged, 0)
})

t.test(
  'Ignore: a server is killed, bundles are emptied: nothing is refused, and it is healed in a minute',
  async (t) => {
    await stand.upgrade(policy('Ignore'))
    const killed = await load('a server is killed', async () => {
      const [server] = stand.servers()
      await server?.kill()
      await healed('it is ready again', async () => (await server?.isReady()) === true)
    })
    t.same(killed.refused, [])
    const emptied = await load('the bundles are emptied', async () => {
      await emptyBundles()
      await healed('the bundles are back', async () => (await bundles()).every((pem) => pem.includes('CERTIFICATE')))
      await meshNamespace('healed')
    })
    t.same(emptied.refused, [])
    t.ok(emptied.rewritten > emptied.unchanged)
  },
)

t.test(
  'the mode is changed: with both authorities in the bundle no create fails; back, nothing is refused',
  async (t) => {
    await stand.upgrade(policy('Fail'))
    const pair = await createCertificate()
    await useCertificate(pair)
    const both = `${pair.ca}\n${(await bundles())[0] ?? ''}`
    const there = await load('to existingSecret', () => stand.upgrade({ ...certificates(both), ...policy('Fail') }))
    t.same(failuresOf(there), [])
    const back = await load('back to selfManaged', () => stand.upgrade({ ...SELF_MANAGED, ...policy('Ignore') }))
    t.same(back.refused, [])
  },
)

t.test(
  'cold start: servers, istiod and the whole control plane are stopped, and all of it returns unaided',
  async (t) => {
    await stand.upgrade(policy('Fail'))
    const parts = 'kube-controller-manager kube-apiserver istiod'
    await hack('. hack/cluster/processes', `stop ${FOLDER} ${parts}`, `stop ${FOLDER} etcd`)
    for (const server of stand.servers()) await server.kill()
    await hack('. hack/cluster/processes', `start ${FOLDER} etcd`, `start ${FOLDER} kube-apiserver`)
    await hack(
      `hack/cluster/apiserver wait ${FOLDER}`,
      '. hack/cluster/processes',
      `start ${FOLDER} kube-controller-manager`,
    )
    await hack('. hack/cluster/processes', `start ${FOLDER} istiod`)
    await rolledOut()
    // It needs istiod as well, whose own webhook is called meanwhile.
    await healed('pods are rewritten again', () =>
      meshNamespace('cold').then(
        () => true,
        () => false,
      ),
    )
    const after = await load('after a cold start', () => Promise.resolve(), 1000)
    t.same(failuresOf(after), [])
  },
)

t.test(`at least ${LEAST} creates`, (t: Test) => {
  for (const line of lines) t.comment(line)
  t.comment(`${total} creates in all`)
  t.ok(total >= LEAST)
  t.end()
})
