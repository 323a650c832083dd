// Changes objects as users, controllers and attackers do: other values, missing and additional parts, and the parts that the
// rules read. Returns a changed copy.
const TEXTS = [
  ...['', 'web', 'http', '8080', '-1', '__proto__', 'constructor', 'toString', 'a/b~c', '~1', '-', '..', '/', '*'],
  ...['\u0000', 'é\u2028\u0085', '\ud800', '😀', 'x'.repeat(3000), '$(POD_IP)', 'true', 'null', '{}', '[]', 'a\nb'],
  ...['istio-onramp-prober', 'istio-proxy', 'istio', 'nginx', 'a.example.com', '/.well-known/acme-challenge/token'],
]
const NUMBERS = [
  0, 1, -1, 80, 8080, 8081, 9090, 65_535, 65_536, 1e21, 1.5, -0, 2_147_483_648, 15_020, 15_021, 15_090, 1337,
]
const ANNOTATIONS = {
  'istio-onramp.io/probes': ['auto', 'exec', 'port', 'agent', 'off', 'x'],
  'istio-onramp.io/probe-port': ['8081', 'web=8081', 'web=8081,nosuch=1', 'web=', '=1', '99999', 'web=8080=1'],
  'istio-onramp.io/templates': ['auto', 'rewrite', 'leave', 'x'],
  'istio-onramp.io/ingress': ['deny', 'warn', 'allow', 'x'],
  'istio-onramp.io/strict-switch': ['warn', 'deny', 'allow'],
  'istio-onramp.io/rewritten': [
    '{}',
    '[]',
    'x',
    '{"web":{"livenessProbe":{"original":{"httpGet":{"path":"/z","port":1}},"strategy":"exec","reason":"x"}}}',
    '{"nosuch":{"preStop":{"original":{"__proto__":{},"a/b~":1},"strategy":"exec"}}}',
    '{"web":{"readinessProbe":{"original":{"tcpSocket":{"port":80}},"strategy":"agent","annotation":null}}}',
  ],
  'sidecar.istio.io/inject': ['true', 'false', 'x'],
  'sidecar.istio.io/status': ['{}'],
  'sidecar.istio.io/rewriteAppHTTPProbers': ['true', 'false', 'x'],
  'traffic.sidecar.istio.io/excludeInboundPorts': ['8080', '8080,8081', '*', 'x', '08080'],
  'traffic.sidecar.istio.io/includeInboundPorts': ['*', '', '8081', '8080,x'],
  'proxy.istio.io/config': ['{}', 'statusPort: 8080', '[', 'a: &a [*a]'],
  'kubernetes.io/ingress.class': ['istio', 'nginx', ''],
  'nginx.ingress.kubernetes.io/use-regex': ['true'],
  'nginx.ingress.kubernetes.io/rewrite-target': ['/$1', '/$9', '$', '/(['],
  'nginx.ingress.kubernetes.io/server-alias': ['b.example.com,c.example.com', ',,', '*'],
  'nginx.ingress.kubernetes.io/canary': ['true'],
  'nginx.ingress.kubernetes.io/configuration-snippet': ['more_set_headers "a: b";', '{{{'],
}
const HANDLERS = [
  { httpGet: { path: '/h', port: 8080 } },
  { httpGet: { path: '/h?a=$(B)', port: 'http', scheme: 'HTTPS', httpHeaders: [{ name: 'X', value: 'y' }] } },
  { httpGet: { port: 8080, host: 'example.com' } },
  { httpGet: { path: '/\u0000', port: 8080 } },
  { tcpSocket: { port: 'http' } },
  { grpc: { port: 9090, service: 's' } },
  { exec: { command: ['true'] } },
  { exec: { command: ['/istio-onramp/prober', 'http'] } },
  { sleep: { seconds: 1 } },
  { httpGet: { port: 8080 }, tcpSocket: { port: 8080 } },
  { httpGet: { port: 8080 }, exec: { command: ['/istio-onramp/prober', 'http', '8080'] } },
  { laterHandler: {} },
]
const PARTS = {
  volumes: [
    { name: 'istio-onramp-prober', emptyDir: {} },
    { name: 'istio-onramp-prober', image: { reference: 'example.com/own' } },
    { name: 'istio-onramp-prober', hostPath: { path: '/' } },
    { name: 'data', emptyDir: {} },
  ],
  initContainers: [
    { name: 'istio-onramp-prober', image: 'x', command: ['own'] },
    { name: 'istio-proxy', image: 'x', restartPolicy: 'Always' },
    { name: 'init', image: 'x', restartPolicy: 'Always', startupProbe: { httpGet: { port: 8080 } } },
  ],
}
const CONTAINER_PARTS = {
  env: [
    { name: 'ISTIO_ONRAMP_POD_IP', value: '1.2.3.4' },
    { name: 'A', value: '$(B)' },
  ],
  volumeMounts: [
    { name: 'istio-onramp-prober', mountPath: '/istio-onramp' },
    { name: 'data', mountPath: '/istio-onramp/x' },
  ],
  ports: [
    { name: 'http', containerPort: 8080 },
    { name: 'http', containerPort: 'x' },
  ],
}

export function varied(object, changes, random) {
  const copy = structuredClone(object)
  for (let count = 0; count < changes; count++) random.pick(CHANGES)(copy, random)
  return copy
}

const CHANGES = [
  replaceValue,
  removeValue,
  doubleValue,
  renameMember,
  annotate,
  annotate,
  setHandler,
  setHandler,
  addPart,
  addContainerPart,
  changeMetadata,
  addRule,
]

