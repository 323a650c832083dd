// Objects as JSON: what is read from them, how they are named, and how places in them are addressed.
import t from 'tap'
import { groupOf, isClusterScoped } from '../../src/kubernetes/cluster-scoped.ts'
import { readContainers, resolvePort } from '../../src/kubernetes/container.ts'
import { groupBy } from '../../src/kubernetes/group-by.ts'
import { handlerKinds, readHandler, unknownFieldsOf } from '../../src/kubernetes/handler.ts'
import { equalJson, member, memberAt, ownEntry, parseJson, stringMap, type Json } from '../../src/kubernetes/json.ts'
import { parsePointer, pointer, setEntries } from '../../src/kubernetes/json-pointer.ts'
import { describeSelector, hasAll, matches, parseSelector } from '../../src/kubernetes/label-selector.ts'
import { describe, hasController, referenceTo } from '../../src/kubernetes/object.ts'
import { fieldPath, hasPodTemplate, rawTemplate, readPodTemplate } from '../../src/kubernetes/pod-template.ts'
import { isProblem } from '../../src/kubernetes/problem.ts'
import { parseQuantity } from '../../src/kubernetes/quantity.ts'

/** Names that every JavaScript object inherits. A user may write them as a kind, a group or a key. */
const INHERITED = ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']

t.test('a lookup by a name from user input sees own members only', (t) => {
  for (const name of INHERITED) {
    t.equal(member({}, name), undefined, `member ${name}`)
    t.equal(ownEntry({}, name), undefined, `table ${name}`)
    t.equal(hasPodTemplate(name), false, `kind ${name}`)
    t.equal(rawTemplate(name, { spec: {} }), undefined, `template of kind ${name}`)
    t.same(readPodTemplate(name, {}), { field: 'kind', problem: `${name} has no pod template` })
    t.equal(isClusterScoped(name, 'Foo'), false, `group ${name}`)
    t.equal(parseQuantity(`1${name.slice(0, 2)}`), undefined, `suffix ${name.slice(0, 2)}`)
  }
  t.same(member(parseJson('{"__proto__": 1}'), '__proto__'), 1, 'but an own member of such a name is found')
  t.end()
})

t.test('memberAt follows own members and stops at anything that is not an object', (t) => {
  const object = { spec: { list: [1], text: 'x', none: null } }
  t.equal(memberAt(object, 'spec', 'text'), 'x')
  t.equal(memberAt(object, 'spec', 'text', 'length'), undefined, 'a string has no members')
  t.equal(memberAt(object, 'spec', 'list', '0'), undefined, 'nor has a list')
  t.equal(memberAt(object, 'spec', 'none'), null)
  t.same([...stringMap({ a: 'x', b: 1, c: null })], [['a', 'x']], 'a label map keeps its strings')
  t.equal(
    equalJson({ a: [1, { b: null }], c: 2 }, { c: 2, a: [1, { b: null }] }),
    true,
    'the order of keys does not count',
  )
  t.equal(equalJson([1, 2], [2, 1]), false, 'the order of items does')
  t.end()
})

t.test('a pointer escapes its segments, and parsing gives them back', (t) => {
  const segments = ['metadata', 'annotations', 'a.io/b~c', '0', '']
  t.equal(pointer('/spec', 'x/y', 3), '/spec/x~1y/3')
  t.same(parsePointer(pointer('', ...segments)), segments)
  t.same(parsePointer('/~01'), ['~1'], '~01 is ~1 and not a slash')
  t.same(parsePointer(''), [])
  t.equal(fieldPath('/spec/containers/0/livenessProbe'), 'spec.containers[0].livenessProbe')
  t.equal(fieldPath(''), '')
  t.end()
})

