// Kubernetes' objects as JSON, module by module; addresses and the YAML of objects have files of their own.
import t from 'tap'
import { groupOf, isClusterScoped } from '../../src/kubernetes/cluster-scoped.ts'
import { readContainers, resolvePort } from '../../src/kubernetes/container.ts'
import { groupBy } from '../../src/kubernetes/group-by.ts'
import { handlerKinds, isPortNumber, readHandler, unknownFieldsOf } from '../../src/kubernetes/handler.ts'
import { parsePointer, pointer, setEntries } from '../../src/kubernetes/json-pointer.ts'
import {
  equalJson,
  isDeeperThan,
  member,
  ownEntry,
  parseJson,
  stringMap,
  typeName,
  type Json,
  type JsonObject,
} from '../../src/kubernetes/json.ts'
import { describeSelector, hasAll, matches, parseSelector } from '../../src/kubernetes/label-selector.ts'
import { describe, hasController, referenceTo } from '../../src/kubernetes/object.ts'
import { fieldPath, hasPodTemplate, rawTemplate, readPodTemplate } from '../../src/kubernetes/pod-template.ts'
import { isProblem } from '../../src/kubernetes/problem.ts'
import { parseQuantity } from '../../src/kubernetes/quantity.ts'
import { indexBySelector } from '../../src/kubernetes/selector-index.ts'
import { container, HTTP_PROBE, pod, workload } from '../support/fixtures.ts'

t.test('json: only own members are seen, and values are compared by content', (t) => {
  t.equal(member({}, 'constructor'), undefined)
  t.equal(member(JSON.parse('{"__proto__": 1}'), '__proto__'), 1)
  t.equal(member([1], 'length'), undefined, 'an array has no members')
  t.same([...stringMap({ a: 'x', b: 7, c: null })], [['a', 'x']])
  t.same([typeName(null), typeName([]), typeName({}), typeName('')], ['null', 'array', 'object', 'string'])
  t.equal(parseJson('null'), null)
  t.equal(parseJson('{'), undefined)
  const equal: readonly (readonly [Json, Json, boolean])[] = [
    [{ a: 1, b: [2] }, { b: [2], a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { b: 1 }, false],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
  ]
  for (const [left, right, are] of equal) t.equal(equalJson(left, right), are, JSON.stringify([left, right]))
  t.equal(isDeeperThan([[[]]], 3), false)
  t.equal(isDeeperThan({ a: [{ b: {} }] }, 3), true)
  t.end()
})

t.test('a lookup by a name from user input never finds what JavaScript objects inherit', (t) => {
  for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
    t.equal(ownEntry({}, name), undefined, `table ${name}`)
    t.equal(hasPodTemplate(name), false, `kind ${name}`)
    t.equal(rawTemplate(name, { spec: {} }), undefined, `template of kind ${name}`)
    t.same(readPodTemplate(name, {}), { field: 'kind', problem: `${name} has no pod template` })
    t.equal(isClusterScoped(name, 'Foo'), false, `group ${name}`)
  }
  t.end()
})

