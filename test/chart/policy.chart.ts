// The policy below the Ingress guard, in a real API server: what it denies while no server answers, and that it stays
// out of sight while one does. hack/chart/test starts the API server.
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import t from 'tap'
import { memberAt, type Json, type JsonObject } from '../../src/kubernetes/json.ts'
import { createDrain } from '../../src/server/drain.ts'
import { createMetrics } from '../../src/server/metrics.ts'
import { checkKeyPair } from '../../src/server/tls-files.ts'
import { createWebhookServer } from '../../src/server/webhook-server.ts'
import { contextOf, strictShop } from '../support/fixtures.ts'
import { NAME, NAMESPACE } from '../support/api-server/helm.ts'
import {
  backend,
  CHALLENGE,
  ingress,
  install,
  route,
  serverAt,
  SERVING,
  solver,
} from '../support/api-server/objects.ts'
import { createNamespace, done, kubectl } from '../support/api-server/kubectl.ts'
import { INGRESS_CASES } from '../support/ingress-cases.ts'

for (const name of [NAMESPACE, 'istio-system']) await createNamespace(name)

function setting(value: string): JsonObject {
  return { annotations: { 'istio-onramp.io/ingress': value } }
}

async function createMeshNamespaces(): Promise<void> {
  const injected = { 'istio-injection': 'enabled' }
  await createNamespace('shop', injected)
  await createNamespace('revision', { 'istio.io/rev': '1-29' })
  await createNamespace('ambient', { 'istio.io/dataplane-mode': 'ambient' })
  await createNamespace('plain')
  await createNamespace('opted-out', { 'istio-injection': 'disabled', 'istio.io/rev': '1-29' })
  for (const value of ['allow', 'warn', 'alow'])
    await createNamespace(`set-${value}`, injected, { 'istio-onramp.io/ingress': value })
}

t.test('while no server answers, the policy denies what the server would, and nothing that it would not', async (t) => {
  await createMeshNamespaces()
  await createNamespace('edge', { 'istio-injection': 'enabled' })
  const rules = { trustedIngressUsers: ['flagger'], gateway: { namespace: 'edge' } }
  const values = serverAt(1, { config: { rules } })
  await install(t, values)
  const gateway = backend('istio-ingressgateway')
  const bucket = { resource: { apiGroup: 'example.org', kind: 'Bucket', name: 'static' } }
  const rows: readonly (readonly [string, JsonObject, 'denied' | 'admitted'])[] = [
    ['injected namespace', ingress('shop', 'a', {}), 'denied'],
    ['namespace of a revision', ingress('revision', 'a', {}), 'denied'],
    ['ambient namespace', ingress('ambient', 'a', {}), 'denied'],
    ['namespace outside the mesh', ingress('plain', 'a', {}), 'admitted'],
    ['namespace that opted out', ingress('opted-out', 'a', {}), 'admitted'],
    ['excluded namespace', ingress('istio-system', 'a', {}), 'admitted'],
    ['namespace set to warn', ingress('set-warn', 'a', {}), 'admitted'],
    ['namespace set to allow', ingress('set-allow', 'a', {}), 'admitted'],
    ['namespace set to something else', ingress('set-alow', 'a', {}), 'denied'],
    ['own allow', ingress('shop', 'b', {}, setting('allow')), 'admitted'],
    ['own deny against the namespace', ingress('set-allow', 'b', {}, setting('deny')), 'denied'],
    ['own value that is none', ingress('shop', 'c', {}, setting('yes')), 'denied'],
    ['ACME solver', solver('shop', 'd', {}), 'admitted'],
    ['solver label, other path', solver('shop', 'e', { rules: [route('web', '/')] }), 'denied'],
    ['solver label, default backend', solver('shop', 'f', { defaultBackend: backend('web') }), 'denied'],
    ['class istio', ingress('shop', 'g', { ingressClassName: 'istio' }), 'admitted'],
    [
      'class istio as annotation',
      ingress('shop', 'h', {}, { annotations: { 'kubernetes.io/ingress.class': 'istio' } }),
      'admitted',
    ],
    ['another class', ingress('shop', 'i', { ingressClassName: 'nginx' }), 'denied'],
    [
      'leads to the gateway',
      ingress('edge', 'j', { rules: [route('istio-ingressgateway')], defaultBackend: gateway }),
      'admitted',
    ],
    ['leads to a Gateway API gateway', ingress('edge', 'k', { rules: [route('edge-istio')] }), 'admitted'],
    [
      'leads to the gateway and elsewhere',
      ingress('edge', 'l', { rules: [route('istio-ingressgateway'), route('web')] }),
      'denied',
    ],
    ['a default backend only', ingress('shop', 'm', { rules: [], defaultBackend: backend('web') }), 'denied'],
    ['a backend that is no Service', ingress('shop', 'n', { rules: [], defaultBackend: bucket }), 'denied'],
    [
      'a path without path',
      ingress('shop', 'o', { rules: [route('web', undefined, 'ImplementationSpecific')] }),
      'denied',
    ],
    ['a rule without http', ingress('shop', 'p', { rules: [{ host: 'shop.example.com' }] }), 'denied'],
  ]
  for (const [title, given, expected] of rows) {
    const { status, stderr } = await kubectl(['create', '-f', '-'], given)
    if (expected === 'admitted') t.equal(status, 0, `${title}: ${stderr}`)
    else t.match(stderr, policyDenial(given), title)
  }
  const asFlagger = ['--as=flagger', '--as-group=system:masters']
  t.equal((await kubectl([...asFlagger, 'create', '-f', '-'], ingress('shop', 'q', {}))).status, 0, 'trusted user')
  const generated = { ...ingress('shop', '', {}), metadata: { generateName: 'web-', namespace: 'shop' } }
  t.match((await kubectl(['create', '-f', '-'], generated)).stderr, /Ingress shop\/web-\w{5} is denied/)
})