t.test('entries of a map are set with the fewest operations, and none without an effect', (t) => {
  const at = '/metadata/annotations'
  t.same(setEntries(at, undefined, { a: '1', b: undefined }), [{ op: 'add', path: at, value: { a: '1' } }])
  t.same(setEntries(at, undefined, { a: undefined }), [])
  t.same(setEntries(at, { a: '1' }, { a: '1' }), [], 'already so')
  t.same(setEntries(at, { a: '1' }, { a: '2' }), [{ op: 'replace', path: `${at}/a`, value: '2' }])
  t.same(setEntries(at, { a: '1' }, { 'x/y': '2' }), [{ op: 'add', path: `${at}/x~1y`, value: '2' }])
  t.same(setEntries(at, { a: '1', b: '2' }, { a: undefined }), [{ op: 'remove', path: `${at}/a` }])
  t.same(setEntries(at, { b: '2' }, { a: undefined }), [])
  t.end()
})

/** A selector, labels, and whether the API server says that they match (labels.Requirement.Matches). */
const SELECTIONS: readonly (readonly [Json, Readonly<Record<string, string>>, boolean])[] = [
  [null, {}, true],
  [{}, { app: 'web' }, true],
  [{ matchLabels: { app: 'web' } }, { app: 'web', tier: 'a' }, true],
  [{ matchLabels: { app: 'web' } }, { app: 'cart' }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] }, { tier: 'b' }, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'In', values: ['a', 'b'] }] }, {}, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] }, {}, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['a'] }] }, { tier: 'a' }, false],
  [{ matchExpressions: [{ key: 'tier', operator: 'Exists' }] }, { tier: '' }, true],
  [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, { tier: '' }, false],
  [{ matchLabels: { app: 'web' }, matchExpressions: [{ key: 'x', operator: 'Exists' }] }, { app: 'web' }, false],
]

t.test('label selectors match as the API server evaluates them', (t) => {
  for (const [selector, labels, expected] of SELECTIONS) {
    const parsed = parseSelector(selector)
    if (isProblem(parsed)) t.fail(parsed.problem)
    else
      t.equal(
        matches(parsed, new Map(Object.entries(labels))),
        expected,
        `${JSON.stringify(selector)} ${JSON.stringify(labels)}`,
      )
  }
  t.equal(hasAll(new Map([['a', '1']]), new Map()), true, 'an empty map selector wants nothing')
  t.equal(hasAll(new Map([['a', '1']]), new Map([['a', '2']])), false)
  t.end()
})

t.test('a selector is described as kubectl -l writes it, and a malformed one names its field', (t) => {
  const selector = parseSelector({
    matchLabels: { app: 'web' },
    matchExpressions: [
      { key: 'tier', operator: 'In', values: ['a', 'b'] },
      { key: 'old', operator: 'DoesNotExist' },
      { key: 'zone', operator: 'NotIn', values: ['x'] },
    ],
  })
  t.equal(isProblem(selector) ? selector.problem : describeSelector(selector), 'app=web,tier in (a,b),!old,zone!=x')
  const malformed: readonly Json[] = [
    'app=web',
    { matchLabels: { app: 1 } },
    { matchExpressions: [{ operator: 'Exists' }] },
    { matchExpressions: [{ key: 'a', operator: 'Equals', values: ['x'] }] },
    { matchExpressions: [{ key: 'a', operator: 'In' }] },
    { matchExpressions: [{ key: 'a', operator: 'Exists', values: ['x'] }] },
  ]
  for (const value of malformed) t.ok(isProblem(parseSelector(value)), JSON.stringify(value))
  t.end()
})

t.test('handlers are read with the API server’s defaults', (t) => {
  t.same(readHandler('httpGet', { port: 'http' }), {
    kind: 'httpGet',
    scheme: 'HTTP',
    host: '',
    port: 'http',
    path: '/',
    headers: [],
    http2: false,
  })
  t.same(readHandler('tcpSocket', { port: 80, host: 'db' }), { kind: 'tcpSocket', host: 'db', port: 80 })
  t.same(readHandler('grpc', { port: 9000, mode: 'TLS' }), { kind: 'grpc', port: 9000, service: '', tls: true })
  t.same(readHandler('exec', { command: ['a', 'b'] }), { kind: 'exec', command: ['a', 'b'] })
  t.same(readHandler('sleep', { seconds: 1 }), { kind: 'sleep' })
  t.same(handlerKinds({ exec: {}, httpGet: {}, grpc: null }), ['exec', 'httpGet'], 'null is absent')
  t.end()
})

