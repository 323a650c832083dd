// What the product relies on of the API server and of kubectl: how an answer is treated. Each fact is shown by a webhook
// that does what istio-onramp must not do or has to do (docs/facts/admission-requests.md; each test names its section), so
// that a Kubernetes that behaves otherwise is noticed here first.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { arrayMember, memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { createNamespace, done, kubectl } from '../support/api-server/kubectl.ts'
import { auditMark, auditSince } from './support/audit.ts'
import { handlerOf, workload } from './support/manifests.ts'
import { create, podsIn } from './support/stand-in-pods.ts'
import { ALLOW, denial, labelling, patching, startStandIn, type Webhook } from './support/stand-in.ts'

const NAMESPACE = 'answers'
const about = podsIn(NAMESPACE)
const LONG = `first line\n${'  yaml: "ä"\n'.repeat(330)}last line`
const warning =
  (...warnings: readonly string[]) =>
  () => ({ response: { allowed: true, warnings } })
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
  'patch-from-validating': { side: 'Validating', answer: () => labelling('a', 'b') },
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
  'below-policy': { side: 'Validating', answer: denial({ code: 403, reason: 'Forbidden', message: 'our YAML' }) },
  'above-policy': { answer: denial({ code: 403, reason: 'Forbidden', message: 'our YAML' }) },
  replicasets: {
    rule: { apiGroups: ['apps'], resources: ['replicasets'], operations: ['CREATE'] },
    answer: () => patching({ op: 'add', path: '/spec/template/metadata/annotations', value: { rewritten: 'yes' } }),
  },
} as const satisfies Readonly<Record<string, Webhook>>

await createNamespace(NAMESPACE)
const standIn = await startStandIn(WEBHOOKS)

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
  // A controller that settles makes one; how fast this one goes round depends on the machine.
  const sets = async (): Promise<number> => {
    const list = await done(['get', 'replicasets', '-n', NAMESPACE, '-l', 'fact=replicasets', '-o', 'json'])
    return arrayMember(JSON.parse(list) as Json, 'items').length
  }
  let most = 0
  for (let tries = 0; tries < 120 && most <= 4; tries += 1) {
    await sleep(500)
    most = await sets()
  }
  await done(['delete', 'deployment/loop', '-n', NAMESPACE])
  t.ok(most > 4, `${most} ReplicaSets within a minute`)
})
