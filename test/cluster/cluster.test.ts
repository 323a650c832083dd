// The cluster from manifests: what is read, what is absent, what is refused and how the error names it.
import t from 'tap'
import { clusterFromFiles } from '../../src/cluster/cluster-from-files.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { parseManifests } from '../../src/cluster/manifest.ts'
import { InputError } from '../../src/errors.ts'
import { readManifests } from '../../src/cluster/manifest-files.ts'
import { workloadModes } from '../../src/istio/peer-authentication.ts'
import { namespaceObject, peerAuthentication } from '../support/fixtures.ts'

function problemsOf(action: () => unknown): readonly string[] {
  try {
    action()
  } catch (error) {
    if (error instanceof InputError) return error.problems
    throw error
  }
  return []
}

async function problemsOfAsync(action: () => Promise<unknown>): Promise<readonly string[]> {
  try {
    await action()
  } catch (error) {
    if (error instanceof InputError) return error.problems
    throw error
  }
  return []
}

t.test('documents, Lists, JSON and empty documents', (t) => {
  const source = [
    '# head',
    'apiVersion: v1',
    'kind: List',
    'items:',
    '- {apiVersion: v1, kind: A, metadata: {name: a}}',
    '- {apiVersion: v1, kind: BList, items: [{apiVersion: v1, kind: B}]}',
    '---',
    '---',
    '{"apiVersion": "v1", "kind": "C"}',
    '---',
    '',
  ].join('\n')
  const manifests = parseManifests(source, 'x.yaml')
  t.same(
    manifests.map(({ object, source: place }) => [object['kind'], place.document, place.line, place.path]),
    [
      ['A', 1, 5, ['items', 0]],
      ['B', 1, 6, ['items', 1, 'items', 0]],
      ['C', 3, 9, []],
    ],
  )
  t.end()
})

t.test('each item of a JSON List has its line, in any layout', (t) => {
  const item = (name: string) => ({
    apiVersion: 'v1',
    kind: 'A',
    metadata: { name, labels: { items: '[{' } },
    items: [{}],
  })
  const inner = { apiVersion: 'v1', kind: 'BList', items: [item('b')] }
  const lines = (value: unknown, indent: number | undefined) => {
    const text = JSON.stringify(value, null, indent)
    return parseManifests(text, 'x.json').map(({ object, source: { line } }) => {
      const { name } = (object as { metadata: { name: string } }).metadata
      const start = text
        .split('\n')
        .slice(0, line + 5)
        .join('\n')
      return [name, line, start.includes(`"name": "${name}"`)]
    })
  }
  const list = { apiVersion: 'v1', items: [item('x\\"{'), item('y')], kind: 'List', metadata: {} }
  t.same(
    lines(list, 2).map(([, line]) => line),
    [4, 17],
  )
  t.same(
    lines(list, undefined).map(([, line]) => line),
    [1, 1],
  )
  t.same(
    lines({ ...list, items: [item('a'), inner, item('c')] }, 1).map(([name, line, isNear]) => [name, line, isNear]),
    [
      ['a', 4, true],
      ['b', 21, true],
      ['c', 36, true],
    ],
  )
  t.match(
    problemsOf(() => parseManifests(JSON.stringify({ ...list, items: [item('a'), 7, item('c')] }, null, 1), 'x.json')),
    [/^x\.json, document 1, line 17: a Kubernetes object is expected, not number$/],
  )
  t.same(
    parseManifests(
      '{"kind": "List", "apiVersion": "v1",\n"items": [{"kind": "A", "apiVersion": "v1"}],\n"items": [\n{"kind": "B", "apiVersion": "v1"}]}',
      'x',
    ).map(({ object, source }) => [object['kind'], source.line]),
    [['B', 4]],
  )
  t.end()
})

t.test("booleans are those of Kubernetes' YAML parser", (t) => {
  const [manifest] = parseManifests('apiVersion: v1\nkind: X\na: yes\nb: "yes"\nc: off\nd: 0o17\ne: y\n', 'x.yaml')
  t.match(manifest?.object, { a: true, b: 'yes', c: false, e: true })
  t.end()
})