/** A handler, and the field that its problem names. */
const BROKEN: readonly (readonly [Parameters<typeof readHandler>[0], Json, string])[] = [
  ['httpGet', [], 'httpGet'],
  ['httpGet', {}, 'httpGet.port'],
  ['httpGet', { port: 0 }, 'httpGet.port'],
  ['httpGet', { port: 65536 }, 'httpGet.port'],
  ['httpGet', { port: 1.5 }, 'httpGet.port'],
  ['httpGet', { port: '' }, 'httpGet.port'],
  ['httpGet', { port: 80, scheme: 'http' }, 'httpGet.scheme'],
  ['httpGet', { port: 80, path: 1 }, 'httpGet.path'],
  ['httpGet', { port: 80, httpHeaders: [{ value: 'x' }] }, 'httpGet.httpHeaders[0].name'],
  ['tcpSocket', { host: 'db' }, 'tcpSocket.port'],
  ['grpc', { port: 'grpc' }, 'grpc.port'],
]

t.test('a broken handler names its field', (t) => {
  for (const [kind, value, field] of BROKEN) {
    const read = readHandler(kind, value)
    t.equal(isProblem(read) ? read.field : 'no problem', field, `${kind} ${JSON.stringify(value)}`)
  }
  t.end()
})

t.test('fields of a later Kubernetes are found, and what cannot be a field is not', (t) => {
  t.same(unknownFieldsOf('httpGet', { port: 80, protocol: 'HTTP2', retries: 3, 'x-note': 1, gone: null }), [
    'httpGet.retries',
  ])
  t.same(unknownFieldsOf('httpGet', { port: 80, protocol: 'HTTP3' }), ['httpGet.protocol: "HTTP3"'])
  t.same(unknownFieldsOf('httpGet', { port: 80, scheme: 'HTTPS', protocol: 'HTTP2' }), ['httpGet.protocol: "HTTP2"'])
  t.same(unknownFieldsOf('grpc', { port: 80, mode: 'TLS' }), [])
  t.same(unknownFieldsOf('grpc', { port: 80, mode: 'MutualTLS' }), ['grpc.mode: "MutualTLS"'])
  t.same(unknownFieldsOf('tcpSocket', { port: 80, host: 'x' }), [])
  t.end()
})

t.test('containers come with their probes and hooks, each at its pointer', (t) => {
  const spec = {
    containers: [
      {
        name: 'web',
        ports: [
          { name: 'http', containerPort: 8080 },
          { name: 'bad', containerPort: 0 },
        ],
        livenessProbe: { httpGet: { port: 'http' }, timeoutSeconds: 3 },
        lifecycle: { preStop: { exec: { command: ['x'] } } },
      },
      { image: 'nameless' },
      'text',
    ],
  }
  const { containers, malformed } = readContainers(spec, '/spec', 'containers')
  const [web] = containers
  t.same(
    web?.checks.map(({ slot, pointer, timeoutSeconds }) => [slot, pointer, timeoutSeconds]),
    [
      ['livenessProbe', '/spec/containers/0/livenessProbe', 3],
      ['preStop', '/spec/containers/0/lifecycle/preStop', 1],
    ],
  )
  t.same(
    malformed.map(({ field }) => field),
    ['containers[1].name', 'containers[2]'],
  )
  if (web === undefined) return t.end()
  t.equal(resolvePort('http', web), 8080)
  t.equal(resolvePort(9090, web), 9090, 'a number needs no declaration')
  t.equal(resolvePort('admin', web), undefined, 'an unknown name')
  t.equal(resolvePort('bad', web), undefined, 'a port that is out of range')
  t.end()
})

