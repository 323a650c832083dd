// What holds for every pod and for any JSON at all, not only for the examples.
import fc from 'fast-check'
import { applyPatch as applyWithRfc6902 } from 'rfc6902'
import t from 'tap'
import { admit } from '../../src/admission/admit.ts'
import { provePatch } from '../../src/admission/prove-patch.ts'
import { decodeReview, encodeReview, type AdmissionRequest } from '../../src/admission/review.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { parseManifests } from '../../src/cluster/manifest.ts'
import { InputError } from '../../src/errors.ts'
import type { Json, JsonObject } from '../../src/kubernetes/json.ts'
import { contextOf, peerAuthentication, strictShop } from '../support/fixtures.ts'
import { propertyRuns, triedText } from '../support/property-runs.ts'

const open = peerAuthentication('shop', 'web', {
  selector: { matchLabels: { app: 'web' } },
  mtls: { mode: 'STRICT' },
  portLevelMtls: { 8081: { mode: 'PERMISSIVE' } },
})
const RUNS = propertyRuns(100)
const context = contextOf(strictShop({}, open), { templates: 'rewrite' })

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>
const port = fc.oneof(fc.integer({ min: 1, max: 65535 }), fc.constantFrom('http', 'nosuch', 8080, 8081, 15020))
const text = fc.oneof(fc.string(), fc.constantFrom('/healthz', '$(POD_IP)', '__proto__', 'a/b~c', ''))
const handler = fc.oneof(
  fc.record({
    httpGet: fc.record(
      {
        port,
        path: text,
        scheme: fc.constantFrom('HTTP', 'HTTPS'),
        httpHeaders: fc.array(fc.record({ name: text, value: text }), { maxLength: 2 }),
      },
      { requiredKeys: ['port'] },
    ),
  }),
  fc.record({ tcpSocket: fc.record({ port, host: text }, { requiredKeys: ['port'] }) }),
  fc.record({
    grpc: fc.record({ port: fc.integer({ min: 1, max: 65535 }), service: text }, { requiredKeys: ['port'] }),
  }),
  fc.record({ exec: fc.record({ command: fc.array(text) }) }),
  json.map((value) => ({ httpGet: value })),
)
const probe = fc
  .tuple(
    handler,
    fc.record({ timeoutSeconds: fc.integer({ min: 0, max: 60 }), futureField: json }, { requiredKeys: [] }),
  )
  .map(([one, more]) => ({ ...more, ...one }))
const containerArbitrary = fc.record(
  {
    name: fc.constantFrom('web', 'worker', 'side', 'istio-proxy'),
    ports: fc.constant([{ name: 'http', containerPort: 8080 }]),
    livenessProbe: probe,
    readinessProbe: probe,
    startupProbe: probe,
    lifecycle: fc.record({ preStop: handler, postStart: handler }, { requiredKeys: [] }),
    env: fc.array(fc.record({ name: text, value: text }), { maxLength: 2 }),
    volumeMounts: fc.array(fc.record({ name: text, mountPath: text }), { maxLength: 2 }),
    futureField: json,
  },
  { requiredKeys: ['name'] },
)
const annotations = fc.dictionary(
  fc.constantFrom(
    'istio-onramp.io/probes',
    'istio-onramp.io/probe-port',
    'istio-onramp.io/rewritten',
    'sidecar.istio.io/rewriteAppHTTPProbers',
    'example.com/a~b',
    '__proto__',
  ),
  fc.oneof(fc.constantFrom('auto', 'exec', 'port', 'agent', 'off', '8081', 'web=8081', '{}', 'false'), fc.string()),
)
const metadata = fc.record(
  { name: fc.constant('web'), namespace: fc.constant('shop'), labels: fc.constant({ app: 'web' }), annotations },
  { requiredKeys: ['name', 'namespace'] },
)
const spec = fc.record(
  {
    containers: fc.array(containerArbitrary, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(containerArbitrary, { maxLength: 2 }),
    volumes: fc.constant([{ name: 'v', emptyDir: {} }]),
    futureField: json,
  },
  { requiredKeys: ['containers'] },
)
const podArbitrary = fc
  .record({ metadata, spec })
  .map((parts) => ({ apiVersion: 'v1', kind: 'Pod', ...parts }) as JsonObject)
const deploymentArbitrary = fc.record({ metadata, template: fc.record({ metadata, spec }) }).map(
  (parts) =>
    ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: parts.metadata,
      spec: { template: parts.template },
    }) as JsonObject,
)
const objectArbitrary = fc.oneof(podArbitrary, deploymentArbitrary)

function requestFor(object: Json, kind: string): AdmissionRequest {
  return {
    uid: 'u',
    apiVersion: 'admission.k8s.io/v1',
    operation: 'CREATE',
    kind,
    group: '',
    version: 'v1',
    namespace: 'shop',
    name: 'web',
    dryRun: false,
    user: '',
    object,
    oldObject: null,
  }
}