function isParent(value) {
  return typeof value === 'object' && value !== null
}

export function templateOf(object) {
  return object.kind === 'Pod' ? object : (object.spec?.template ?? object.spec?.jobTemplate?.spec?.template)
}

/** Every place of the object, as parent and key. `kind` stays, because it decides who judges. */
function places(value, found = []) {
  for (const key of Object.keys(value)) {
    if (key !== 'kind') found.push([value, key])
    if (isParent(value[key])) places(value[key], found)
  }
  return found
}

/** An assignment to `__proto__` would make no member. */
function put(parent, key, value) {
  Object.defineProperty(parent, key, { value, enumerable: true, writable: true, configurable: true })
}

function junk({ pick, below }, depth = 0) {
  const simple = [null, true, false, pick(NUMBERS), pick(TEXTS), [], {}]
  const random = { pick, below }
  if (depth > 2 || below(3) > 0) return pick(simple)
  return below(2) === 0 ? [junk(random, depth + 1)] : { x: junk(random, depth + 1) }
}

function replaceValue(object, random) {
  const [parent, key] = random.pick(places(object)) ?? []
  if (parent === undefined) return
  const present = parent[key]
  const like =
    typeof present === 'string' ? random.pick(TEXTS) : typeof present === 'number' ? random.pick(NUMBERS) : undefined
  put(parent, key, like !== undefined && random.chance(0.6) ? like : junk(random))
}

function removeValue(object, random) {
  const [parent, key] = random.pick(places(object)) ?? []
  if (Array.isArray(parent)) parent.splice(Number(key), 1)
  else if (parent !== undefined) delete parent[key]
}

function doubleValue(object, random) {
  const [parent, key] = random.pick(places(object)) ?? []
  if (Array.isArray(parent)) parent.push(structuredClone(parent[key] ?? null))
}

function renameMember(object, random) {
  const [parent, key] = random.pick(places(object)) ?? []
  if (parent !== undefined && !Array.isArray(parent))
    put(parent, random.pick(TEXTS), structuredClone(parent[key] ?? null))
}

function annotate(object, random) {
  const of = random.pick([object, templateOf(object)])
  if (!isParent(of)) return
  if (!isParent(of.metadata)) of.metadata = {}
  if (!isParent(of.metadata.annotations)) of.metadata.annotations = {}
  const key = random.pick(Object.keys(ANNOTATIONS))
  put(of.metadata.annotations, key, random.chance(0.9) ? random.pick(ANNOTATIONS[key]) : random.pick(TEXTS))
}

function anyContainer(object, { pick }) {
  const spec = templateOf(object)?.spec
  const lists = [spec?.containers, spec?.initContainers].filter((list) => Array.isArray(list) && list.length > 0)
  const found = lists.length === 0 ? undefined : pick(pick(lists))
  return isParent(found) ? found : undefined
}

function setHandler(object, random) {
  const container = anyContainer(object, random)
  if (container === undefined) return
  const handler = structuredClone(random.pick(HANDLERS))
  const slot = random.pick(['livenessProbe', 'readinessProbe', 'startupProbe', 'preStop', 'postStart'])
  if (slot.startsWith('p')) put(container, 'lifecycle', { [slot]: handler })
  else put(container, slot, random.chance(0.3) ? { ...handler, timeoutSeconds: random.pick(NUMBERS) } : handler)
}

function addPart(object, random) {
  const spec = templateOf(object)?.spec
  if (!isParent(spec)) return
  const list = random.pick(Object.keys(PARTS))
  const present = Array.isArray(spec[list]) ? spec[list] : []
  spec[list] = [...present, structuredClone(random.pick(PARTS[list]))]
}

function addContainerPart(object, random) {
  const container = anyContainer(object, random)
  if (container === undefined) return
  const list = random.pick(Object.keys(CONTAINER_PARTS))
  const present = Array.isArray(container[list]) ? container[list] : []
  container[list] = [...present, structuredClone(random.pick(CONTAINER_PARTS[list]))]
}

function changeMetadata(object, random) {
  if (!isParent(object.metadata)) object.metadata = {}
  random.pick([
    (metadata) => (metadata.ownerReferences = [{ kind: 'ReplicaSet', name: 'x', controller: random.chance(0.5) }]),
    (metadata) => (metadata.deletionTimestamp = '2026-01-01T00:00:00Z'),
    (metadata) => (metadata.labels = { app: 'web', [random.pick(TEXTS)]: random.pick(TEXTS) }),
    (metadata) => (metadata.labels = { 'acme.cert-manager.io/http01-solver': 'true' }),
    (metadata) => delete metadata.name,
  ])(object.metadata)
}

function addRule(object, random) {
  if (object.kind !== 'Ingress' || !Array.isArray(object.spec?.rules)) return
  const port = random.pick([{ number: 80 }, { name: 'http' }, {}])
  const backend = random.pick([
    { service: { name: random.pick(TEXTS), port } },
    { resource: { kind: 'Bucket', name: 'b' } },
    null,
  ])
  const pathType = random.pick(['Prefix', 'Exact', 'ImplementationSpecific', 'x'])
  const path = random.pick([...TEXTS, '/', '/a', '/(.*)', '/a/../b'])
  object.spec.rules.push(
    random.chance(0.8) ? { host: random.pick(TEXTS), http: { paths: [{ path, pathType, backend }] } } : {},
  )
}
