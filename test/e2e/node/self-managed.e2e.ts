// certificates.mode selfManaged on a real node: the pods make their authority, `helm install` waits for a create that they
// have reviewed (verify.afterInstall), `helm test` finds the same, and an uninstall leaves nothing, not even the Secret.
import t from 'tap'
import { helm, NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { done, kubeconfig, kubectl, release, uninstall } from '../../support/api-server/kubectl.ts'
import { ours } from '../../support/api-server/ours.ts'
import {
  createMeshNamespace,
  createReleaseNamespace,
  isReady,
  rolledOut,
  serverPods,
  shopIsStrict,
  until,
} from '../support/node/release.ts'

await createReleaseNamespace()
await createMeshNamespace('shop')
const Fail = { failurePolicy: 'Fail' }
const VALUES = {
  certificates: { mode: 'selfManaged' },
  webhooks: { pods: Fail, templates: Fail, ingress: Fail },
  config: { rules: { probes: 'exec' } },
  verify: { afterInstall: true },
}

t.test('helm install ends once the API server has had an answer of the pods; helm test finds the same', async (t) => {
  release('install', VALUES)
  await rolledOut()
  const pods = await serverPods()
  t.equal(pods.filter(({ metadata }) => metadata?.name?.endsWith('-verify') !== true).filter(isReady).length, 2)
  await shopIsStrict()
  const tested = helm(['test', 'onramp', '--namespace', NAMESPACE, '--timeout', '180s', '--kubeconfig', kubeconfig()])
  t.equal(tested.status, 0, tested.stderr)
  t.match(tested.stdout, /Phase: +Succeeded/)
  const left = await done(['get', 'pods,serviceaccounts,roles,rolebindings', '-A', '-o', 'name'])
  t.notMatch(left, /-verify/, 'its account and its pod are gone')
})

t.test('helm test fails, and its pod says why, while no server answers', async (t) => {
  release('upgrade', { ...VALUES, verify: { waitSeconds: 5 } })
  await done(['scale', `deployment/${NAME}`, '-n', NAMESPACE, '--replicas=0'])
  await until('no server runs', async () => (await serverPods()).length === 0)
  const tested = helm(['test', 'onramp', '--namespace', NAMESPACE, '--timeout', '120s', '--kubeconfig', kubeconfig()])
  t.not(tested.status, 0)
  t.match(await done(['logs', `${NAME}-verify`, '-n', NAMESPACE]), /pods: NOT reviewed: .*failed calling webhook/)
  await done(['delete', 'pod', `${NAME}-verify`, '-n', NAMESPACE])
})

t.test('an uninstall leaves nothing', async (t) => {
  await done(['scale', `deployment/${NAME}`, '-n', NAMESPACE, '--replicas=2'])
  await rolledOut()
  uninstall()
  await until('the pods are gone', async () => (await serverPods()).length === 0)
  t.equal(await ours(), '')
  t.not((await kubectl(['get', `secret/${NAME}-self-managed`, '-n', NAMESPACE])).status, 0)
})