t.test('what cannot be read is named by file, document, line and field', (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['a: [1', /^x\.yaml, document 1, line 1: /],
    ['apiVersion: v1\nkind: A\n---\na: {{ .x }}: b', /^x\.yaml, document 2, line 4: this looks like a Helm template/],
    ['- a', /^x\.yaml, document 1, line 1: a Kubernetes object is expected, not array/],
    ['just text', /a Kubernetes object is expected, not string/],
    ['kind: A', /apiVersion: required, and must be a string/],
    ['apiVersion: v1', /kind: required, and must be a string/],
    ['apiVersion: v1\nkind: 7', /kind: required, and must be a string/],
    ['apiVersion: v1\nkind: A\nmetadata: []', /metadata: must be an object, not array/],
    [
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n- nothing',
      /document 1, line 6: a Kubernetes object is expected, not string/,
    ],
    [`a: ${'['.repeat(10_000)}${']'.repeat(10_000)}`, /nested too deeply/],
    [
      `apiVersion: v1\nkind: A\na: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d]`,
      /alias/i,
    ],
  ]
  for (const [source, text] of cases)
    t.match(
      problemsOf(() => parseManifests(source, 'x.yaml')),
      [text],
      source.slice(0, 40),
    )
  t.end()
})

t.test('files, folders, and what is wrong with them', async (t) => {
  const folder = t.testdir({
    'b.yaml': 'apiVersion: v1\nkind: B\n',
    'a.json': '{"apiVersion":"v1","kind":"A"}',
    'notes.txt': '}{',
    sub: { 'c.yml': 'apiVersion: v1\nkind: C\n' },
    empty: {},
    'bad.bin': Buffer.from([0xff, 0xfe, 0x00]),
  })
  t.same(
    (await readManifests([folder])).map(({ object }) => object['kind']),
    ['A', 'B', 'C'],
    'recursively, by name',
  )
  const problems = await problemsOfAsync(() =>
    readManifests([`${folder}/none.yaml`, `${folder}/empty`, `${folder}/bad.bin`]),
  )
  t.match(
    problems,
    [
      /none\.yaml: no such file or folder/,
      /empty: the folder has no \.yaml, \.yml or \.json file/,
      /bad\.bin: not UTF-8 text/,
    ],
    'all of them, not the first alone',
  )
})

t.test('cluster objects with the wrong content are errors that name the field', async (t) => {
  const policy = (spec: string) =>
    `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {name: p, namespace: ns}\nspec: ${spec}\n`
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      policy('{mtls: {mode: strict}}'),
      /document 1, line 1: PeerAuthentication ns\/p: spec\.mtls\.mode: is "strict"; allowed are UNSET, DISABLE, PERMISSIVE, STRICT/,
    ],
    [policy('{mtls: STRICT}'), /spec\.mtls: must be an object, not string/],
    [
      policy('{portLevelMtls: {eighty: {mode: STRICT}}}'),
      /spec\.portLevelMtls\[eighty\]: the key must be a port number/,
    ],
    [policy('{portLevelMtls: {"80": STRICT}}'), /spec\.portLevelMtls\[80\]: must be an object/],
    [policy('{selector: {matchLabels: {app: 7}}}'), /spec\.selector\.matchLabels\[app\]: must be a string, not number/],
    [policy('[]'), /spec: must be an object, not array/],
    [
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\ndata: {mesh: "a: [1"}\n',
      /ConfigMap istio-system\/istio: data\.mesh: /,
    ],
    [
      'apiVersion: admissionregistration.k8s.io/v1\nkind: MutatingWebhookConfiguration\nmetadata: {name: i}\nwebhooks: [{name: x.sidecar-injector.istio.io, namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}}]\n',
      /webhooks\[0\]\.namespaceSelector\.matchExpressions\[0\]\.operator: allowed are In, NotIn, Exists, DoesNotExist/,
    ],
  ]
  for (const [source, text] of cases) {
    const folder = t.testdir({ 'c.yaml': source })
    t.match(await problemsOfAsync(() => clusterFromFiles([folder])), [text])
  }
})

t.test('unknown is not absent', (t) => {
  const { state } = buildClusterState([namespaceObject('shop')])
  t.equal(state.controlPlane('default').injector, undefined, 'nothing is known of an injector without a ConfigMap')
  t.equal(state.hasImageVolumes, undefined)
  t.match(state.namespace('nowhere'), { isDeclared: false })
  t.equal(state.namespace('nowhere').labels.get('kubernetes.io/metadata.name'), 'nowhere')
  t.equal(state.webhooks.length, 4, "no MutatingWebhookConfiguration stands for Istio's default install")
  const other = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: 'cert-manager' },
    webhooks: [{ name: 'x.cert-manager.io' }],
  }
  t.equal(buildClusterState([other]).state.webhooks.length, 0, 'a list without Istio in it says that there is none')
  t.end()
})

