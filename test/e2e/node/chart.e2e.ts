// The pods of the chart on a real node, behind a real Service, called by a real API server. hack/chart/on-node
// starts all of it.
import t from 'tap'
import { NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { done, kubectl, release, uninstall } from '../../support/api-server/kubectl.ts'
import { HTTP_PROBE } from '../../support/fixtures.ts'
import {
  isReady,
  prepare,
  rolledOut,
  serverPods,
  SERVER_IMAGE,
  shopIsStrict,
  until,
  valuesFor,
} from '../support/node/release.ts'

const pair = await prepare()
const before = await everything()
release('install', valuesFor(pair))
await rolledOut()
await shopIsStrict()

/** Every object of the cluster that was created here, as `KIND NAMESPACE/NAME`. */
async function everything(): Promise<readonly string[]> {
  const kinds = (await done(['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n')
  const kept = kinds.filter((kind) => !/^(events|leases|endpointslices|componentstatuses|endpoints)\b/.test(kind))
  const columns = 'custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name'
  return (await done(['get', kept.join(','), '-A', '--no-headers', '-o', columns])).trim().split('\n').toSorted()
}

t.test(
  'two replicas are ready in a namespace that enforces and warns of the restricted Pod Security standard',
  async (t) => {
    const pods = await serverPods()
    t.equal(pods.length, 2)
    t.ok(pods.every(isReady))
    t.ok(pods.every(({ status }) => status?.containerStatuses?.every(({ restartCount }) => restartCount === 0)))
    const rendered = await done(['get', `deployment/${NAME}`, '-n', NAMESPACE, '-o', 'json'])
    const { stderr } = await kubectl(['replace', '--dry-run=server', '-f', '-'], rendered)
    t.equal(stderr, '', 'no warning')
  },
)

t.test('a kubectl apply from outside is admitted by them, through the Service', async (t) => {
  const { stderr } = await kubectl(['apply', '--dry-run=server', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { containers: [{ name: 'app', image: SERVER_IMAGE, readinessProbe: HTTP_PROBE }] },
  })
  t.match(stderr, /Warning: Pod shop\/web: 1 probe rewritten: app readinessProbe \(exec\)/)
  const denied = await kubectl(['create', 'ingress', 'web', '-n', 'shop', '--rule=shop.example.com/=web:80'])
  t.match(denied.stderr, /admission webhook "ingress\.istio-onramp\.io" denied the request/)
  t.match(denied.stderr, /\nkind: VirtualService\n/)
})

t.test('the API server is asked for nothing that the account may not read', async (t) => {
  for (const { metadata } of await serverPods()) {
    const log = await done(['logs', String(metadata?.name), '-n', NAMESPACE])
    t.match(log, /the cluster has been read/)
    t.notMatch(log, /forbidden/i)
  }
})

t.test('one of them can be evicted, both cannot', async (t) => {
  const evict = async (name: string | undefined) => {
    const eviction = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: String(name), namespace: NAMESPACE },
    }
    return await kubectl(
      ['create', '--raw', `/api/v1/namespaces/${NAMESPACE}/pods/${String(name)}/eviction`, '-f', '-'],
      eviction,
    )
  }
  const [first, second] = await serverPods()
  t.equal((await evict(first?.metadata?.name)).status, 0)
  t.match((await evict(second?.metadata?.name)).stderr, /would violate the pod's disruption budget/)
  await rolledOut()
})

t.test('with all of them gone at once they come back by themselves, though every creation needs them', async (t) => {
  const old = (await serverPods()).map(({ metadata }) => metadata?.name)
  await done(['delete', 'pods', '--all', '-n', NAMESPACE, '--grace-period=1', '--wait=false'])
  await until(
    'all of them are gone',
    async () => !(await serverPods()).some(({ metadata }) => old.includes(metadata?.name)),
  )
  await rolledOut()
  t.ok((await serverPods()).every(isReady))
})

t.test('helm uninstall removes everything that the chart installed', async (t) => {
  uninstall()
  let added: readonly string[] = []
  await until('nothing is left', async () => {
    added = (await everything()).filter((object) => !before.includes(object))
    return added.length === 0
  }).catch(() => undefined)
  t.same(added, [])
})
