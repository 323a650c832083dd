// 100 KB of any text, in every field that admission reads: decided in 100 ms, and twice the text takes twice the time at most.
// In process, by CPU time; each text is a unit that makes patterns backtrack, repeated, with an end that makes them fail.
import { fileURLToPath } from 'node:url'
import { admit } from '../../dist/admission/admit.js'
import { decodeReview, encodeReview } from '../../dist/admission/review.js'
import { clusterFromFiles } from '../../dist/cluster/cluster-from-files.js'
import { DEFAULT_CONFIGURATION } from '../../dist/config.js'

const MOST_MS = 100
/** Below, a ratio says nothing. */
const MEASURABLE_MS = 8
const MOST_RATIO = 3
const SIZE = 100_000
/** An Ingress of more than 64 KB is denied without its conversion. */
const CONVERTED_SIZE = 60_000
const ATTEMPTS = 3

const UNITS = [
  ' ',
  '\t',
  '\n',
  '/',
  '-',
  '0',
  '1.',
  '9,',
  'a',
  'a-',
  '_-',
  '[',
  '(',
  '{a: ',
  '$',
  '"',
  'a"',
  "'\\",
  ',',
  '~',
  ':',
  '%',
  '*',
  '=',
  ';',
  '&a ',
  '- ',
  'a: b\n',
  'v://n',
  'a, b; ',
]
const ENDS = ['', '!', '\n']

const ISTIO = [
  'interceptionMode',
  'proxyCPU',
  'proxyMemory',
  'rewriteAppHTTPProbers',
  'inject',
  'status',
  'nativeSidecar',
].map((name) => `sidecar.istio.io/${name}`)
const TRAFFIC = [
  'includeInboundPorts',
  'excludeInboundPorts',
  'includeOutboundIPRanges',
  'excludeOutboundPorts',
  'excludeInterfaces',
].map((name) => `traffic.sidecar.istio.io/${name}`)
const OTHERS = [
  'status.sidecar.istio.io/port',
  'proxy.istio.io/config',
  'proxy.istio.io/overrides',
  'inject.istio.io/templates',
  'prometheus.io/scrape',
  'prometheus.io/port',
  'prometheus.io/path',
  'prometheus.istio.io/merge-metrics',
  'prometheus.istio.io/scrape-targets',
  'istio.io/reroute-virtual-interfaces',
]
const OURS = ['probes', 'probe-port', 'templates', 'rewritten', 'prepare-strict', 'ingress', 'strict-switch'].map(
  (name) => `istio-onramp.io/${name}`,
)
const NGINX = [
  'configuration-snippet',
  'server-snippet',
  'auth-snippet',
  'permanent-redirect',
  'temporal-redirect',
  'app-root',
  'rewrite-target',
  'cors-allow-origin',
  'cors-allow-headers',
  'server-alias',
  'whitelist-source-range',
  'denylist-source-range',
  'proxy-body-size',
  'proxy-read-timeout',
  'auth-url',
  'auth-signin',
  'canary-by-header-pattern',
  'canary-weight',
  'session-cookie-name',
  'backend-protocol',
  'upstream-hash-by',
  'upstream-vhost',
  'x-forwarded-prefix',
  'mirror-target',
  'custom-http-errors',
  'proxy-redirect-from',
  'limit-rps',
].map((name) => `nginx.ingress.kubernetes.io/${name}`)
const CONTROLLERS = [
  'alb.ingress.kubernetes.io/actions.web',
  'alb.ingress.kubernetes.io/conditions.web',
  'alb.ingress.kubernetes.io/listen-ports',
  'haproxy.org/cors-allow-origin',
  'haproxy.org/request-set-header',
  'haproxy-ingress.github.io/config-backend',
  'konghq.com/plugins',
  'traefik.ingress.kubernetes.io/router.middlewares',
  'traefik.ingress.kubernetes.io/router.rule',
  'k8s.apisix.apache.org/upstream-read-timeout',
  'projectcontour.io/response-timeout',
  'nginx.org/rewrites',
  'nginx.org/location-snippets',
  'virtual-server.f5.com/ip',
  'external-dns.alpha.kubernetes.io/hostname',
  'cert-manager.io/issuer',
  'kubernetes.io/ingress.class',
]

const probed = (change) => {
  const container = {
    name: 'c',
    image: 'x',
    ports: [{ name: 'http', containerPort: 8080 }],
    livenessProbe: { httpGet: { path: '/', port: 80 } },
  }
  change(container)
  return pod({}, container)
}
const pod = (
  metadata,
  container = { name: 'c', image: 'x', livenessProbe: { httpGet: { path: '/', port: 80 } } },
  spec = {},
) => ({
  kind: 'Pod',
  object: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a', namespace: 'shop', ...metadata },
    spec: { containers: [container], ...spec },
  },
})
const ingress = (annotations, change = () => undefined) => {
  const path = {
    path: '/a',
    pathType: 'ImplementationSpecific',
    backend: { service: { name: 'web', port: { number: 80 } } },
  }
  const object = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'a', namespace: 'shop', annotations },
    spec: {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['a.example.com'], secretName: 's' }],
      rules: [{ host: 'a.example.com', http: { paths: [path] } }],
    },
  }
  change(object.spec, path, object)
  return { kind: 'Ingress', object }
}
const regex = { 'nginx.ingress.kubernetes.io/use-regex': 'true' }
const cors = { 'nginx.ingress.kubernetes.io/enable-cors': 'true' }