t.test('the patched object through the rules again gives an empty patch', (t) => {
  fc.assert(
    fc.property(objectArbitrary, (object) => {
      const after = admitted(object)
      return after === undefined || admit(requestFor(after, String(after['kind'])), context).kind !== 'patch'
    }),
    RUNS,
  )
  t.pass(triedText(RUNS, 'objects'))
  t.end()
})

t.test('a second JSON Patch library makes the same object of it, and nothing else changes', (t) => {
  fc.assert(
    fc.property(objectArbitrary, (object) => {
      const verdict = admit(requestFor(object, String(object['kind'])), context)
      if (verdict.kind !== 'patch') return true
      const copy = structuredClone(object)
      const errors = applyWithRfc6902(copy, structuredClone(verdict.operations) as never).filter(
        (error) => error !== null,
      )
      return (
        errors.length === 0 &&
        JSON.stringify(copy, sorted) === JSON.stringify(admitted(object), sorted) &&
        keepsUnknownFields(object, copy)
      )
    }),
    RUNS,
  )
  t.pass(triedText(RUNS, 'objects'))
  t.end()
})

function admitted(object: JsonObject): JsonObject | undefined {
  const verdict = admit(requestFor(object, String(object['kind'])), context)
  if (verdict.kind !== 'patch') return undefined
  const proof = provePatch(object, verdict.operations)
  if ('problem' in proof) throw new Error(proof.problem)
  return proof.result
}

/** The order of keys does not belong to a JSON value. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

/** Every `futureField` is where it was, as far as it can be found by name. */
function keepsUnknownFields(before: Json, after: Json): boolean {
  const fields = (value: Json): string[] => JSON.stringify(value).match(/"futureField":/g) ?? []
  return fields(before).length === fields(after).length
}

t.test('a patch stays in proportion to what it changes', (t) => {
  fc.assert(
    fc.property(objectArbitrary, (object) => {
      const verdict = admit(requestFor(object, String(object['kind'])), context)
      const size = verdict.kind === 'patch' ? JSON.stringify(verdict.operations).length : 0
      return (
        size <= 4096 + 8 * JSON.stringify(object).length &&
        verdict.warnings.every((line) => line.length <= 256 && !/\p{Cc}/u.test(line))
      )
    }),
    RUNS,
  )
  t.pass(triedText(RUNS, 'objects'))
  t.end()
})

t.test('any JSON at all is answered and never throws', (t) => {
  const kinds = fc.constantFrom('Pod', 'Deployment', 'CronJob', 'Ingress', 'PeerAuthentication', 'Nonsense')
  fc.assert(
    fc.property(
      fc.oneof(
        json,
        podArbitrary,
        json.map((value) => ({ spec: value, metadata: value })),
      ),
      json,
      kinds,
      (object, oldObject, kind) => {
        const request = { ...requestFor(object, kind), operation: 'UPDATE', oldObject } as const
        const answer = JSON.parse(encodeReview(request, admit(request, context))) as JsonObject
        return answer['kind'] === 'AdmissionReview'
      },
    ),
    RUNS,
  )
  fc.assert(
    fc.property(json, (body) => 'problem' in decodeReview(body) || 'uid' in decodeReview(body)),
    RUNS,
  )
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          apiVersion: fc.constantFrom('v1', 'security.istio.io/v1', 'admissionregistration.k8s.io/v1'),
          kind: fc.constantFrom(
            'Namespace',
            'PeerAuthentication',
            'ConfigMap',
            'MutatingWebhookConfiguration',
            'Service',
          ),
          metadata: json,
          spec: json,
          data: json,
          webhooks: json,
        }),
      ),
      (objects) => {
        buildClusterState(objects as readonly JsonObject[])
        return true
      },
    ),
    RUNS,
  )
  t.pass(triedText(RUNS, 'values of each kind'))
  t.end()
})

t.test('any text is a list of manifests or an InputError', (t) => {
  const yaml = fc.oneof(
    fc.string(),
    fc
      .array(
        fc.constantFrom(
          'a: 1',
          '- x',
          '---',
          '{',
          '}',
          '&a',
          '*a',
          '? ',
          ': ',
          '"',
          '\t',
          '<<: *a',
          'kind: List',
          'items: [{}]',
        ),
      )
      .map((lines) => lines.join('\n')),
  )
  fc.assert(
    fc.property(yaml, (source) => {
      try {
        return Array.isArray(parseManifests(source, 'x.yaml'))
      } catch (error) {
        return error instanceof InputError && error.problems.every((problem) => problem.startsWith('x.yaml, document'))
      }
    }),
    RUNS,
  )
  t.pass(triedText(RUNS, 'texts'))
  t.end()
})
