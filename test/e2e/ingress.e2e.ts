// An Ingress in an Istio namespace, as kubectl users meet its denial; what is admitted all the same; and the policy below,
// which denies while no server answers. What the policy admits and denies in detail is test/chart/policy.chart.ts.
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { helm } from '../support/api-server/helm.ts'
import { done, kubeconfig, kubectl } from '../support/api-server/kubectl.ts'
import { CHALLENGE, ingress, route, solver } from '../support/api-server/objects.ts'
import { auditMark, auditSince } from './support/audit.ts'
import { meshNamespace, standUp, until } from './support/stand.ts'

const stand = await standUp()
await meshNamespace('shop')
const DENIED =
  /denied the request: Ingress shop\/\S+ is denied: the namespace is in the Istio mesh, .*\[istio-onramp\/ingress-in-mesh\]/

/** The denial of the server: its YAML, as it is, and not the line of the policy. */
function isOurs(text: string): boolean {
  return (
    DENIED.test(text) &&
    /^kind: Gateway$/m.test(text) &&
    /^kind: VirtualService$/m.test(text) &&
    !text.includes('Policy')
  )
}

/** An Ingress that was there before the namespace came into the mesh. */
async function legacy(name: string, metadata: JsonObject = {}): Promise<void> {
  await done(['annotate', 'namespace', 'shop', '--overwrite', 'istio-onramp.io/ingress=allow'])
  await until(
    'Ingresses are allowed',
    async () => (await create(ingress('shop', 'probe', {}), '--dry-run=server')) === '',
  )
  await done(['create', '-f', '-'], ingress('shop', name, {}, metadata))
  await done(['annotate', 'namespace', 'shop', 'istio-onramp.io/ingress-'])
  await until(
    'they are denied again',
    async () => (await create(ingress('shop', 'probe', {}), '--dry-run=server')) !== '',
  )
}

async function create(object: JsonObject, ...more: readonly string[]): Promise<string> {
  return (await kubectl(['create', '-f', '-', ...more], object)).stderr
}

t.test('helm prints it whole, behind its own words', (t) => {
  const chart = t.testdir({
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 0.1.0\n',
    templates: { 'ingress.yaml': JSON.stringify(ingress('shop', 'helm', {})) },
  })
  const { status, stderr } = helm(['install', 'shop', chart, '--namespace', 'shop', '--kubeconfig', kubeconfig()])
  t.equal(status, 1)
  t.match(stderr, /^Error: INSTALLATION FAILED: .*admission webhook "ingress\.istio-onramp\.io" denied the request: /s)
  t.ok(isOurs(stderr), stderr)
  t.end()
})

t.test('every command that writes one prints what to apply instead', async (t) => {
  await legacy('old')
  const object = ingress('shop', 'web', {})
  const changed = ingress('shop', 'old', { rules: [route('other')] })
  const rows: readonly (readonly [string, readonly string[], JsonObject | string, RegExp])[] = [
    [
      'create',
      ['create', '-f', '-'],
      object,
      /^Error from server \(Forbidden\): error when creating "STDIN": admission webhook "ingress\.istio-onramp\.io" denied/,
    ],
    ['apply', ['apply', '-f', '-'], object, /^Error from server \(Forbidden\): error when creating "STDIN": admission/],
    ['a dry run', ['apply', '--dry-run=server', '-f', '-'], object, /^Error from server \(Forbidden\)/],
    [
      'server-side',
      ['apply', '--server-side', '-f', '-'],
      object,
      /^Error from server \(Forbidden\): admission webhook/,
    ],
    [
      'create ingress',
      ['create', 'ingress', 'web', '-n', 'shop', '--rule=shop.example.com/*=web:80'],
      '',
      /^error: failed to create ingress: admission webhook/,
    ],
    [
      'replace',
      ['replace', '-f', '-'],
      changed,
      /^Error from server \(Forbidden\): error when replacing "STDIN": admission/,
    ],
    [
      'patch',
      ['patch', 'ingress/old', '-n', 'shop', '--type=merge', '-p', '{"spec":{"ingressClassName":"nginx"}}'],
      '',
      /^Error from server \(Forbidden\): admission webhook/,
    ],
    ['diff', ['diff', '-f', '-'], object, /^Error from server \(Forbidden\): admission webhook/],
  ]
  for (const [title, args, input, first] of rows) {
    const { status, stderr } = await kubectl(args, input)
    t.not(status, 0, title)
    t.match(stderr, first, title)
    t.ok(isOurs(stderr), `${title}: ${stderr}`)
  }
  const existing = await kubectl(['apply', '-f', '-'], changed)
  const prints = existing.stderr.split('\n').find((line) => line.startsWith('Error'))
  t.equal(prints, 'Error from server (Forbidden): error when applying patch:', 'kubectl prints the whole patch first')
  t.ok(isOurs(existing.stderr), 'so the message names its object itself')
  t.match(memberAt(JSON.parse(await done(['get', 'ingress/old', '-n', 'shop', '-o', 'json'])), 'spec', 'rules'), [
    { http: { paths: [{ backend: { service: { name: 'web' } } }] } },
  ])
})

t.test('what the denial says to apply can be applied', async (t) => {
  const lines = (await create(ingress('shop', 'web', {}))).split('\n')
  const documents = lines.slice(lines.indexOf('---'), lines.lastIndexOf('---')).join('\n')
  const kinds = parseAllDocuments(documents).map((document) => memberAt(document.toJS() as JsonObject, 'kind'))
  t.same(kinds.filter((kind) => kind !== undefined).toSorted(), ['Gateway', 'VirtualService'])
  // Istio's own definitions and its validating webhook judge it.
  const { status, stdout, stderr } = await kubectl(['apply', '-f', '-'], documents)
  t.equal(status, 0, stderr)
  t.match(
    stdout,
    /gateway\.networking\.istio\.io\/\S+ created[\s\S]*virtualservice\.networking\.istio\.io\/\S+ created/,
  )
})

