// The outbound ranges of a namespace: which values are copied, to which pods, and what is said.
import t from 'tap'
import { admit } from '../../src/admission/admit.ts'
import { decodeReview } from '../../src/admission/review.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { mergeAdded } from '../../src/kubernetes/json-pointer.ts'
import { egressRule } from '../../src/rules/egress/egress-rule.ts'
import type { RuleResult } from '../../src/rules/rule.ts'
import { contextOf, namespaceObject } from '../support/fixtures.ts'

const KEY = 'traffic.sidecar.istio.io/includeOutboundIPRanges'
const SERVICE: JsonObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'kubernetes', namespace: 'default' },
  spec: { clusterIPs: ['10.96.0.1', 'fd00:96::1'] },
}

interface Options {
  readonly pod?: JsonObject
  readonly kind?: string
  readonly labels?: JsonObject
  readonly operation?: 'CREATE' | 'UPDATE'
  readonly services?: readonly JsonObject[]
}

function apply(ranges: string | undefined, options: Options = {}): RuleResult {
  const { pod = {}, kind = 'Pod', labels = { 'istio-injection': 'enabled' }, operation = 'CREATE' } = options
  const annotations = ranges === undefined ? {} : { 'istio-onramp.io/egress-ip-ranges': ranges }
  const { state } = buildClusterState([
    namespaceObject('shop', labels, annotations),
    ...(options.services ?? [SERVICE]),
  ])
  const template = { metadata: {}, spec: { containers: [{ name: 'web' }] }, ...pod }
  const object = {
    apiVersion: 'v1',
    kind,
    ...(kind === 'Pod' ? template : { metadata: {}, spec: { template } }),
  } as JsonObject
  const reference = { apiVersion: 'v1', kind, namespace: 'shop', name: 'web' }
  return egressRule.apply({ operation, reference, object, oldObject: undefined, user: '' }, contextOf(state))
}

const reasonOf = ({ decisions: [decision] }: RuleResult): string | undefined => decision?.reason

t.test("values as Istio's injector takes them", (t) => {
  for (const value of ['*', '0.0.0.0/0', '10.0.0.0/8,192.168.0.0/16', '10.88.1.2/8', '10.0.0.0/8,fd00::/8']) {
    const result = apply(value)
    t.same(result.operations, [{ op: 'add', path: '/metadata/annotations', value: { [KEY]: value } }], value)
    t.same(result.warnings, [], `${value}: nothing to say`)
  }
  for (const value of ['', 'fd00::/8', '192.0.2.0/24']) {
    const result = apply(value)
    t.equal(result.operations.length, 1, `${JSON.stringify(value)} is copied`)
    t.match(result.warnings[0], /leaves out Service address 10\.96\.0\.1: .*\[istio-onramp\/egress-without-services\]$/)
  }
  for (const value of [
    '10.0.0.0/8, 11.0.0.0/8',
    '10.0.0.1',
    '*,10.0.0.0/8',
    '10.0.0.0/33',
    ' * ',
    '10.0.0.0/8,',
    'abc',
    ' ',
    'x'.repeat(5000),
  ]) {
    const result = apply(value)
    t.same(result.operations, [], `${value.slice(0, 30)} is not copied`)
    t.match(result.warnings[0], /Istio would refuse the pods: write .*\[istio-onramp\/egress-refused-by-istio\]$/)
    t.ok((result.warnings[0] ?? '').length <= 256, 'short enough for kubectl')
    t.same(result.refusedSettings, ['setting-refused'])
  }
  t.same(apply('192.0.2.0/24', { services: [] }).warnings, [], 'no address of a Service is known')
  t.end()
})

t.test('pods that get no ranges', (t) => {
  const cases: readonly (readonly [string, RuleResult, string | undefined])[] = [
    ['without the annotation', apply(undefined), undefined],
    ['with ranges of its own', apply('*', { pod: { metadata: { annotations: { [KEY]: '' } } } }), 'egress-own-ranges'],
    ['outside the mesh', apply('*', { labels: {} }), 'no-sidecar'],
    ['in ambient mode', apply('*', { labels: { 'istio.io/dataplane-mode': 'ambient' } }), 'ambient'],
    [
      'that Istio refuses',
      apply('*', { pod: { metadata: { annotations: { 'status.sidecar.istio.io/port': 'x' } } } }),
      'istio-refuses-pod',
    ],
    [
      'with a sidecar already',
      apply('*', {
        pod: {
          metadata: { annotations: { 'sidecar.istio.io/status': '{}' } },
          spec: { containers: [{ name: 'web' }, { name: 'istio-proxy' }] },
        },
      }),
      'egress-too-late',
    ],
    ['that exist', apply('*', { operation: 'UPDATE' }), undefined],
  ]
  for (const [title, result, reason] of cases) {
    t.equal(reasonOf(result), reason, title)
    t.same(result.operations, [], `${title}: untouched`)
  }
  t.end()
})

t.test('templates are never touched, and their warnings come when they are applied', (t) => {
  for (const kind of ['Deployment', 'StatefulSet', 'Job']) {
    t.match(apply('*', { kind }), {
      operations: [],
      decisions: [{ action: 'leave', reason: 'at-pod-creation', cause: 'egress-ip-ranges' }],
    })
    t.equal(apply('abc', { kind }).warnings.length, 1, kind)
  }
  t.end()
})

t.test('a pod without annotations, or without metadata, keeps what the other rules add', (t) => {
  const { state } = buildClusterState([
    namespaceObject(
      'shop',
      { 'istio-injection': 'enabled' },
      { 'istio-onramp.io/egress-ip-ranges': '*', 'istio-onramp.io/prepare-strict': 'true' },
    ),
  ])
  const spec = { containers: [{ name: 'web', livenessProbe: { httpGet: { port: 8080 } } }] }
  for (const object of [
    { spec },
    { metadata: { name: 'web' }, spec },
    { metadata: { annotations: { a: 'b' } }, spec },
  ]) {
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      request: {
        uid: '1',
        operation: 'CREATE',
        namespace: 'shop',
        kind: { group: '', version: 'v1', kind: 'Pod' },
        object,
      },
    }
    const decoded = decodeReview(review)
    if ('problem' in decoded) throw new Error(decoded.problem)
    const verdict = admit(decoded, contextOf(state))
    t.match(verdict, {
      kind: 'patch',
      after: { metadata: { annotations: { [KEY]: '*', 'istio-onramp.io/rewritten': String } } },
    })
  }
  const volume = { op: 'add', path: '/spec/volumes/0', value: { name: 'a' } } as const
  t.same(mergeAdded([volume, volume]), [volume, volume], 'elements of lists are not joined')
  t.end()
})
