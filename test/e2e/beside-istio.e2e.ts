// Beside a real istiod with the webhooks and definitions of its own chart: who sees what in which order, what the pod is in
// the end, and what the audit log says of it. In both orders of the names
// (docs/facts/admission-requests.md#order-and-reinvocation).
import t, { type Test } from 'tap'
import { arrayMember, memberAt, stringMember, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { CONFIGURATION } from '../support/api-server/helm.ts'
import { done, kubectl } from '../support/api-server/kubectl.ts'
import { auditMark, auditSince, callsOf, nameOfEvent, patchesOf } from './support/audit.ts'
import { CONTAINER, handlerOf, isTouched, pod, receiptOf } from './support/manifests.ts'
import { meshNamespace, standUp } from './support/stand.ts'

const stand = await standUp()
const NAMESPACE = 'beside'
await meshNamespace(NAMESPACE)
const OURS = 'probes.istio-onramp.io'
const ISTIO = 'namespace.sidecar-injector.istio.io'
const EXEC = 'exec prober'
const BY_ISTIO = { 'sidecar.istio.io/rewriteAppHTTPProbers': 'true' }

interface Created {
  readonly pod: Json
  /** The mutating webhooks that were called, in order. */
  readonly calls: readonly string[]
  readonly annotations: Readonly<Record<string, string>>
  readonly stderr: string
}

async function create(name: string, annotations: JsonObject = {}, container: JsonObject = CONTAINER): Promise<Created> {
  const mark = auditMark()
  const object = pod({ name, namespace: NAMESPACE, annotations }, container)
  const { status, stdout, stderr } = await kubectl(['create', '-o', 'json', '-f', '-'], object)
  if (status !== 0) throw new Error(stderr)
  const event = auditSince(mark).find((one) => nameOfEvent(one) === `pods ${NAMESPACE}/${name}`)
  if (event === undefined) throw new Error(`nothing in the audit log of ${name}`)
  return { pod: JSON.parse(stdout) as Json, calls: callsOf(event), annotations: event.annotations ?? {}, stderr }
}

function containerNames(created: Json): readonly string[] {
  return ['initContainers', 'containers'].flatMap((list) =>
    arrayMember(memberAt(created, 'spec'), list).map((container) => stringMember(container, 'name') ?? ''),
  )
}

/** What Istio tells its agent to probe in the place of kubelet; empty where it took nothing over. */
function probers(created: Json): string {
  const sidecar = ['initContainers', 'containers']
    .flatMap((list) => arrayMember(memberAt(created, 'spec'), list))
    .find((container) => stringMember(container, 'name') === 'istio-proxy')
  const variable = arrayMember(sidecar, 'env').find((entry) => stringMember(entry, 'name') === 'ISTIO_KUBE_APP_PROBERS')
  return stringMember(variable, 'value') ?? ''
}

t.test(
  'istio-onramp comes before istio-sidecar-injector, and again after it where Istio changed the pod',
  async (t) => {
    const { pod: created, calls, stderr } = await create('first')
    t.same(calls, [`0 ${OURS} mutated`, `0 ${ISTIO} mutated`, `1 ${OURS}`], 'the second call changes nothing')
    t.same(containerNames(created), ['istio-init', 'istio-proxy', 'app'], 'the pod is injected')
    t.equal(handlerOf(created), EXEC)
    t.equal(probers(created), '', "Istio sees the prober's exec and keeps it")
    t.match(
      stderr,
      /^Warning: Pod beside\/first: 2 probes rewritten: [^\n]*\n$/,
      'one line, whatever the number of calls',
    )
  },
)

t.test('what Istio is known to rewrite is left to it', async (t) => {
  const { pod: created, calls } = await create('left', { ...BY_ISTIO, 'istio-onramp.io/probes': 'auto' })
  t.same(calls, [`0 ${OURS}`, `0 ${ISTIO} mutated`, `1 ${OURS}`])
  t.equal(handlerOf(created), 'httpGet 15020', 'its agent serves the check')
  t.match(probers(created), /"\/app-health\/app\/livez":\{"httpGet":\{"path":"\/healthz","port":8080/)
  t.equal(receiptOf(created), undefined)
})

t.test('auto asks Istio to serve the checks, by an annotation that it reads right after us', async (t) => {
  const { pod: created, calls } = await create('auto', { 'istio-onramp.io/probes': 'auto' })
  t.same(calls, [`0 ${OURS} mutated`, `0 ${ISTIO} mutated`, `1 ${OURS}`])
  t.equal(handlerOf(created), 'httpGet 15020')
  t.match(probers(created), /"\/app-health\/app\/livez":\{"httpGet":\{"path":"\/healthz","port":8080/)
  t.same(containerNames(created), ['istio-init', 'istio-proxy', 'app'], 'nothing else came into the pod')
  t.match(receiptOf(created), { app: { livenessProbe: { strategy: 'agent' } } })
})

t.test('what is outside the mesh is asked about and not touched', async (t) => {
  const mark = auditMark()
  const object = pod({ name: 'out', namespace: NAMESPACE, labels: { 'sidecar.istio.io/inject': 'false' } })
  const created = JSON.parse(await done(['create', '-o', 'json', '-f', '-'], object)) as Json
  const events = auditSince(mark).filter((event) => nameOfEvent(event) === `pods ${NAMESPACE}/out`)
  t.same(events.flatMap(callsOf), [`0 ${OURS}`])
  t.equal(handlerOf(created), 'httpGet 8080')
  t.notOk(isTouched(created))
})

t.test('the audit log says what was done to a pod, by whom and why', async (t) => {
  const { annotations } = await create('audited')
  t.equal(annotations[`${OURS}/reason`], 'strict-mtls')
  const patches = Object.entries(annotations).filter(([key]) => key.startsWith('patch.webhook.admission.k8s.io/'))
  t.equal(patches.length, 2, 'one by each webhook that changed it')
  const [ours] = patchesOf({ annotations } as never).filter(({ webhook }) => webhook === OURS)
  t.match(ours, { configuration: CONFIGURATION, place: 'round_0_index_0' })
  const paths = ours?.patch.map(({ op, path }) => `${op} ${path}`) ?? []
  t.same(paths.slice(0, 3), [
    'add /metadata/annotations',
    'remove /spec/containers/0/livenessProbe/httpGet',
    'add /spec/containers/0/livenessProbe/exec',
  ])
})

/** Istio has changed the pod before we see it, and sees nothing of what we change: its webhooks are not called again. */
async function checkReversed(t: Test): Promise<void> {
  const rewritten = await create('reversed-exec')
  t.same(rewritten.calls, [`0 ${ISTIO} mutated`, `0 ${OURS} mutated`, `1 ${OURS}`])
  t.equal(handlerOf(rewritten.pod), EXEC, 'a check that Istio left is ours')
  t.same(Object.keys(receiptOf(rewritten.pod) ?? {}), ['app'], "Istio's own containers are left alone")
  const left = await create('reversed-left', BY_ISTIO)
  t.equal(handlerOf(left.pod), 'httpGet 15020', "a check that Istio moved to its agent is nobody's any more")
  t.notOk(isTouched(left.pod))
  const asked = await create('reversed-agent', { 'istio-onramp.io/probes': 'exec' })
  t.equal(handlerOf(asked.pod), EXEC)
}

t.test('named to come after Istio, the end is the same', async (t) => {
  await stand.upgrade({ webhooks: { configurationName: 'zz-istio-onramp' } })
  const names = (await done(['get', 'mutatingwebhookconfigurations', '-o', 'name'])).match(/[\w-]*istio[\w-]*$/gm)
  t.same(names, ['istio-sidecar-injector', `zz-${CONFIGURATION}`])
  await checkReversed(t)
  await stand.upgrade({})
})

t.test("Istio's own objects pass, and Istio's own checks of them hold", async (t) => {
  const gateway = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: NAMESPACE },
    spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['*'] }] },
  }
  t.equal((await kubectl(['apply', '-f', '-'], gateway)).status, 0)
  const bad = {
    ...gateway,
    spec: { servers: [{ port: { number: 80, name: 'http', protocol: 'CARRIER-PIGEON' }, hosts: ['*'] }] },
  }
  t.match((await kubectl(['apply', '-f', '-'], bad)).stderr, /validation\.istio\.io/)
})
