// What the product relies on of the API server and of kubectl, each by a webhook that does what ours must not do or has to
// do (spec/apiserver.md; the section stands at each). A Kubernetes that behaves otherwise is noticed here first.
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api, type V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { connect } from '../api-server/client.ts'
import { createNamespace, done, kubectl } from '../api-server/kubectl.ts'
import { auditMark, auditSince, callsOf } from './audit.ts'
import { handlerOf, pod, workload } from './manifests.ts'
import { ALLOW, patching, startStandIn, type Webhook } from './stand-in.ts'

const NAMESPACE = 'facts'
const LONG = `first line\n${'  yaml: "ä"\n'.repeat(330)}last line`
const denial = (status: JsonObject) => () => ({ response: { allowed: false, status } })
const warning =
  (...warnings: readonly string[]) =>
  () => ({ response: { allowed: true, warnings } })
const label = (key: string, value: string): JsonObject => ({ op: 'add', path: `/metadata/labels/${key}`, value })
const condition = (expression: string): JsonObject => ({ matchConditions: [{ name: 'c', expression }] })
const UNAPPLICABLE = patching({ op: 'remove', path: '/spec/nodeName' })
let attempts = 0

const WEBHOOKS = {
  'denies-403': { answer: denial({ code: 403, reason: 'Forbidden', message: LONG }) },
  'denies-422': {
    answer: denial({
      code: 422,
      reason: 'Invalid',
      message: 'our text',
      details: { name: 'x', kind: 'Pod', causes: [{ field: 'spec', message: 'a cause' }] },
    }),
  },
  'says-nothing': { failurePolicy: 'Ignore', answer: () => ({ response: {} }) },
  'wrong-uid': { failurePolicy: 'Ignore', answer: () => ({ response: { allowed: false, uid: 'another' } }) },
  'wrong-type': { failurePolicy: 'Ignore', answer: denial({ code: '403', message: 'lost' }) },
  'patch-fails': { failurePolicy: 'Ignore', answer: () => UNAPPLICABLE },
  'patch-replaces': { answer: () => patching({ op: 'replace', path: '/spec/nodeName', value: 'n' }) },
  'patch-misspelt': {
    answer: () =>
      patching({ op: 'add', path: '/spec/containers/0/livenessprobe', value: { exec: { command: ['a'] } } }),
  },
  'patch-invalid': {
    answer: () => patching({ op: 'add', path: '/spec/containers/0/livenessProbe/exec', value: { command: ['a'] } }),
  },
  'patch-from-validating': { side: 'Validating', answer: () => patching(label('a', 'b')) },
  'retry-0': {
    answer: () =>
      ++attempts < 3 ? { status: 503, headers: { 'Retry-After': '0', Connection: 'close' }, body: 'busy' } : ALLOW,
  },
  'unavailable-ignored': { failurePolicy: 'Ignore', answer: () => ({ status: 503, body: 'busy' }) },
  'unavailable-fails': { answer: () => ({ status: 503, body: 'busy' }) },
  'too-large': { answer: () => ({ status: 413, headers: { Connection: 'close' }, body: 'too large' }) },
  'warns-line-break': { answer: warning('one\ntwo', 'three', 'tab\tbed') },
  'warns-long': { answer: warning('a'.repeat(257), 'b'.repeat(1000)) },
  'warns-too-long': { answer: warning('a'.repeat(300), 'b'.repeat(4000)) },
  'annotates-audit': {
    answer: () => ({ response: { allowed: true, auditAnnotations: { reason: 'strict-mtls', 'a/b': 'lost' } } }),
  },
  receives: { answer: () => ALLOW },
  'receives-validating': { side: 'Validating', fact: 'receives', answer: () => ALLOW },
  deployments: {
    rule: { apiGroups: ['apps'], resources: ['deployments'] },
    answer: () => ALLOW,
  },
  'condition-ignored': { failurePolicy: 'Ignore', more: condition('!object.spec.hostNetwork'), answer: denial({}) },
  'condition-fails': { more: condition('!object.spec.hostNetwork'), answer: denial({}) },
  'condition-optional': { more: condition('!object.?spec.?hostNetwork.orValue(false)'), answer: () => ALLOW },
  'condition-namespace': {
    more: condition("namespaceObject.metadata.name == 'facts'"),
    answer: () => ALLOW,
  },
  'order-a': { fact: 'order', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'order-aa': { fact: 'order', answer: () => patching(label('touched', 'yes')) },
  'order-b': { fact: 'order', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'no-op-a': { fact: 'no-op', more: { reinvocationPolicy: 'IfNeeded' }, answer: () => ALLOW },
  'no-op-b': {
    fact: 'no-op',
    answer: () => patching({ op: 'replace', path: '/metadata/labels/fact', value: 'no-op' }),
  },
  'below-policy': { side: 'Validating', answer: denial({ code: 403, reason: 'Forbidden', message: 'our YAML' }) },
  'above-policy': { answer: denial({ code: 403, reason: 'Forbidden', message: 'our YAML' }) },
  replicasets: {
    rule: { apiGroups: ['apps'], resources: ['replicasets'], operations: ['CREATE'] },
    answer: () => patching({ op: 'add', path: '/spec/template/metadata/annotations', value: { rewritten: 'yes' } }),
  },
} as const satisfies Readonly<Record<string, Webhook>>
type Fact = keyof typeof WEBHOOKS | 'order' | 'no-op' | 'idle'

await createNamespace(NAMESPACE)
const standIn = await startStandIn(WEBHOOKS)
// Called now, and left alone until the last test.
const idle = await startStandIn({ idle: { answer: () => ALLOW } })
await Promise.all(Array.from({ length: 10 }, () => create(about('idle'), '--dry-run=server')))
const idleSince = performance.now()

function about(fact: Fact, metadata: JsonObject = {}, container?: JsonObject, spec?: JsonObject): JsonObject {
  return pod({ name: fact, namespace: NAMESPACE, labels: { fact }, ...metadata }, container, spec)
}

interface Created {
  readonly stored: Json
  readonly stderr: string
}

async function create(object: JsonObject, ...more: readonly string[]): Promise<Created> {
  const { status, stdout, stderr } = await kubectl(['create', '-o', 'json', '-f', '-', ...more], object)
  return { stored: status === 0 ? (JSON.parse(stdout) as Json) : null, stderr }
}

t.test(
  'section 5.2: a denial of 403 and Forbidden is printed whole; of 422 with causes, only the causes',
  async (t) => {
    const whole = await create(about('denies-403'))
    t.equal(
      whole.stderr,
      `Error from server (Forbidden): error when creating "STDIN": admission webhook "denies-403.stand-in.example" denied the request: ${LONG}\n`,
    )
    const dropped = await create(about('denies-422'))
    t.match(dropped.stderr, /The Pod "x" is invalid: ?\n?.*spec: a cause/)
    t.notMatch(dropped.stderr, /our text|stand-in/)
  },
)

t.test(
  'section 1: an answer that is not exactly right loses the denial under Ignore; one that says nothing denies',
  async (t) => {
    t.match((await create(about('says-nothing'))).stderr, /denied the request without explanation/)
    for (const fact of ['wrong-uid', 'wrong-type'] as const) t.not((await create(about(fact))).stored, null, fact)
  },
)

t.test('section 2: a patch that does not apply is the error of the user, whatever the failurePolicy', async (t) => {
  const { stderr } = await create(about('patch-fails'))
  t.match(stderr, /InternalError.*Unable to remove nonexistent key: nodeName/)
  const metrics = await done(['get', '--raw', '/metrics'])
  t.match(metrics, /rejection_count\{error_type="apiserver_internal_error",name="patch-fails\.stand-in\.example".*\} 1/)
})

t.test('section 2: the API server is laxer than RFC 6902 where that hides mistakes', async (t) => {
  t.equal(memberAt((await create(about('patch-replaces'))).stored, 'spec', 'nodeName'), 'n', 'replace of nothing adds')
  const misspelt = await create(about('patch-misspelt'))
  t.equal(handlerOf(misspelt.stored), 'httpGet 8080', 'a misspelt field vanishes')
  t.match(
    (await create(about('patch-invalid'))).stderr,
    /^The Pod "patch-invalid" is invalid: .*more than 1 handler type/ms,
  )
  t.match((await create(about('patch-from-validating'))).stderr, /may not return response\.patch/)
})

t.test('section 4: a 503 with Retry-After 0 and Connection: close is repeated on a new connection', async (t) => {
  t.not((await create(about('retry-0'))).stored, null)
  const calls = standIn.taken('retry-0')
  t.equal(calls.length, 3)
  t.equal(new Set(calls.map(({ socket }) => socket)).size, 3)
  t.equal(new Set(calls.map(({ request }) => request['uid'])).size, 1)
})

t.test('section 1: a failed call is the failure policy’s matter', async (t) => {
  t.not((await create(about('unavailable-ignored'))).stored, null)
  t.match(
    (await create(about('unavailable-fails'))).stderr,
    /failed calling webhook "unavailable-fails.*currently unable to handle/,
  )
  t.match((await create(about('too-large'))).stderr, /status code 413/)
})

t.test(
  'section 5.1: warnings with control characters are dropped, long ones kept until they are too long together',
  async (t) => {
    t.equal((await create(about('warns-line-break'))).stderr, 'Warning: three\n')
    t.equal((await create(about('warns-long'))).stderr, `Warning: ${'a'.repeat(257)}\nWarning: ${'b'.repeat(1000)}\n`)
    t.equal(
      (await create(about('warns-too-long'))).stderr,
      `Warning: ${'a'.repeat(256)}\nWarning: ${'b'.repeat(256)}\n`,
    )
    const items = ['one', 'two'].map((name) => about('warns-line-break', { name }))
    const both = await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
    t.same([both.stdout.trim().split('\n').length, both.stderr], [2, 'Warning: three\n'], 'once a command')
  },
)

t.test(
  'section 6: an audit annotation is found under the name of the webhook; one with a slash is dropped',
  async (t) => {
    const mark = auditMark()
    await create(about('annotates-audit'))
    const annotations = auditSince(mark).flatMap(({ annotations: found }) => Object.entries(found ?? {}))
    t.same(
      annotations.filter(([key]) => key.startsWith('annotates-audit')),
      [['annotates-audit.stand-in.example/reason', 'strict-mtls']],
    )
  },
)

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

t.test('section 8: mutating comes before validation, so two handlers in one probe arrive', async (t) => {
  const container = { name: 'app', image: 'a:1', livenessProbe: { httpGet: { port: 80 }, exec: { command: ['a'] } } }
  const { stderr } = await create(about('receives', {}, container))
  t.match(stderr, /may not specify more than 1 handler type/)
  const [call] = standIn.taken('receives')
  t.equal(handlerOf(call?.request['object'] as JsonObject), 'exec + httpGet 80')
})

t.test('section 8: a legal object of 3 MiB arrives as a review of 18.9 MB', async (t) => {
  // By the client: kubectl would send six bytes for each of these characters already, and be refused.
  const body = about('receives', {}, { name: 'app', image: 'a:1', args: ['<'.repeat(3_100_000)] }) as unknown as V1Pod
  await connect().makeApiClient(CoreV1Api).createNamespacedPod({ namespace: NAMESPACE, body, dryRun: 'All' })
  const [call] = standIn.taken('receives')
  t.ok((call?.bytes ?? 0) > 18_600_000, `${call?.bytes ?? 0} bytes`)
  standIn.taken('receives-validating')
})

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
    const calls = async (fact: 'order' | 'no-op'): Promise<readonly string[]> => {
      const mark = auditMark()
      await create(about(fact))
      return auditSince(mark)
        .flatMap(callsOf)
        .map((call) => call.replace('.stand-in.example', ''))
    }
    t.same(await calls('order'), ['0 order-a', '0 order-aa mutated', '0 order-b', '1 order-a'])
    t.same(await calls('no-op'), ['0 no-op-a', '0 no-op-b mutated', '1 no-op-a'])
  },
)