t.test('label selectors match as the API server does', (t) => {
  const labels = new Map([['app', 'web']])
  const expression = (operator: string, ...values: string[]) => ({
    matchExpressions: [{ key: 'app', operator, values }],
  })
  const cases: readonly (readonly [Json | undefined, boolean, string])[] = [
    [undefined, true, ''],
    [{}, true, ''],
    [{ matchLabels: { app: 'web' } }, true, 'app=web'],
    [{ matchLabels: { app: 'api' } }, false, 'app=api'],
    [expression('In', 'web', 'api'), true, 'app in (web,api)'],
    [expression('NotIn', 'web'), false, 'app!=web'],
    [expression('NotIn', 'api'), true, 'app!=api'],
    [expression('Exists'), true, 'app'],
    [expression('DoesNotExist'), false, '!app'],
    [{ matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }] }, true, 'tier!=db'],
    [{ matchExpressions: [{ key: 'tier', operator: 'DoesNotExist' }] }, true, '!tier'],
  ]
  for (const [written, isMatch, text] of cases) {
    const selector = parseSelector(written)
    if (isProblem(selector)) return t.fail(selector.problem)
    t.equal(matches(selector, labels), isMatch, JSON.stringify(written))
    if (text !== '') t.equal(describeSelector(selector), text)
  }
  const malformed: readonly (readonly [Json, string, RegExp])[] = [
    [expression('Is', 'web'), 'matchExpressions[0].operator', /allowed are In, NotIn, Exists, DoesNotExist/],
    [expression('In'), 'matchExpressions[0].values', /required for operator In/],
    [expression('Exists', 'web'), 'matchExpressions[0].values', /not allowed for operator Exists/],
    [{ matchLabels: { app: 1 } }, 'matchLabels[app]', /must be a string, not number/],
    [{ matchLabels: ['app'] }, 'matchLabels', /must be an object, not array/],
    [{ matchExpressions: [{ operator: 'Exists' }] }, 'matchExpressions[0].key', /a label key is required/],
    ['app=web', '', /must be an object/],
  ]
  for (const [written, field, problem] of malformed) t.match(parseSelector(written), { field, problem })
  t.equal(hasAll(labels, new Map([['app', 'web']])), true)
  t.equal(hasAll(labels, new Map([['tier', 'db']])), false)
  t.equal(hasAll(labels, new Map()), true, 'the caller decides what an empty selector means')
  t.end()
})