t.test('what must never be stopped is not: challenges, label changes, finalizers, deletion', async (t) => {
  await legacy('kept', { finalizers: ['example.org/load-balancer'] })
  const target = ['ingress/kept', '-n', 'shop']
  const json = (...operations: readonly JsonObject[]): string[] => ['--type=json', '-p', JSON.stringify(operations)]
  const challenge = {
    path: CHALLENGE,
    pathType: 'Exact',
    backend: { service: { name: 'cm-acme', port: { number: 8089 } } },
  }
  t.equal(await create(solver('shop', 'cm-acme-solver', {})), '', 'an ACME solver')
  const rows: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      'a label',
      ['label', ...target, 'a=b'],
      /^Warning: Ingress shop\/kept: .*\[istio-onramp\/ingress-spec-unchanged\]\n$/,
    ],
    [
      'the status',
      [
        'patch',
        ...target,
        '--subresource=status',
        '--type=merge',
        '-p',
        '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}',
      ],
      /^$/,
    ],
    [
      'a challenge in it',
      ['patch', ...target, ...json({ op: 'add', path: '/spec/rules/0/http/paths/-', value: challenge })],
      /^$/,
    ],
    ['deletion', ['delete', ...target, '--wait=false'], /^$/],
  ]
  const finalizer = json({ op: 'remove', path: '/metadata/finalizers' })
  for (const [title, args, printed] of rows) {
    const { status, stderr } = await kubectl(args)
    t.equal(status, 0, `${title}: ${stderr}`)
    t.match(stderr, printed, title)
  }
  const another = await kubectl([
    'patch',
    ...target,
    ...json({ op: 'add', path: '/spec/ingressClassName', value: 'nginx' }),
  ])
  t.match(another.stderr, /Ingress shop\/kept is denied/, 'a finalizer that holds it is no licence for another spec')
  t.match(await kubectl(['patch', ...target, ...finalizer]), { status: 0, stderr: /^$/ }, 'its finalizer')
  t.match((await kubectl(['get', ...target])).stderr, /NotFound/, 'it is gone')
})

t.test('annotations make exceptions; a value that is not allowed makes none, and is named', async (t) => {
  const annotated = (name: string, value: string): JsonObject =>
    ingress('shop', name, {}, { annotations: { 'istio-onramp.io/ingress': value } })
  t.equal(await create(annotated('allowed', 'allow')), '')
  t.match(
    await create(annotated('warned', 'warn')),
    /^Warning: Ingress shop\/warned: .*\[istio-onramp\/ingress-in-mesh\]\n/,
  )
  const refused = await create(annotated('refused', 'yes'))
  t.match(
    refused,
    /^Warning: Ingress shop\/refused: annotation istio-onramp\.io\/ingress is "yes"; allowed are deny, warn, allow; it is ignored \[istio-onramp\/setting-refused\]\n/,
  )
  t.ok(isOurs(refused))
  await meshNamespace('shop-warn', { 'istio-onramp.io/ingress': 'warn' })
  t.match(await create(ingress('shop-warn', 'web', {})), /^Warning: Ingress shop-warn\/web: .*\n$/m)
  t.match(
    await create({
      ...annotated('strict', 'deny'),
      metadata: { name: 'strict', namespace: 'shop-warn', annotations: { 'istio-onramp.io/ingress': 'deny' } },
    }),
    /\(Forbidden\)/,
  )
  await done(['create', 'namespace', 'plain'])
  t.equal(await create(ingress('plain', 'web', {})), '', 'outside the mesh an Ingress is an Ingress')
})

t.test(
  'a denial is one call: neither policy nor validating webhook is reached, and the audit log says who denied',
  async (t) => {
    const before = await Promise.all(
      stand.servers().map((server) => server.metric(/^istio_onramp_admission_requests_total\{.*kind="Ingress"/)),
    )
    const mark = auditMark()
    await create(ingress('shop', 'audited', {}))
    const after = await Promise.all(
      stand.servers().map((server) => server.metric(/^istio_onramp_admission_requests_total\{.*kind="Ingress"/)),
    )
    t.same(
      after,
      before.map((count) => count + 1),
    )
    const [event] = auditSince(mark).filter(({ objectRef }) => objectRef?.resource === 'ingresses')
    t.match(event, {
      responseStatus: { code: 403 },
      annotations: { 'ingress.istio-onramp.io/reason': 'ingress-in-mesh' },
    })
  },
)

t.test('while no server answers the policy denies what the server denied, in a line of its own', async (t) => {
  await stand.scale(0)
  const denied = await create(ingress('shop', 'net', {}))
  t.match(
    denied,
    /^Error from server \(Forbidden\): .*ingresses\.networking\.k8s\.io "net" is forbidden: ValidatingAdmissionPolicy 'istio-onramp-ingress' with binding '\S+' denied request: Ingress shop\/net is denied: the namespace is in the Istio mesh, .*istio-onramp convert -f FILE.*\[istio-onramp\/ingress-in-mesh\]\n$/,
  )
  t.equal(await create(ingress('shop-warn', 'net', {})), '', 'the namespace is asked by the policy as well')
  t.equal(await create(solver('shop', 'cm-acme-solver-2', {})), '', 'certificates are renewed without us')
  t.equal((await kubectl(['delete', 'ingress/warned', '-n', 'shop'])).status, 0)
  await stand.scale(1)
  await sleep(100)
  t.ok(isOurs(await create(ingress('shop', 'net', {}))), 'and steps back when a server is there')
})