/** One line, as kubectl prints it: the reason, the Ingress, what to do, the exception, and never an error of CEL. */
function policyDenial(given: JsonObject): RegExp {
  const [name, namespace] = ['name', 'namespace'].map((key) => String(memberAt(given, 'metadata', key)))
  return new RegExp(
    `^Error from server \\(Forbidden\\): .*denied request: Ingress ${namespace}/${name} is denied: the namespace is ` +
      `in the Istio mesh.*istio-onramp convert -f FILE.* To allow this .*istio-onramp.io/ingress: "allow".*\\n$`,
  )
}

t.test('the policy answers the table of the rule, each write on its own', async (t) => {
  await createNamespace('table')
  const named = (object: JsonObject, index: number): JsonObject => ({
    ...object,
    metadata: { ...(object['metadata'] as JsonObject), name: `case-${index}`, namespace: 'table' },
  })
  for (const [index, { before }] of INGRESS_CASES.entries()) {
    if (before === undefined) continue
    await done(['create', '-f', '-'], named(before, index))
    if (memberAt(before, 'metadata', 'deletionTimestamp') !== undefined)
      await done(['delete', `ingress/case-${index}`, '-n', 'table', '--wait=false'])
  }
  await done(['label', 'namespace', 'table', 'istio-injection=enabled'])
  await install(t, serverAt(1))
  for (const [index, { title, before, after, policy }] of INGRESS_CASES.entries()) {
    const verb = before === undefined ? 'create' : 'replace'
    const { status, stderr } = await kubectl([verb, '-f', '-'], named(after, index))
    if (policy === 'admitted') t.equal(status, 0, `${title}: ${stderr}`)
    // The API server itself refuses some of these paths, and both classes at once.
    else
      t.match(
        stderr,
        /Ingress table\/case-\d+ is denied|spec\.rules\[\d\]\.http\.paths.*Invalid value|ingress\.class.*Invalid value/,
        title,
      )
  }
})

t.test('rules.ingressExemptions: the policy heeds the same annotations as the rule', async (t) => {
  const injected = { 'istio-injection': 'enabled' }
  await createNamespace('exempt-allow', injected, { 'istio-onramp.io/ingress': 'allow' })
  await createNamespace('exempt-none', injected)
  // | exemptions | namespace exempts | Ingress exempts |
  const rows: readonly (readonly [string, boolean, boolean])[] = [
    ['object', true, true],
    ['namespace', true, false],
    ['none', false, false],
  ]
  for (const [ingressExemptions, byNamespace, byObject] of rows) {
    await t.test(ingressExemptions, async (t) => {
      await install(t, serverAt(1, { config: { rules: { ingressExemptions } } }))
      const write = async (object: JsonObject) =>
        (await kubectl(['create', '--dry-run=server', '-f', '-'], object)).status === 0
      t.equal(await write(ingress('exempt-allow', 'a', {})), byNamespace, 'the namespace allows')
      t.equal(await write(ingress('exempt-none', 'b', {}, setting('allow'))), byObject, 'the Ingress allows')
      t.equal(await write(ingress('exempt-allow', 'c', {}, setting('deny'))), false, 'the Ingress tightens')
    })
  }
})