t.test('leftovers of Istio before 1.5 are reported and change nothing', (t) => {
  const { state } = buildClusterState([
    {
      apiVersion: 'authentication.istio.io/v1alpha1',
      kind: 'MeshPolicy',
      metadata: { name: 'default' },
      spec: { peers: [{ mtls: {} }] },
    },
  ])
  t.match(state.notes, [/^MeshPolicy default: Istio 1\.6 and later ignores it/])
  t.equal(state.policies.get('default'), undefined)
  t.end()
})

t.test('a policy is found however many there are, and the oldest wins', (t) => {
  const policies = Array.from({ length: 2000 }, (_, index) =>
    peerAuthentication('shop', `p-${index}`, {
      selector: { matchLabels: { app: `app-${index}`, tier: 'all' } },
      mtls: { mode: 'STRICT' },
    }),
  )
  const { state } = buildClusterState([
    ...policies,
    peerAuthentication('shop', 'a-first', { selector: { matchLabels: { app: 'app-7' } }, mtls: { mode: 'DISABLE' } }),
  ])
  const workload = {
    namespace: 'shop',
    revision: 'default',
    rootNamespace: 'istio-system',
    labels: new Map([
      ['app', 'app-7'],
      ['tier', 'all'],
    ]),
  }
  t.match(workloadModes(state.policies, workload).workload, {
    mode: 'DISABLE',
    policy: 'PeerAuthentication shop/a-first',
  })
  t.same(workloadModes(new Map(), workload).workload, { mode: 'PERMISSIVE' })
  t.end()
})

t.test('of workloads and networking objects what rules read is kept, and no more', (t) => {
  const metadata = {
    ...{ name: 'web', namespace: 'shop', labels: { app: 'web' }, uid: 'u', managedFields: [{ manager: 'kubectl' }] },
    annotations: { 'istio-onramp.io/probes': 'off', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
  }
  const head = {
    ...{ name: 'web', namespace: 'shop', labels: { app: 'web' } },
    annotations: { 'istio-onramp.io/probes': 'off' },
  }
  const container = { name: 'app', image: 'a:1', env: [{ name: 'A' }], ports: [{ containerPort: 80 }], lifecycle: {} }
  const kept = { name: 'app', ports: [{ containerPort: 80 }], lifecycle: {} }
  const spec = { containers: [container], initContainers: [container], volumes: [{ name: 'v' }], hostNetwork: true }
  const keptSpec = { containers: [kept], initContainers: [kept], hostNetwork: true }
  const apps = { apiVersion: 'apps/v1', kind: 'Deployment' }
  const batch = { apiVersion: 'batch/v1', kind: 'CronJob' }
  const routes = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService' }
  const template = { metadata, spec }
  const owned = { ...metadata, name: 'web-x', ownerReferences: [{ kind: 'ReplicaSet', controller: true }] }
  const { state } = buildClusterState([
    { ...apps, metadata, spec: { replicas: 2, paused: true, template }, status: { replicas: 2 } },
    { ...batch, metadata, spec: { schedule: '@yearly', jobTemplate: { spec: { template } } } },
    { apiVersion: 'v1', kind: 'Pod', metadata, spec, status: { phase: 'Running' } },
    { apiVersion: 'v1', kind: 'Pod', metadata: owned, spec },
    { ...routes, metadata, spec: { hosts: ['a.example'] }, status: {} },
  ])
  const keptTemplate = { metadata: head, spec: keptSpec }
  t.same(state.workloads('shop'), [
    { ...apps, metadata: head, spec: { replicas: 2, template: keptTemplate } },
    { ...batch, metadata: head, spec: { jobTemplate: { spec: { template: keptTemplate } } } },
    { apiVersion: 'v1', kind: 'Pod', metadata: head, spec: keptSpec },
  ])
  t.same(state.networking('shop'), [{ ...routes, metadata: head, spec: { hosts: ['a.example'] } }])
  t.end()
})
