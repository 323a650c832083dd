// What the product relies on of the API server: for what a webhook is called, and with what
// (docs/facts/admission-requests.md; the section stands at each).
import { AppsV1Api, AutoscalingV1Api, CoreV1Api, type V1Deployment, type V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { connect } from '../support/api-server/client.ts'
import { createNamespace, done } from '../support/api-server/kubectl.ts'
import { auditMark, auditSince, callsOf } from './support/audit.ts'
import { handlerOf, workload } from './support/manifests.ts'
import { create, podsIn } from './support/stand-in-pods.ts'
import { ALLOW, denial, labelling, patching, startStandIn, type Webhook } from './support/stand-in.ts'
import type { Call } from './support/stand-in-server.ts'

const NAMESPACE = 'calls'
const about = podsIn(NAMESPACE)
const condition = (expression: string): JsonObject => ({ matchConditions: [{ name: 'c', expression }] })

const AUTOSCALERS = { apiGroups: ['autoscaling'], apiVersions: ['v2'], resources: ['horizontalpodautoscalers'] }

const IS_TOUCHED = "'touched' in object.metadata.labels"

const WEBHOOKS = {
  receives: { answer: () => ALLOW },
  'receives-validating': { side: 'Validating', fact: 'receives', answer: () => ALLOW },
  deployments: {
    rule: { apiGroups: ['apps'], resources: ['deployments'] },
    answer: () => ALLOW,
  },
  autoscalers: { rule: AUTOSCALERS, more: { matchPolicy: 'Equivalent' }, answer: () => ALLOW },
  'autoscalers-exact': { rule: AUTOSCALERS, fact: 'autoscalers', more: { matchPolicy: 'Exact' }, answer: () => ALLOW },
  'condition-ignored': { failurePolicy: 'Ignore', more: condition('!object.spec.hostNetwork'), answer: denial({}) },
  'condition-fails': { more: condition('!object.spec.hostNetwork'), answer: denial({}) },
  'condition-optional': { more: condition('!object.?spec.?hostNetwork.orValue(false)'), answer: () => ALLOW },
  'condition-namespace': {
    more: condition("namespaceObject.metadata.name == 'calls'"),
    answer: () => ALLOW,
  },
  'order-a': { fact: 'order', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'order-aa': { fact: 'order', answer: () => labelling('touched', 'yes') },
  'order-b': { fact: 'order', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'late-a': { fact: 'late', more: { ...condition(IS_TOUCHED), reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'late-b': { fact: 'late', answer: () => labelling('touched', 'yes') },
  'no-op-a': { fact: 'no-op', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'no-op-b': {
    fact: 'no-op',
    answer: () => patching({ op: 'replace', path: '/metadata/labels/fact', value: 'no-op' }),
  },
} as const satisfies Readonly<Record<string, Webhook>>

await createNamespace(NAMESPACE)
const standIn = await startStandIn(WEBHOOKS)

t.test('sections 3 and 8: what a review holds', async (t) => {
  const container = { name: 'app', image: 'a:1', livenessProbe: { httpGet: { port: 80 }, timeoutSeconds: 0 } }
  await create(about('receives', { name: undefined as never, generateName: 'web-' }, container), '--dry-run=server')
  const [call] = standIn.taken('receives')
  const [validating] = standIn.taken('receives-validating')
  t.match(call?.request, {
    operation: 'CREATE',
    namespace: NAMESPACE,
    dryRun: true,
    kind: { group: '', version: 'v1', kind: 'Pod' },
  })
  t.match(call?.request['object'], {
    metadata: { namespace: NAMESPACE, generateName: 'web-' },
    spec: {
      containers: [
        {
          livenessProbe: {
            httpGet: { path: '/', port: 80, scheme: 'HTTP' },
            ...{ timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 },
          },
        },
      ],
    },
  })
  t.equal(memberAt(call?.request, 'name'), undefined, 'no name is known when it is generated')
  t.match(memberAt(validating?.request, 'name'), /^web-\w{5}$/, 'but to a validating webhook')
  t.match(call, { httpVersion: '1.1', url: '/receives?timeout=10s' })
  t.match(call?.headers, { 'content-type': 'application/json', 'user-agent': 'kube-apiserver-admission' })
  t.equal(call?.headers['content-length'], String(call?.bytes))
})

function containerOf(pod: unknown): Json | undefined {
  return arrayMember(memberAt(pod, 'spec'), 'containers').at(0)
}

// https://kep.k8s.io/5999 and https://kep.k8s.io/4939: alpha in Kubernetes 1.37, off. Why a probe's field that we do not know,
// or that is not in force, may stand in what we are asked about.
t.test('Kubernetes 1.37: a field that is switched off reaches the webhook, one that is unknown does not', async (t) => {
  const httpGet = { path: '/', port: 80, scheme: 'HTTP', protocol: 'HTTP2', version: 'next' }
  const grpc = { port: 90, service: '', mode: 'TLS' }
  const container = { name: 'app', image: 'a:1', livenessProbe: { httpGet }, readinessProbe: { grpc } }
  const { stored } = await create(about('receives', {}, container), '--dry-run=server', '--validate=ignore')
  const asked = containerOf(standIn.taken('receives')[0]?.request['object'])
  const { version, ...known } = httpGet
  t.same(memberAt(asked, 'livenessProbe', 'httpGet'), known, `no version: ${version}`)
  t.same(memberAt(asked, 'readinessProbe', 'grpc'), grpc)
  const kept = containerOf(stored)
  t.same(memberAt(kept, 'livenessProbe', 'httpGet'), { path: '/', port: 80, scheme: 'HTTP' }, 'dropped after us')
  t.same(memberAt(kept, 'readinessProbe', 'grpc'), { port: 90, service: '' })
  t.same(containerOf(standIn.taken('receives-validating')[0]?.request['object']), kept)
})

t.test('section 8: mutating comes before validation, so two handlers in one probe arrive', async (t) => {
  const container = { name: 'app', image: 'a:1', livenessProbe: { httpGet: { port: 80 }, exec: { command: ['a'] } } }
  const { stderr } = await create(about('receives', {}, container))
  t.match(stderr, /may not specify more than 1 handler type/)
  const [call] = standIn.taken('receives')
  t.equal(handlerOf(call?.request['object'] as JsonObject), 'exec + httpGet 80')
})

// By the client: kubectl would send six bytes for each of these characters already, and be refused.
t.test(
  'section 8: a legal object of 3 MiB arrives as a review of 18.9 MB; with the one before, of 27 MB',
  async (t) => {
    const api = connect().makeApiClient(CoreV1Api)
    const body = about('receives', {}, { name: 'app', image: 'a:1', args: ['<'.repeat(3_100_000)] }) as unknown as V1Pod
    await api.createNamespacedPod({ namespace: NAMESPACE, body, dryRun: 'All' })
    const [call] = standIn.taken('receives')
    t.ok((call?.bytes ?? 0) > 18_600_000, `${call?.bytes ?? 0} bytes`)
    standIn.taken('receives-validating')
    const updated = await callOfLargeUpdate()
    t.ok((updated?.bytes ?? 0) > 26_500_000, `${updated?.bytes ?? 0} bytes`)
  },
)

/** A Deployment of what etcd can hold, changed to what the API server takes. */
async function callOfLargeUpdate(): Promise<Call | undefined> {
  const api = connect().makeApiClient(AppsV1Api)
  const metadata = { name: 'large', namespace: NAMESPACE, labels: { fact: 'deployments' } }
  const of = (size: number): V1Deployment => {
    const container = { name: 'app', image: 'a:1', args: ['<'.repeat(size)] }
    const { spec, ...object } = workload('Deployment', metadata, { container })
    return { ...object, spec: { ...(spec as JsonObject), paused: true, replicas: 0 } } as unknown as V1Deployment
  }
  await api.createNamespacedDeployment({ namespace: NAMESPACE, body: of(1_400_000) })
  await api.replaceNamespacedDeployment({ ...metadata, body: of(3_100_000), dryRun: 'All' })
  await api.deleteNamespacedDeployment(metadata)
  return standIn.taken('deployments').find(({ request }) => request['dryRun'] === true)
}

t.test('section 8: which commands call a webhook for Deployments, and with what', async (t) => {
  const object = workload('Deployment', { name: 'web', namespace: NAMESPACE, labels: { fact: 'deployments' } })
  const target = ['deployment/web', '-n', NAMESPACE]
  const rows: readonly (readonly [readonly string[], JsonObject | string, readonly string[]])[] = [
    [['apply', '-f', '-'], object, ['CREATE']],
    [['apply', '-f', '-'], object, []],
    [['scale', ...target, '--replicas=2'], '', []],
    [['label', ...target, 'a=b'], '', ['UPDATE, template equal']],
    [['set', 'image', ...target, 'app=a:2'], '', ['UPDATE, template changed']],
    [['rollout', 'restart', ...target], '', ['UPDATE, template changed']],
  ]
  for (const [args, input, expected] of rows) {
    await done(args, input)
    const calls = standIn
      .taken('deployments')
      .filter(({ request }) => memberAt(request, 'userInfo', 'username') === 'admin')
    const seen = calls.map(({ request }) => {
      const [now, before] = ['object', 'oldObject'].map((key) =>
        JSON.stringify(memberAt(request, key, 'spec', 'template')),
      )
      return request['operation'] === 'CREATE' ? 'CREATE' : `UPDATE, template ${now === before ? 'equal' : 'changed'}`
    })
    // kubectl sends a patch again where a controller was faster.
    t.same([...new Set(seen)], expected, args.join(' '))
  }
})

t.test('section 7: a rule for pods is not called for their subresources', async (t) => {
  const target = ['receives', '-n', NAMESPACE]
  await done(['create', '-f', '-'], about('receives'))
  await done(['patch', 'pod', ...target, '--subresource=status', '-p', '{"status":{"message":"seen"}}'])
  await done(['debug', ...target, '--image=a:1', '--profile=general', '--attach=false'])
  const pod = { name: 'receives', namespace: NAMESPACE }
  await connect()
    .makeApiClient(CoreV1Api)
    .createNamespacedPodEviction({ ...pod, body: { metadata: pod } })
  const calls = standIn.taken('receives')
  t.same(
    calls.map(({ request }) => request['operation']),
    ['CREATE'],
  )
})

t.test(
  'section 7: an older version arrives converted where the rule says Equivalent, and not at all where it says Exact',
  async (t) => {
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
    await connect()
      .makeApiClient(AutoscalingV1Api)
      .createNamespacedHorizontalPodAutoscaler({
        namespace: NAMESPACE,
        body: {
          metadata: { name: 'web', labels: { fact: 'autoscalers' } },
          spec: { scaleTargetRef, maxReplicas: 2, targetCPUUtilizationPercentage: 50 },
        },
      })
    t.match(standIn.taken('autoscalers'), [
      {
        request: {
          kind: { version: 'v2' },
          requestKind: { version: 'v1' },
          object: { apiVersion: 'autoscaling/v2', spec: { metrics: [{ resource: { name: 'cpu' } }] } },
        },
      },
    ])
    t.same(standIn.taken('autoscalers-exact'), [])
  },
)

t.test(
  'section 7: a matchCondition that errs skips without a trace under Ignore, and rejects under Fail',
  async (t) => {
    t.not((await create(about('condition-ignored'))).stored, null)
    t.same(standIn.taken('condition-ignored'), [])
    const { stderr } = await create(about('condition-fails'))
    t.match(
      stderr,
      /^Error from server \(Forbidden\): .*expression '!object\.spec\.hostNetwork' resulted in error: no such key/,
    )
    t.notMatch(stderr, /stand-in/, 'nothing says which webhook')
    await create(about('condition-optional'))
    t.equal(standIn.taken('condition-optional').length, 1, 'asked for as optional it holds')
    t.match(
      (await create(about('condition-namespace'))).stderr,
      /resulted in error/,
      'the namespace is not known there',
    )
  },
)

t.test('section 7: the name label of a namespace cannot be changed', async (t) => {
  await done(['label', 'namespace', NAMESPACE, '--overwrite', 'kubernetes.io/metadata.name=kube-system'])
  const labels = JSON.parse(
    await done(['get', 'namespace', NAMESPACE, '-o', 'jsonpath={.metadata.labels}']),
  ) as JsonObject
  t.equal(labels['kubernetes.io/metadata.name'], NAMESPACE)
})

t.test(
  'section 6: byte order of the names; IfNeeded is called again after a later change, and after one that changes nothing',
  async (t) => {
    const calls = async (fact: 'order' | 'no-op' | 'late'): Promise<readonly string[]> => {
      const mark = auditMark()
      await create(about(fact))
      // The product is called for these pods, too, while other tests have it installed.
      return auditSince(mark)
        .filter(({ objectRef }) => objectRef?.namespace === NAMESPACE)
        .flatMap(callsOf)
        .filter((call) => call.includes('.stand-in.example'))
        .map((call) => call.replace('.stand-in.example', ''))
    }
    t.same(await calls('order'), ['0 order-a', '0 order-aa mutated', '0 order-b', '1 order-a'])
    t.same(await calls('no-op'), ['0 no-op-a', '0 no-op-b mutated', '1 no-op-a'])
    t.same(await calls('late'), ['0 late-b mutated'], 'what was not to be called at first is not called again')
  },
)