t.test('Ingresses from before the mesh can be kept, edited around, renewed and deleted', async (t) => {
  await createNamespace('legacy')
  await createNamespace('leaving')
  await install(t, serverAt(1))
  for (const namespace of ['legacy', 'leaving'])
    await done(['create', '-f', '-'], ingress(namespace, 'web', {}, { finalizers: ['example.org/balancer'] }))
  await done(['label', 'namespace', 'legacy', 'leaving', 'istio-injection=enabled'])
  await done(['delete', 'ingress/web', '-n', 'leaving', '--wait=false'])
  await sleep(300)

  const add = (path: string, value: Json): string => JSON.stringify([{ op: 'add', path, value }])
  const challenge = { path: CHALLENGE, pathType: 'Exact', backend: backend('cm-acme') }
  const patches: readonly (readonly [string, string, string, 'denied' | 'admitted'])[] = [
    ['a label', 'legacy', add('/metadata/labels', { a: 'b' }), 'admitted'],
    ['a challenge among its paths', 'legacy', add('/spec/rules/0/http/paths/0', challenge), 'admitted'],
    [
      'a challenge of a host of its own',
      'legacy',
      add('/spec/rules/0', { host: 'a.example.com', http: { paths: [challenge] } }),
      'admitted',
    ],
    ['another host', 'legacy', add('/spec/rules/1/host', 'other.example.com'), 'denied'],
    ['another path', 'legacy', add('/spec/rules/1/http/paths/1/path', '/other'), 'denied'],
    ['another class', 'legacy', add('/spec/ingressClassName', 'nginx'), 'denied'],
    ['a certificate', 'legacy', add('/spec/tls', [{ hosts: ['shop.example.com'], secretName: 'tls' }]), 'denied'],
    ['a default backend', 'legacy', add('/spec/defaultBackend', backend('web')), 'denied'],
    ['its spec while it is being deleted', 'leaving', add('/spec/ingressClassName', 'nginx'), 'denied'],
    ['its finalizer', 'leaving', JSON.stringify([{ op: 'remove', path: '/metadata/finalizers' }]), 'admitted'],
  ]
  for (const [title, namespace, patch, expected] of patches) {
    const { status, stderr } = await kubectl(['patch', 'ingress/web', '-n', namespace, '--type=json', '-p', patch])
    if (expected === 'admitted') t.equal(status, 0, `${title}: ${stderr}`)
    else t.match(stderr, policyDenial(ingress(namespace, 'web', {})), title)
  }
  t.match((await kubectl(['get', 'ingress/web', '-n', 'leaving'])).stderr, /NotFound/, 'gone')
})

t.test('the API server finds nothing to warn of in the types of the policy', async (t) => {
  await install(t, serverAt(1))
  const status = async (): Promise<string> =>
    await done(['get', 'validatingadmissionpolicy', 'istio-onramp-ingress', '-o', 'jsonpath={.status}'])
  // A controller fills it in; a misspelt field would stand in `expressionWarnings`.
  for (let tries = 0; tries < 50 && !(await status()).includes('typeChecking'); tries += 1) await sleep(200)
  t.same(JSON.parse(await status()), { observedGeneration: 1, typeChecking: {} })
})

t.test('the policy follows the configured default, and namespaces still say otherwise', async (t) => {
  await createMeshNamespaces()
  await createNamespace('set-deny', { 'istio-injection': 'enabled' }, { 'istio-onramp.io/ingress': 'deny' })
  await install(t, serverAt(1, { config: { rules: { ingress: 'warn' } } }))
  t.equal((await kubectl(['create', '-f', '-'], ingress('shop', 'warned', {}))).status, 0)
  const denied = ingress('set-deny', 'denied', {})
  t.match((await kubectl(['create', '-f', '-'], denied)).stderr, policyDenial(denied))
})

t.test('while the server answers, kubectl shows its YAML and not the line of the policy', async (t) => {
  await createNamespace('shop', { 'istio-injection': 'enabled' })
  const app = createWebhookServer({
    keyPair: checkKeyPair(SERVING.cert, SERVING.key),
    tls: { minVersion: 'VersionTLS13' },
    limits: { requestBytes: 2 ** 25, inFlightBytes: 2 ** 27 },
    log: pino({ level: 'silent' }),
    drain: createDrain(),
    metrics: createMetrics(),
    context: () => contextOf(strictShop()),
    notReady: () => undefined,
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    app.server.closeAllConnections()
    await app.close()
  })
  await install(t, serverAt((app.server.address() as AddressInfo).port))
  const { stderr } = await kubectl(['create', '-f', '-'], ingress('shop', 'shown', {}))
  t.match(
    stderr,
    /^Error from server \(Forbidden\): .*admission webhook "ingress\.istio-onramp\.io" denied the request/,
  )
  t.match(stderr, /\nkind: VirtualService\n/)
  t.notMatch(stderr, /ValidatingAdmissionPolicy/)
  t.equal((await kubectl(['get', `deployment/${NAME}`, '-n', NAMESPACE])).status, 0, 'the release is there')
})