t.test('quantities are numbers of their base unit', (t) => {
  const cases: readonly (readonly [Json | undefined, number | undefined])[] = [
    ['100m', 0.1],
    ['128Mi', 128 * 2 ** 20],
    ['1e3', 1000],
    ['1E3', 1000],
    ['1E', 1e18],
    ['.5', 0.5],
    [2, 2],
    ['-1k', -1000],
    ['1kb', undefined],
    ['1 Mi', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ]
  for (const [text, number] of cases) t.equal(parseQuantity(text), number, String(text))
  t.end()
})

t.test('JSON Pointers escape their segments and are read back', (t) => {
  for (const segments of [[], ['a'], ['a/b', 'c~d', '~1'], ['', '0']]) {
    t.same(parsePointer(pointer('', ...segments)), segments, JSON.stringify(segments))
  }
  t.equal(pointer('/metadata', 'example.com/a~b', 0), '/metadata/example.com~1a~0b/0')
  t.equal(fieldPath('/spec/containers/0/livenessProbe'), 'spec.containers[0].livenessProbe')
  t.end()
})

t.test('a map of entries is set by the fewest operations, none without effect', (t) => {
  const cases: readonly (readonly [string, Parameters<typeof setEntries>, readonly object[]])[] = [
    ['absent map', ['/m', undefined, { a: 'x', b: undefined }], [{ op: 'add', path: '/m', value: { a: 'x' } }]],
    ['absent map, no entry', ['/m', undefined, { b: undefined }], []],
    ['new entry', ['/m', {}, { 'a/b': 'x' }], [{ op: 'add', path: '/m/a~1b', value: 'x' }]],
    ['other value', ['/m', { a: 'y' }, { a: 'x' }], [{ op: 'replace', path: '/m/a', value: 'x' }]],
    ['same value', ['/m', { a: 'x' }, { a: 'x' }], []],
    ['removed', ['/m', { a: 'x' }, { a: undefined }], [{ op: 'remove', path: '/m/a' }]],
    ['removed and absent', ['/m', {}, { a: undefined }], []],
  ]
  for (const [title, input, operations] of cases) t.same(setEntries(...input), operations, title)
  t.end()
})

t.test('handlers are read with the defaults of the API server', (t) => {
  const http = { kind: 'httpGet', scheme: 'HTTP', host: '', path: '/', headers: [], http2: false }
  const cases: readonly (readonly [Parameters<typeof readHandler>[0], Json, object])[] = [
    ['httpGet', { port: 80 }, { ...http, port: 80 }],
    [
      'httpGet',
      { port: 'web', scheme: 'HTTPS', path: '/a', host: 'h', httpHeaders: [{ name: 'A' }], protocol: 'HTTP2' },
      {
        ...http,
        port: 'web',
        scheme: 'HTTPS',
        path: '/a',
        host: 'h',
        headers: [{ name: 'A', value: '' }],
        http2: true,
      },
    ],
    ['tcpSocket', { port: 80, host: 'h' }, { kind: 'tcpSocket', port: 80, host: 'h' }],
    ['grpc', { port: 80 }, { kind: 'grpc', port: 80, service: '', tls: false }],
    ['grpc', { port: 80, service: 's', mode: 'TLS' }, { kind: 'grpc', port: 80, service: 's', tls: true }],
    ['exec', { command: ['a', 'b'] }, { kind: 'exec', command: ['a', 'b'] }],
    ['sleep', { seconds: 1 }, { kind: 'sleep' }],
    ['httpGet', { port: 0 }, { field: 'httpGet.port', problem: 'is 0; allowed are 1 to 65535' }],
    ['httpGet', { port: '' }, { field: 'httpGet.port', problem: 'is empty' }],
    ['httpGet', {}, { field: 'httpGet.port', problem: 'must be a port number or a port name, not null' }],
    ['httpGet', { port: 1, scheme: 'ftp' }, { field: 'httpGet.scheme', problem: /allowed are HTTP and HTTPS/ }],
    ['httpGet', { port: 1, httpHeaders: [{}] }, { field: 'httpGet.httpHeaders[0].name' }],
    ['grpc', { port: 'web' }, { field: 'grpc.port', problem: /a number is required/ }],
    ['tcpSocket', [], { field: 'tcpSocket', problem: 'must be an object, not array' }],
  ]
  for (const [kind, value, expected] of cases) t.match(readHandler(kind, value), expected, JSON.stringify(value))
  t.same(handlerKinds({ httpGet: {}, exec: null, tcpSocket: {} }), ['httpGet', 'tcpSocket'])
  t.same([0, 1, 65535, 65536, 1.5, '1'].map(isPortNumber), [false, true, true, false, false, false])
  t.end()
})

t.test('fields of a later Kubernetes are named, so that no patch drops them', (t) => {
  t.same(unknownFieldsOf('httpGet', { port: 1, path: '/', timeout: 3 }), ['httpGet.timeout'])
  t.same(unknownFieldsOf('httpGet', JSON.parse('{"port": 1, "__proto__": {}}') as JsonObject), [])
  t.same(unknownFieldsOf('tcpSocket', { port: 1, host: 'h' }), [])
  t.end()
})

t.test('containers are read with their probes and hooks; one without a name is a problem', (t) => {
  const web = container('web', {
    ports: [{ name: 'http', containerPort: 8080 }],
    livenessProbe: { ...HTTP_PROBE, timeoutSeconds: 3 },
    lifecycle: { preStop: { httpGet: { port: 'http' } } },
  })
  const { containers, malformed } = readContainers({ containers: [web, { image: 'x' }, 7] }, '/spec', 'containers')
  t.match(containers, [{ name: 'web', init: false, restartable: false, pointer: '/spec/containers/0' }])
  t.match(containers[0]?.checks, [
    { slot: 'livenessProbe', pointer: '/spec/containers/0/livenessProbe', timeoutSeconds: 3 },
    { slot: 'preStop', pointer: '/spec/containers/0/lifecycle/preStop' },
  ])
  t.same(malformed, [
    { field: 'containers[1].name', problem: 'a container name is required' },
    { field: 'containers[2]', problem: 'must be an object, not number' },
  ])
  t.equal(malformed.every(isProblem), true)
  const [read] = containers
  if (read === undefined) return t.fail('not read')
  t.same([resolvePort('http', read), resolvePort('none', read), resolvePort(1, read)], [8080, undefined, 1])
  t.end()
})

t.test('pod templates of every kind are found, init containers first', (t) => {
  const kinds = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'ReplicationController', 'Job', 'CronJob']
  for (const kind of kinds) {
    const template = readPodTemplate(kind, workload(kind, [container('web', {})]))
    if ('problem' in template) return t.fail(`${kind}: ${template.problem}`)
    t.equal(template.pointer, kind === 'CronJob' ? '/spec/jobTemplate/spec/template' : '/spec/template', kind)
    t.same([...template.labels], [['app', 'web']], kind)
  }
  const object = pod([container('web', {})], { spec: { initContainers: [{ name: 'side', restartPolicy: 'Always' }] } })
  t.match(readPodTemplate('Pod', object), {
    pointer: '',
    containers: [
      { name: 'side', init: true, restartable: true },
      { name: 'web', init: false },
    ],
    malformed: [],
  })
  t.match(readPodTemplate('Pod', pod([{}])), { malformed: [{ field: 'spec.containers[0].name' }] })
  t.match(readPodTemplate('Deployment', {}), { field: 'spec.template', problem: 'a pod template is required' })
  t.match(readPodTemplate('Job', { spec: { template: { spec: 7 } } }), { field: 'spec.template.spec' })
  t.match(readPodTemplate('Service', {}), { field: 'kind', problem: 'Service has no pod template' })
  t.end()
})