/** Where the text goes, and the object that has it there. */
const PLACES = [
  ...[...ISTIO, ...TRAFFIC, ...OTHERS, ...OURS].map((key) => [key, (text) => pod({ annotations: { [key]: text } })]),
  ['the key of an annotation', (text) => pod({ annotations: { [text]: 'x' } })],
  ['a label', (text) => pod({ labels: { app: text, 'istio.io/rev': text } })],
  [
    'generateName and its owner',
    (text) =>
      pod({ name: undefined, generateName: text, ownerReferences: [{ controller: true, kind: 'Job', name: text }] }),
  ],
  ['the name of a container', (text) => probed((container) => (container.name = text))],
  ['the path of a probe', (text) => probed((container) => (container.livenessProbe.httpGet.path = text))],
  ['the host of a probe', (text) => probed((container) => (container.livenessProbe.httpGet.host = text))],
  ['the port of a probe', (text) => probed((container) => (container.livenessProbe.httpGet.port = text))],
  [
    'the header of a probe',
    (text) => probed((container) => (container.livenessProbe.httpGet.httpHeaders = [{ name: text, value: text }])),
  ],
  [
    'the service of a probe',
    (text) => probed((container) => (container.livenessProbe = { grpc: { port: 80, service: text } })),
  ],
  ['an unknown field of a probe', (text) => probed((container) => (container.livenessProbe[text] = text))],
  ['the path of a mount', (text) => probed((container) => (container.volumeMounts = [{ name: 'v', mountPath: text }]))],
  [
    'a quantity',
    (text) => probed((container) => (container.resources = { limits: { memory: text }, requests: { cpu: text } })),
  ],
  [
    'the arguments of a proxy',
    (text) =>
      pod(
        { annotations: { 'sidecar.istio.io/status': '{}' } },
        { name: 'istio-proxy', args: [text], env: [{ name: 'PROXY_CONFIG', value: text }] },
      ),
  ],
  ...[...NGINX, ...CONTROLLERS].map((key) => [key, (text) => ingress({ ...cors, [key]: text })]),
  [
    'the key of an annotation of an Ingress',
    (text) => ingress({ [`konghq.com/${text}`]: 'x', [`haproxy.org/${text}`]: 'x' }),
  ],
  ['a path', (text) => ingress({}, (_spec, path) => (path.path = `/${text}`))],
  ['a path that is an expression', (text) => ingress(regex, (_spec, path) => (path.path = `/${text}`))],
  [
    'a path that is rewritten',
    (text) =>
      ingress(
        { ...regex, 'nginx.ingress.kubernetes.io/rewrite-target': '/$1' },
        (_spec, path) => (path.path = `/(.*)${text}`),
      ),
  ],
  ['a host', (text) => ingress({}, (spec) => (spec.rules[0].host = `a${text}`))],
  ['the host of a certificate', (text) => ingress({}, (spec) => (spec.tls[0].hosts = [`a${text}`]))],
  ['the name of a certificate', (text) => ingress({}, (spec) => (spec.tls[0].secretName = `a${text}`))],
  ['the name of a Service', (text) => ingress({}, (_spec, path) => (path.backend.service.name = `a${text}`))],
  ['the class', (text) => ingress({}, (spec) => (spec.ingressClassName = text))],
  ['a field that is not a text', (text) => ingress({}, (spec) => (spec.rules[0].http = text))],
]

export async function attackWithPatterns({ report, only }) {
  const cluster = fileURLToPath(new URL('cluster.yaml', import.meta.url))
  const context = { mesh: await clusterFromFiles([cluster]), configuration: DEFAULT_CONFIGURATION.rules }
  const decide = decider(context)
  for (const [place, make] of PLACES) {
    if (only !== undefined && !place.includes(only)) continue
    const problems = []
    let slowest = 0
    for (const unit of UNITS)
      for (const end of ENDS)
        for (const size of make('').kind === 'Ingress' ? [CONVERTED_SIZE, SIZE] : [SIZE]) {
          const text = (length) => unit.repeat(Math.ceil(length / unit.length)) + end
          const time = decide(make, text(size))
          slowest = Math.max(slowest, time)
          const isLinear = time < MEASURABLE_MS || growsLinearly(decide, make, text(size), text(size / 2))
          if (time > MOST_MS || !isLinear)
            problems.push(
              `${JSON.stringify(unit)}...${JSON.stringify(end)} takes ${Math.round(time)} ms${isLinear ? '' : ', not linear'}`,
            )
        }
    report(place, problems.slice(0, 3), `${UNITS.length * ENDS.length} texts, ${Math.round(slowest)} ms at most`)
  }
}

/** A collection of garbage can fall into one measurement, but not into each. */
function growsLinearly(decide, make, whole, half) {
  return Array.from({ length: ATTEMPTS }).some(() => decide(make, whole) < MOST_RATIO * decide(make, half))
}

/** Milliseconds of CPU, the fastest of a few attempts unless the first is fast enough. */
function decider(context) {
  return (make, text) => {
    let fastest = Infinity
    for (let attempt = 0; attempt < ATTEMPTS && fastest > MEASURABLE_MS; attempt++) {
      const review = reviewOf(make(text))
      const before = process.cpuUsage()
      const request = decodeReview(review)
      encodeReview(request, admit(request, context))
      const { user, system } = process.cpuUsage(before)
      fastest = Math.min(fastest, (user + system) / 1000)
    }
    return fastest
  }
}

function reviewOf({ kind, object }) {
  const request = {
    uid: 'u',
    kind: { group: kind === 'Pod' ? '' : 'networking.k8s.io', version: 'v1', kind },
    operation: 'CREATE',
    namespace: 'shop',
    name: 'a',
    userInfo: { username: 'dev' },
    object,
    oldObject: null,
  }
  return JSON.parse(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }))
}