t.test('section 9: a policy that denies hides a validating webhook, and not a mutating one', async (t) => {
  t.teardown(
    async () => await done(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', 'stand-in']),
  )
  await done(['apply', '-f', '-'], denyingPolicy())
  await sleep(1000)
  const below = await create(about('below-policy'))
  t.match(
    below.stderr,
    /^Error from server \(Forbidden\): .*ValidatingAdmissionPolicy 'stand-in' with binding 'stand-in' denied request: the net/,
  )
  t.same(standIn.taken('below-policy'), [], 'it is not even called')
  t.match((await create(about('above-policy'))).stderr, /"above-policy.stand-in.example" denied the request: our YAML/)
})

function denyingPolicy(): JsonObject {
  const resourceRules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }]
  const validations = [
    { expression: "!object.metadata.labels.fact.endsWith('-policy')", reason: 'Forbidden', message: 'the net' },
  ]
  const objectSelector = { matchExpressions: [{ key: 'fact', operator: 'Exists' }] }
  const group = 'admissionregistration.k8s.io/v1'
  const named = (kind: string, spec: JsonObject): JsonObject => ({
    apiVersion: group,
    kind,
    metadata: { name: 'stand-in' },
    spec,
  })
  return {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      named('ValidatingAdmissionPolicy', { matchConstraints: { resourceRules, objectSelector }, validations }),
      named('ValidatingAdmissionPolicyBinding', { policyName: 'stand-in', validationActions: ['Deny'] }),
    ],
  }
}