t.test('objects are named by kind, namespace and name', (t) => {
  const web = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'shop' } }
  t.equal(describe(referenceTo(web)), 'Deployment shop/web')
  const generated = { apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'web-' } }
  t.equal(describe(referenceTo(generated)), 'Pod default/web-*')
  t.equal(describe(referenceTo(generated, 'shop')), 'Pod shop/web-*')
  const owned = (controller: boolean) => ({ metadata: { ownerReferences: [{ kind: 'ReplicaSet', controller }] } })
  t.same([owned(true), owned(false), {}].map(hasController), [true, false, false])
  t.end()
})

t.test('a kind is cluster-scoped if Kubernetes says so, and elsewhere if it begins with Cluster', (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['', 'Namespace', true],
    ['', 'Pod', false],
    ['admissionregistration.k8s.io', 'MutatingWebhookConfiguration', true],
    ['rbac.authorization.k8s.io', 'Role', false],
    ['cert-manager.io', 'ClusterIssuer', true],
    ['cert-manager.io', 'Issuer', false],
    ['operators.coreos.com', 'ClusterServiceVersion', false],
    ['example.com', 'Clustered', false],
  ]
  for (const [group, kind, is] of cases) t.equal(isClusterScoped(group, kind), is, `${group} ${kind}`)
  t.same(['v1', 'apps/v1'].map(groupOf), ['', 'apps'])
  t.end()
})

t.test('groups keep the order of first appearance', (t) => {
  const groups = groupBy([3, 1, 2, 5], (number) => (number % 2 === 0 ? 'even' : 'odd'))
  t.same(
    [...groups],
    [
      ['odd', [3, 1, 5]],
      ['even', [2]],
    ],
  )
  t.end()
})

t.test('an index of selectors returns what selects the labels, in the order of the members', (t) => {
  const selector = (labels: Record<string, string>) => new Map(Object.entries(labels))
  const members = [selector({ app: 'a', tier: 'web' }), selector({}), selector({ tier: 'web' }), selector({ app: 'b' })]
  const found = (labels: Record<string, string>) =>
    indexBySelector(members, (member) => member)
      .selecting(selector(labels))
      .map((member) => members.indexOf(member))
  t.same(found({ app: 'a', tier: 'web' }), [0, 1, 2])
  t.same(found({ app: 'b' }), [1, 3])
  t.same(found({ app: 'a' }), [1])
  t.same(found({}), [1])
  t.end()
})