t.test('a probe with no handler, two handlers or a wrong type is kept with its problem', (t) => {
  const probes: readonly Json[] = [{}, { httpGet: { port: 1 }, exec: {} }, 'x', 7]
  for (const livenessProbe of probes) {
    const { containers } = readContainers({ containers: [{ name: 'a', livenessProbe }] }, '/spec', 'containers')
    const [check] = containers[0]?.checks ?? []
    t.ok(isProblem(check?.handler), JSON.stringify(livenessProbe))
  }
  t.end()
})

t.test('every kind has its pod at the place where Kubernetes has it', (t) => {
  const spec = { containers: [{ name: 'a' }], initContainers: [{ name: 'first', restartPolicy: 'Always' }] }
  const objects: Readonly<Record<string, Json>> = {
    Pod: { spec },
    Deployment: { spec: { template: { spec } } },
    ReplicationController: { spec: { template: { spec } } },
    CronJob: { spec: { jobTemplate: { spec: { template: { spec } } } } },
  }
  for (const [kind, object] of Object.entries(objects)) {
    const read = readPodTemplate(kind, object as never)
    if (isProblem(read)) t.fail(`${kind}: ${read.field} ${read.problem}`)
    else
      t.same(
        read.containers.map(({ name, init, restartable }) => [name, init, restartable]),
        [
          ['first', true, true],
          ['a', false, false],
        ],
        kind,
      )
  }
  t.same(readPodTemplate('Deployment', { spec: {} }), { field: 'spec.template', problem: 'a pod template is required' })
  t.same(readPodTemplate('Pod', { spec: [] }), { field: 'spec', problem: 'must be an object, not array' })
  t.end()
})

t.test('objects are named as messages name them', (t) => {
  const of = (metadata: Json, namespace?: string) =>
    describe(referenceTo({ apiVersion: 'apps/v1', kind: 'Deployment', metadata }, namespace))
  t.equal(of({ name: 'web', namespace: 'shop' }, 'other'), 'Deployment shop/web')
  t.equal(of({ name: 'web' }, 'other'), 'Deployment other/web', 'the namespace of the request')
  t.equal(of({ name: 'web' }), 'Deployment default/web')
  t.equal(of({ generateName: 'job-' }), 'Deployment default/job-*')
  t.equal(of(null), 'Deployment default/*')
  t.equal(hasController({ metadata: { ownerReferences: [{ controller: true }] } }), true)
  t.equal(hasController({ metadata: { ownerReferences: [{ controller: 'true' }, {}] } }), false)
  t.end()
})

t.test('the scope of a kind depends on its group', (t) => {
  t.equal(groupOf('v1'), '')
  t.equal(groupOf('apps/v1'), 'apps')
  t.equal(isClusterScoped('', 'Node'), true)
  t.equal(isClusterScoped('example.com', 'Node'), false)
  t.equal(isClusterScoped('admissionregistration.k8s.io', 'AnyKind'), true)
  t.equal(isClusterScoped('cert-manager.io', 'ClusterIssuer'), true)
  t.equal(isClusterScoped('operators.coreos.com', 'ClusterServiceVersion'), false)
  t.end()
})

t.test('quantities are read with every suffix', (t) => {
  const quantities: readonly (readonly [Json, number | undefined])[] = [
    ['128Mi', 128 * 2 ** 20],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['100m', 0.1],
    ['1e3', 1000],
    ['2E', 2e18],
    [3, 3],
    ['.5k', 500],
    ['', undefined],
    ['1 Gi', undefined],
    ['1GiB', undefined],
    ['Mi', undefined],
    [null, undefined],
  ]
  for (const [text, expected] of quantities) t.equal(parseQuantity(text), expected, JSON.stringify(text))
  t.end()
})

t.test('grouping keeps the order of first appearance', (t) => {
  t.same(
    [...groupBy(['b1', 'a1', 'b2'], (text) => text[0])],
    [
      ['b', ['b1', 'b2']],
      ['a', ['a1']],
    ],
  )
  t.end()
})