// Why the template of what a controller owns is never touched.
t.test('section 0.1: a ReplicaSet rewritten without its Deployment is made again and again', async (t) => {
  const labels = { fact: 'replicasets', app: 'web' }
  const object = workload('Deployment', { name: 'loop', namespace: NAMESPACE })
  const { template } = object['spec'] as { template: JsonObject }
  await done(['create', '-f', '-'], {
    ...object,
    spec: { selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } },
  })
  await sleep(4000)
  const sets = JSON.parse(
    await done(['get', 'replicasets', '-n', NAMESPACE, '-l', 'fact=replicasets', '-o', 'json']),
  ) as Json
  await done(['delete', 'deployment/loop', '-n', NAMESPACE])
  t.ok(arrayMember(sets, 'items').length > 2, `${arrayMember(sets, 'items').length} ReplicaSets in 4 s`)
})

// Why our own limits are beyond 90 s: what the server closed first, a request could cross.
t.test('section 3: the API server keeps connections, those that never carried a request too, for 90 s', async (t) => {
  const closures = () => [...idle.sockets.values()].map(({ closedAt = Infinity }) => (closedAt - idleSince) / 1000)
  t.ok(closures().length > 0)
  const deadline = idleSince + 110_000
  while (closures().includes(Infinity) && performance.now() < deadline) await sleep(500)
  for (const seconds of closures()) t.ok(seconds > 80 && seconds < 100, `closed after ${Math.round(seconds)} s`)
})
