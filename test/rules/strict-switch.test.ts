// The guard of the switch to STRICT, by the truth table of strict-switch-rule.ts.
import t from 'tap'
import { admit } from '../../src/admission/admit.ts'
import type { AdmissionRequest } from '../../src/admission/review.ts'
import type { Verdict } from '../../src/admission/verdict.ts'
import type { ClusterState } from '../../src/cluster/cluster-state.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import type { RuleConfiguration } from '../../src/rules/configuration.ts'
import { createSwitchLog } from '../../src/server/switches.ts'
import { contextOf, namespaceObject, peerAuthentication } from '../support/fixtures.ts'
import { deployment, mesh, service } from '../readiness/support/mesh.ts'

const PROBED = { livenessProbe: { httpGet: { port: 8080 } } }
const workloads = ['a', 'b', 'c', 'd', 'e'].map((name) => deployment(name, PROBED))
const cluster = mesh(workloads)
const strict = (namespace = 'shop', annotations: JsonObject = {}): JsonObject => {
  const policy = peerAuthentication(namespace, 'default', { mtls: { mode: 'STRICT' } })
  return { ...policy, metadata: { namespace, name: 'default', annotations } }
}

function request(object: JsonObject, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const { namespace = '' } = object['metadata'] as { namespace?: string }
  return {
    uid: '1',
    apiVersion: 'admission.k8s.io/v1',
    operation: 'CREATE',
    kind: 'PeerAuthentication',
    group: 'security.istio.io',
    version: 'v1',
    namespace,
    name: 'default',
    dryRun: false,
    user: 'argocd',
    object,
    oldObject: null,
    ...changes,
  }
}

function decide(object: JsonObject, state: ClusterState = cluster, rules: Partial<RuleConfiguration> = {}): Verdict {
  return admit(request(object), contextOf(state, rules))
}

t.test('a switch that breaks workloads is warned about, in at most six lines', (t) => {
  const verdict = decide(strict())
  t.equal(verdict.kind, 'warn')
  t.ok(verdict.warnings.length <= 6)
  t.match(verdict.warnings[0], /5 errors in 5 objects; open connections close up to 45 s later/)
  t.match(verdict.warnings[1], /Deployment shop\/a, a livenessProbe: .* port 8080 is STRICT/)
  t.match(verdict.warnings.at(-1), /istio-onramp check -n shop --assume-strict shop/)
  t.end()
})

t.test('what the answer rests on', (t) => {
  const denied = { strictSwitch: 'deny' } as const
  const cases: readonly (readonly [string, Verdict, Verdict['kind'], string])[] = [
    ['the configuration denies', decide(strict(), cluster, denied), 'deny', 'strict-switch-breaks'],
    [
      'the namespace denies',
      decide(
        strict(),
        mesh([
          ...workloads,
          namespaceObject('shop', { 'istio-injection': 'enabled' }, { 'istio-onramp.io/strict-switch': 'deny' }),
        ]),
      ),
      'deny',
      'strict-switch-breaks',
    ],
    [
      'the policy allows itself',
      decide(strict('shop', { 'istio-onramp.io/strict-switch': 'allow' }), cluster, denied),
      'allow',
      'strict-switch-allowed',
    ],
    [
      'the policy may only tighten',
      decide(strict('shop', { 'istio-onramp.io/strict-switch': 'allow' }), cluster, {
        ...denied,
        strictSwitchExemptions: 'namespace',
      }),
      'deny',
      'strict-switch-breaks',
    ],
    [
      'a bad value is a warning that names the key',
      decide(strict('shop', { 'istio-onramp.io/strict-switch': 'no' }), mesh([])),
      'warn',
      'strict-switch-harmless',
    ],
    ['nothing breaks', decide(strict(), mesh([deployment('a')]), denied), 'allow', 'strict-switch-harmless'],
    [
      'it is STRICT already',
      decide(strict(), mesh([...workloads, strict()]), denied),
      'allow',
      'strict-switch-harmless',
    ],
    [
      'loosening',
      decide(
        peerAuthentication('shop', 'default', { mtls: { mode: 'DISABLE' } }),
        mesh([...workloads, strict()]),
        denied,
      ),
      'allow',
      'strict-switch-harmless',
    ],
    [
      'the whole mesh, from the root namespace',
      decide(strict('istio-system'), cluster, denied),
      'deny',
      'strict-switch-breaks',
    ],
    [
      'a policy that cannot be read',
      decide(peerAuthentication('shop', 'default', { mtls: { mode: 'strict' } }), cluster, denied),
      'allow',
      'malformed',
    ],
  ]
  for (const [title, verdict, kind, reason] of cases) {
    t.equal(verdict.kind, kind, title)
    t.equal(verdict.reason, reason, title)
  }
  t.end()
})

t.test('DELETE is always admitted', (t) => {
  const verdict = admit(request(strict(), { operation: 'DELETE' }), contextOf(cluster, { strictSwitch: 'deny' }))
  t.equal(verdict.kind, 'allow')
  t.end()
})

t.test('an exemption is recorded', (t) => {
  const verdict = decide(strict('shop', { 'istio-onramp.io/strict-switch': 'allow' }), cluster, {
    strictSwitch: 'deny',
  })
  t.same(verdict.exemptions, [{ rule: 'strict-switch', by: 'object', setting: 'allow' }])
  t.end()
})

t.test('a denial names the worst, their fix and the way on', (t) => {
  const verdict = decide(strict(), mesh([...workloads, service('a', { type: 'LoadBalancer' })]), {
    strictSwitch: 'deny',
  })
  t.match(
    verdict.kind === 'deny' ? verdict.message : '',
    /is denied: it breaks running workloads \(6 errors.*fix: .*and 3 more\..*45 s later, so a quiet minute proves nothing.*--assume-strict shop/s,
  )
  t.end()
})

t.test('warned switches of the last day are kept, dry runs and harmless ones are not', (t) => {
  let now = Date.parse('2026-11-27T10:00:00Z')
  const log = createSwitchLog(() => now)
  log.record(request(strict()), decide(strict()))
  log.record(request(strict(), { dryRun: true }), decide(strict()))
  log.record(request(strict()), decide(strict(), mesh([])))
  t.same(log.list(), [
    {
      time: '2026-11-27T10:00:00.000Z',
      user: 'argocd',
      namespace: 'shop',
      name: 'default',
      operation: 'CREATE',
      action: 'warn',
      counts: '5 errors in 5 objects',
    },
  ])
  now += 86_400_001
  t.same(log.list(), [])
  t.end()
})
