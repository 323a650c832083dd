// The protocol and its edges: reviews in and out, the proof of a patch, whole requests that fail open.
import t from 'tap'
import { admit } from '../../src/admission/admit.ts'
import { hasTooManyParts } from '../../src/admission/object-size.ts'
import { provePatch } from '../../src/admission/prove-patch.ts'
import { decodeReview, encodeReview, type AdmissionRequest } from '../../src/admission/review.ts'
import { singleLines } from '../../src/admission/warning-text.ts'
import { memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import type { Operation } from '../../src/kubernetes/json-pointer.ts'
import { MOST_ANNOTATION_BYTES } from '../../src/kubernetes/object.ts'
import { isTooBigToConvert } from '../../src/rules/ingress/conversion-bounds.ts'
import { parseReceipt } from '../../src/rules/probes/receipt.ts'
import { REASONS } from '../../src/rules/reasons.ts'
import { container, contextOf, HTTP_PROBE, pod, strictShop, workload } from '../support/fixtures.ts'
import { createPodRequest, review } from '../support/reviews.ts'

const context = contextOf(strictShop())

function answer(
  request: JsonObject,
  within = context,
): { readonly response: JsonObject; readonly operations: readonly Operation[] } {
  const decoded = decodeReview(review(request))
  if ('problem' in decoded) throw new Error(decoded.problem)
  const response = (JSON.parse(encodeReview(decoded, admit(decoded, within))) as { response: JsonObject }).response
  const patch = response['patch']
  return {
    response,
    operations: typeof patch === 'string' ? (JSON.parse(Buffer.from(patch, 'base64').toString()) as Operation[]) : [],
  }
}

t.test('an answer repeats the uid, and carries patch and patchType both or neither', (t) => {
  const rewritten = answer(createPodRequest(pod([container('web', { livenessProbe: HTTP_PROBE })])))
  t.match(rewritten.response, { uid: 'u-1', allowed: true, patchType: 'JSONPatch', patch: String })
  t.same(rewritten.response['auditAnnotations'], { reason: 'strict-mtls' })
  t.not(rewritten.operations.length, 0)
  const untouched = answer(createPodRequest(pod([container('web', {})])))
  t.same(untouched.response, { uid: 'u-1', allowed: true }, 'no patch members, no warnings member')
  t.end()
})

t.test('a denial is 403 and Forbidden, all in the message', (t) => {
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { rules: [] },
  }
  const { response } = answer(
    createPodRequest(ingress, { kind: { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' } }),
  )
  t.match(response, {
    allowed: false,
    status: { status: 'Failure', code: 403, reason: 'Forbidden', message: /^Ingress shop\/web is denied/ },
    auditAnnotations: { reason: 'ingress-in-mesh' },
  })
  t.notHas(response, { patch: String })
  t.end()
})

t.test('a body that is not a review is refused with the field it lacks', (t) => {
  const cases: readonly (readonly [Json, string])[] = [
    [null, 'body'],
    [[], 'body'],
    ['x', 'body'],
    [{}, 'kind'],
    [{ kind: 'AdmissionReview' }, 'apiVersion'],
    [{ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v2' }, 'apiVersion'],
    [review({}, { request: null }), 'request'],
    [review({ operation: 'CREATE' }), 'request.uid'],
    [review({ uid: '', operation: 'CREATE' }), 'request.uid'],
    [review({ uid: 7, operation: 'CREATE' }), 'request.uid'],
    [review({ uid: 'u', operation: 'PATCH' }), 'request.operation'],
    [review({ uid: 'u' }), 'request.operation'],
  ]
  for (const [body, field] of cases) t.match(decodeReview(body), { field, problem: String }, JSON.stringify(body))
  t.end()
})

t.test('what cannot be decided is admitted unchanged, with a warning that says why', (t) => {
  const undecidable: readonly (readonly [string, JsonObject, RegExp])[] = [
    ['a kind without a rule', { kind: { kind: 'Widget' } }, /no rule applies to this kind/],
    [
      'a kind of another API with the name of one that has rules',
      { kind: { group: 'networking.internal.knative.dev', version: 'v1alpha1', kind: 'Ingress' } },
      /no rule applies to this kind/,
    ],
    ['an object that is none', { object: 'x' }, /request\.object must be an object/],
    ['a null object on CREATE', { object: null }, /request\.object must be an object/],
    ['nesting without end', { object: nested(10_000) }, /nested too deeply/],
    ['an old object nested without end', { operation: 'UPDATE', oldObject: nested(10_000) }, /nested too deeply/],
  ]
  for (const [title, changes, text] of undecidable) {
    const { response } = answer(createPodRequest(pod([container('web', { livenessProbe: HTTP_PROBE })]), changes))
    t.match(response, { allowed: true, warnings: [text] }, title)
    t.notOk(response['patch'], title)
  }
  const unknown = answer(
    createPodRequest(pod([container('web', { livenessProbe: HTTP_PROBE })], { metadata: { namespace: 'nowhere' } }), {
      namespace: 'nowhere',
    }),
  )
  t.same(unknown.response['auditAnnotations'], { 'fail-open': 'namespace-not-declared' })
  t.match(unknown.response, {
    allowed: true,
    warnings: [
      /^namespace nowhere: the namespace is not known, so it counts as outside the mesh \[istio-onramp\/namespace-not-declared\]$/,
    ],
  })
  t.end()
})

function nested(depth: number): JsonObject {
  let value: JsonObject = {}
  for (let level = 0; level < depth; level++) value = { x: value }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web' }, spec: value }
}

t.test('DELETE and CONNECT have nothing to decide about, null objects included', (t) => {
  for (const operation of ['DELETE', 'CONNECT'])
    t.same(answer(createPodRequest(null, { operation })).response, { uid: 'u-1', allowed: true }, operation)
  t.end()
})

t.test("keys such as __proto__ are the user's data", (t) => {
  const source =
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"shop","annotations":{"__proto__":"a","constructor":"b"},"labels":{"__proto__":"x"}},"spec":{"__proto__":{"hostNetwork":true},"containers":[{"name":"web","livenessProbe":{"httpGet":{"port":8080},"__proto__":{"exec":{}}}}]}}'
  const object = JSON.parse(source) as JsonObject
  const { operations, response } = answer(createPodRequest(object))
  t.equal(response['allowed'], true)
  t.ok(
    operations.some(({ path }) => path === '/spec/containers/0/livenessProbe/exec'),
    'and it is rewritten like any other',
  )
  const proof = provePatch(object, operations)
  t.ok('result' in proof)
  t.equal(
    JSON.stringify((proof as { result: JsonObject }).result).match(/__proto__/g)?.length,
    source.match(/__proto__/g)?.length,
    'nothing is lost',
  )
  t.equal(({} as Record<string, unknown>)['exec'], undefined, 'and nothing leaked into every object')
  t.end()
})

t.test('an object without a name and a namespace goes by its generateName and the namespace of the request', (t) => {
  const generated = pod([container('web', { livenessProbe: HTTP_PROBE })], {
    metadata: { name: undefined as never, generateName: 'web-', namespace: undefined as never },
  })
  const { response } = answer(createPodRequest(JSON.parse(JSON.stringify(generated)) as Json, { name: '' }))
  t.match(
    response,
    { patchType: 'JSONPatch', warnings: [/^Pod shop\/web-\*: 1 probe rewritten/] },
    'generateName, and the namespace of the request',
  )
  t.end()
})

t.test('annotations that come with all of the metadata of a template are counted as well', (t) => {
  const annotations = { a: 'x'.repeat(262_144) }
  const template = { spec: { containers: [container('web', {})], restartPolicy: 'Never' } }
  for (const [job, path] of [
    [{ template }, '/spec/template/metadata'],
    [{ jobTemplate: { spec: { template } } }, '/spec/jobTemplate/spec/template/metadata'],
  ] as const) {
    const operation = { op: 'add', path, value: { annotations } } as const
    t.match(provePatch({ metadata: {}, spec: job }, [operation]), { problem: /exceed 262144 bytes/ }, path)
  }
  t.end()
})

t.test('a receipt that would make the annotations too long fails open: the pod is admitted unchanged', (t) => {
  const header = { name: 'x-long', value: 'v'.repeat(300_000) }
  const livenessProbe = { httpGet: { path: '/', port: 8080, httpHeaders: [header] } }
  const { response } = answer(createPodRequest(pod([container('web', { livenessProbe })])))
  t.match(response, { allowed: true, patch: undefined, warnings: [/annotations would exceed 262144 bytes/] })
  t.end()
})

t.test('a patch is proved before it is sent, by rules stricter than the RFC', (t) => {
  const object = pod([container('web', { livenessProbe: { ...HTTP_PROBE } })])
  const bad: readonly (readonly [string, Operation])[] = [
    ['a field that a patch may not change', { op: 'replace', path: '/spec/containers/0/image', value: 'x' }],
    ['a field that a patch may not change', { op: 'add', path: '/spec/hostNetwork', value: true }],
    ['a missing parent', { op: 'add', path: '/metadata/annotations/x', value: 'y' }],
    ['a missing member', { op: 'remove', path: '/spec/containers/0/livenessProbe/exec' }],
    ['a missing member', { op: 'replace', path: '/spec/containers/0/livenessProbe/exec', value: {} }],
    ['an index beyond the end', { op: 'add', path: '/spec/containers/9/env', value: [] }],
    ['no effect', { op: 'replace', path: '/spec/containers/0/livenessProbe/httpGet/port', value: 8080 }],
  ]
  const before = JSON.stringify(object)
  for (const [title, operation] of bad)
    t.match(provePatch(object, [operation]), { problem: String }, `${title}: ${operation.path}`)
  t.equal(JSON.stringify(object), before, 'the original is never changed')
  for (const [length, problem] of [
    [262_144, undefined],
    [262_145, 'the annotations would exceed 262144 bytes'],
  ] as const) {
    const value = { 'a/ä': 'x'.repeat(length - 4) }
    const proof = provePatch(object, [{ op: 'add', path: '/metadata/annotations', value }])
    t.equal('problem' in proof ? proof.problem : undefined, problem, `annotations of ${length} bytes`)
  }
  const shared = provePatch(object, [
    { op: 'replace', path: '/spec/containers/0/livenessProbe/httpGet/port', value: 81 },
  ])
  t.equal(JSON.stringify(object), before)
  t.equal((shared as { result: JsonObject }).result['metadata'], object['metadata'], 'what is not touched is shared')
  t.end()
})

t.test('workloads of every kind come through whole', (t) => {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']
  for (const kind of kinds) {
    const object = workload(kind, [container('web', { livenessProbe: HTTP_PROBE })], {
      metadata: { annotations: { 'istio-onramp.io/templates': 'rewrite' } },
    })
    const [group = '', version] = String(object['apiVersion']).includes('/')
      ? String(object['apiVersion']).split('/')
      : ['', 'v1']
    t.match(
      answer(createPodRequest(object, { kind: { group, version, kind } })).response,
      { allowed: true, patchType: 'JSONPatch' },
      kind,
    )
  }
  t.end()
})

t.test('warnings are what the API server lets through', (t) => {
  t.same(singleLines(['a\nb\tc\u001b[31m\u0085d', 'same', 'same']), ['a b c [31m d', 'same'])
  const [long = ''] = singleLines([`${'x'.repeat(400)} [istio-onramp/strict-mtls]`])
  t.equal(long.length, 256)
  t.match(long, / \[istio-onramp\/strict-mtls\]$/, 'the code survives the cut')
  t.equal(singleLines(['1', '2', '3', '4', '5', '6', '7']).length, 5)
  t.match(singleLines(['1', '2', '3', '4', '5', '6', '7'])[4], 'and 3 more warnings')
  t.end()
})

t.test('every reason has a sentence, and a code fit for a metric label', (t) => {
  for (const [code, sentence] of Object.entries(REASONS)) {
    t.match(code, /^[a-z][a-z-]+$/)
    t.ok(sentence.length > 10 && sentence.length <= 120, code)
  }
  t.end()
})

t.test('a defect inside becomes a verdict that lets the object pass', (t) => {
  const broken = {
    ...context,
    mesh: {
      ...context.mesh,
      namespace: () => {
        throw new Error('boom\nsecond line')
      },
    },
  }
  const request = decodeReview(
    review(createPodRequest(pod([container('web', { livenessProbe: HTTP_PROBE })]))),
  ) as AdmissionRequest
  t.match(admit(request, broken), { kind: 'warn', reason: 'internal-error', warnings: [/boom second line/] })
  t.end()
})

t.test('texts of any depth inside annotations neither end the process nor stop admission', (t) => {
  const deep = [
    '['.repeat(100_000),
    '{a: '.repeat(25_000),
    '- '.repeat(50_000),
    `${'['.repeat(50_000)}${']'.repeat(50_000)}`,
    `{"containers":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    `{"web":{"livenessProbe":{"strategy":"exec","original":{"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}}`,
  ]
  const keys = ['proxy.istio.io/config', 'proxy.istio.io/overrides', 'istio-onramp.io/rewritten']
  for (const key of keys)
    for (const text of deep) {
      const annotations = { [key]: text, 'sidecar.istio.io/status': '{}' }
      const object = {
        ...pod([container('web', { livenessProbe: HTTP_PROBE })]),
        metadata: { name: 'web', annotations },
      }
      const { response } = answer(createPodRequest(object))
      t.equal(response['allowed'], true, `${key} ${text.slice(0, 20)}`)
      t.notMatch(JSON.stringify(response), /internal-error/)
    }
  t.end()
})

t.test('of a key that is twice in proxy.istio.io/config, the last one counts, as in Istio', (t) => {
  const withConfig = (text: string) => ({
    ...pod([container('web', { livenessProbe: HTTP_PROBE })]),
    metadata: { name: 'web', annotations: { 'proxy.istio.io/config': text } },
  })
  const last = answer(createPodRequest(withConfig('interceptionMode: REDIRECT\ninterceptionMode: NONE\n')))
  const once = answer(createPodRequest(withConfig('interceptionMode: NONE\n')))
  t.same(last.operations, once.operations)
  t.end()
})

t.test('parts of a pod that only have the names of ours are never removed, whatever its receipt says', (t) => {
  const receipt = (original: JsonObject, slot = 'readinessProbe') =>
    JSON.stringify({ web: { [slot]: { original, strategy: 'exec', reason: 'strict-mtls' } } })
  const handler = { httpGet: { port: 80 } }
  const variable = { name: 'ISTIO_ONRAMP_POD_IP', value: 'mine' }
  const parts = [
    { volumes: [{ name: 'istio-onramp-prober', hostPath: { path: '/data' } }] },
    { volumes: [{ name: 'istio-onramp-prober', emptyDir: {} }] },
    { volumes: [{ name: 'istio-onramp-prober', emptyDir: { sizeLimit: '16Mi' } }] },
    { initContainers: [{ name: 'istio-onramp-prober', image: 'mine', command: ['mine'] }] },
  ]
  const mounts = [
    { name: 'istio-onramp-prober', mountPath: '/a' },
    { name: 'istio-onramp-prober', mountPath: '/b' },
  ]
  const probes = [
    { readinessProbe: { exec: { command: ['true'] } } },
    { readinessProbe: { httpGet: { port: 80 } } },
    { readinessProbe: { httpGet: { port: 80 }, exec: { command: ['/istio-onramp/prober'] } } },
    {},
  ]
  for (const part of parts)
    for (const probe of probes)
      for (const text of [receipt(handler), receipt({}), receipt(handler, 'preStop'), undefined]) {
        const annotations = { 'istio-onramp.io/probes': 'agent', ...(text && { 'istio-onramp.io/rewritten': text }) }
        const web = container('web', { ...probe, env: [variable], volumeMounts: mounts })
        const plain = pod([web])
        const object = {
          ...plain,
          metadata: { name: 'web', annotations },
          spec: { ...(plain['spec'] as JsonObject), ...part },
        }
        const { operations, response } = answer(createPodRequest(object))
        const removed = operations.filter(
          ({ op, path }) => op === 'remove' && !/Probe\/|istio-onramp\.io~1rewritten$/.test(path),
        )
        t.same(removed, [], JSON.stringify([part, probe, text]))
        t.notMatch(JSON.stringify(response), /patch-not-applicable/)
      }
  t.end()
})

t.test('nothing but network handlers is taken from a receipt', (t) => {
  const forged = [
    {},
    { exec: { command: ['rm'] } },
    { httpGet: { port: 80 }, failureThreshold: 99_999 },
    { httpGet: 'x' },
    { 'a/b~c': {} },
  ]
  for (const original of forged) {
    const text = JSON.stringify({ web: { livenessProbe: { original, strategy: 'exec', reason: 'x' } } })
    t.equal(parseReceipt(new Map([['istio-onramp.io/rewritten', text]]))?.get('web')?.size, 0, text)
  }
  t.end()
})

t.test('an object that could not be stored is not decided; one that could is', (t) => {
  const probes = { livenessProbe: HTTP_PROBE, readinessProbe: HTTP_PROBE, startupProbe: HTTP_PROBE }
  const containers = (count: number, more = {}) => Array.from({ length: count }, (_, i) => container(`c${i}`, more))
  const withAnnotation = (bytes: number) => ({ metadata: { annotations: { a: 'x'.repeat(bytes - 1) } }, spec: {} })
  const ports = (count: number) => ({
    spec: { portLevelMtls: Object.fromEntries(Array.from({ length: count }, (_, i) => [i, {}])) },
  })
  const cases: readonly (readonly [string, string, Json, boolean])[] = [
    ['containers', 'Pod', pod(containers(15_000)), false],
    ['more containers', 'Pod', pod(containers(16_000)), true],
    ['containers with probes', 'Pod', pod(containers(9_000, probes)), false],
    ['more containers with probes', 'Pod', pod(containers(12_000, probes)), true],
    [
      'containers without anything',
      'Deployment',
      { spec: { template: { spec: { containers: Array(16_000).fill({}) } } } },
      true,
    ],
    ['annotations', 'Ingress', withAnnotation(MOST_ANNOTATION_BYTES), false],
    ['longer annotations', 'Ingress', withAnnotation(MOST_ANNOTATION_BYTES + 1), true],
    [
      'longer annotations of a template',
      'Job',
      { spec: { template: withAnnotation(MOST_ANNOTATION_BYTES + 1) } },
      true,
    ],
    ['a policy for every port', 'PeerAuthentication', ports(65_535), false],
    ['a policy for more', 'PeerAuthentication', ports(65_536), true],
    ['no object', 'Pod', null, false],
  ]
  for (const [name, kind, object, expected] of cases) t.equal(hasTooManyParts(kind, object), expected, name)
  t.end()
})

t.test('a patch is proved on copies of what it touches only', (t) => {
  const object = pod([container('web', { livenessProbe: HTTP_PROBE, env: [] }), container('other', {})])
  const before = structuredClone(object)
  const at = '/spec/containers/0'
  const proof = provePatch(object, [
    { op: 'add', path: `${at}/env/-`, value: { name: 'A' } },
    { op: 'add', path: `${at}/env/0`, value: { name: 'B' } },
    { op: 'remove', path: `${at}/livenessProbe/httpGet` },
  ])
  t.ok('result' in proof)
  if (!('result' in proof)) return t.end()
  t.same(object, before, 'the object itself is unchanged')
  const containers = (value: Json) => memberAt(value, 'spec', 'containers') as readonly Json[]
  t.equal(containers(proof.result)[1], containers(object)[1], 'what is not touched is shared')
  t.same(memberAt(containers(proof.result)[0], 'env'), [{ name: 'B' }, { name: 'A' }])
  const refused: readonly (readonly [Operation, RegExp])[] = [
    [{ op: 'remove', path: `${at}/readinessProbe/httpGet` }, /UNRESOLVABLE/],
    [{ op: 'remove', path: `${at}/livenessProbe/tcpSocket` }, /UNRESOLVABLE/],
    [{ op: 'replace', path: `${at}/livenessProbe/exec`, value: {} }, /UNRESOLVABLE/],
    [{ op: 'add', path: `${at}/env/1`, value: {} }, /UNRESOLVABLE/],
    [{ op: 'add', path: '/spec/containers/2/env', value: [] }, /UNRESOLVABLE/],
    [{ op: 'remove', path: `${at}/env/0` }, /UNRESOLVABLE/],
  ]
  for (const [operation, expected] of refused) t.match(provePatch(object, [operation]), { problem: expected })
  t.end()
})

t.test('an Ingress above 200 routes is denied without being converted, and passes where it would pass small', (t) => {
  const rules = (count: number) =>
    Array.from({ length: count }, (_, i) => ({
      host: `h${i}.example.com`,
      http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
    }))
  const ingress = (spec: JsonObject, annotations: JsonObject = {}): JsonObject => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'i', namespace: 'shop', annotations },
    spec,
  })
  const alias = { 'nginx.ingress.kubernetes.io/server-alias': Array.from({ length: 200 }, (_, i) => `a${i}`).join(',') }
  const bounds: readonly (readonly [string, JsonObject, boolean])[] = [
    ['200 routes', ingress({ rules: rules(200) }), false],
    ['201 routes', ingress({ rules: rules(201) }), true],
    ['aliases multiply routes', ingress({ rules: rules(1) }, alias), true],
    ['a long annotation', ingress({ rules: rules(1) }, { a: 'x'.repeat(70_000) }), true],
    [
      'what kubectl keeps',
      ingress({ rules: rules(1) }, { 'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(70_000) }),
      false,
    ],
    ['hosts of TLS', ingress({ rules: rules(1), tls: [{ hosts: Array(30_000).fill('') }] }), true],
  ]
  for (const [name, object, expected] of bounds) t.equal(isTooBigToConvert(object), expected, name)
  const decided = (object: JsonObject, oldObject: Json = null) => {
    const kind = { group: 'networking.k8s.io', version: 'v1', kind: 'Ingress' }
    const operation = oldObject === null ? 'CREATE' : 'UPDATE'
    const decoded = decodeReview(review(createPodRequest(object, { kind, operation, oldObject })))
    if ('problem' in decoded) throw new Error(decoded.problem)
    return admit(decoded, context)
  }
  const big = ingress({ rules: rules(201) })
  t.match(decided(big), { kind: 'deny', message: /too big to convert/ })
  t.match(decided(structuredClone(big), big), { kind: 'warn', reason: 'ingress-spec-unchanged' })
  t.match(decided(ingress({ rules: rules(202) }), big), { kind: 'deny' })
  t.end()
})
