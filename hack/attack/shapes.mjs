// Reviews of every shape that takes time or memory: as large as they may be sent, and as large as they may be stored.
const GROUPS = {
  Pod: ['', 'v1'],
  Deployment: ['apps', 'v1'],
  Ingress: ['networking.k8s.io', 'v1'],
  PeerAuthentication: ['security.istio.io', 'v1'],
}

/** `object` and `oldObject` are JSON texts. */
export function reviewText(kind, object, { oldObject, namespace = 'rewritten', uid = 'u-1' } = {}) {
  const [group, version] = GROUPS[kind]
  const request = {
    uid,
    kind: { group, version, kind },
    namespace,
    name: 'a',
    operation: oldObject === undefined ? 'CREATE' : 'UPDATE',
    userInfo: { username: 'dev' },
  }
  const head = JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request })
  return `${head.slice(0, -2)},"object":${object},"oldObject":${oldObject ?? 'null'},"dryRun":false}}`
}

/** Entries that together have `bytes`. */
function fill(bytes, entry) {
  const count = Math.max(1, Math.floor(bytes / (entry(123_456).length + 1)))
  return Array.from({ length: count }, (_, index) => entry(index)).join(',')
}

const PROBE = '"livenessProbe":{"httpGet":{"port":8080}}'
const THREE = `${PROBE},"readinessProbe":{"httpGet":{"port":8080,"path":"/ready"}},"startupProbe":{"tcpSocket":{"port":8080}}`
/** Bytes of `{},`, of which src/server/parse-review.ts reads 3 million values. */
const MOST_READ = 3 * 1_490_000
const METADATA = '"metadata":{"name":"a"}'
const pod = (containers, more = '') => `{${METADATA},"spec":{"containers":[${containers}]${more}}}`
const container = (more) => `{"name":"a","image":"x",${PROBE}${more}}`
const annotated = (annotations) =>
  `{"metadata":{"name":"a","annotations":{${annotations}}},"spec":{"containers":[${container('')}]}}`
const deployment = (containers) =>
  `{${METADATA},"spec":{"selector":{},"template":{"metadata":{"labels":{"app":"a"}},"spec":{"containers":[${containers}]}}}}`
const ingress = (spec, annotations = '') => `{"metadata":{"name":"a","annotations":{${annotations}}},"spec":${spec}}`
const backend = '"backend":{"service":{"name":"web","port":{"number":80}}}'
const rule = (index) =>
  `{"host":"h${index}.example.com","http":{"paths":[{"path":"/","pathType":"Prefix",${backend}}]}}`
const text = (value) => JSON.stringify(value)

/** Each makes an object of about `bytes` of the kind. */
export const SHAPES = [
  ['containers {}', 'Deployment', (bytes) => deployment(fill(bytes, () => '{}'))],
  ['containers with three probes', 'Pod', (bytes) => pod(fill(bytes, (i) => `{"name":"c${i}","image":"x",${THREE}}`))],
  ['containers as the API server sends them', 'Deployment', (bytes) => deployment(fill(bytes, defaulted))],
  ['objects {}', 'Pod', (bytes) => pod(container(''), `,"x":[${fill(bytes, () => '{}')}]`)],
  [
    'objects {} as many as are read',
    'Pod',
    (bytes) => pod(container(''), `,"x":[${fill(Math.min(bytes / 2, MOST_READ), () => '{}')}]`),
  ],
  [
    'texts as many as are read',
    'Ingress',
    (bytes) =>
      ingress(
        `{"tls":[{"hosts":[${fill(Math.min(bytes / 2, MOST_READ), (i) => `"${i % 10}"`)}]}],"rules":[${rule(1)}]}`,
      ),
  ],
  ['lists []', 'Pod', (bytes) => pod(container(''), `,"x":[${fill(bytes, () => '[]')}]`)],
  ['numbers', 'Pod', (bytes) => pod(container(''), `,"x":[${fill(bytes, () => '1.5')}]`)],
  ['members', 'Pod', (bytes) => pod(container(''), `,"x":{${fill(bytes, (i) => `"k${i.toString(36)}":0`)}}`)],
  ['numbered members', 'Pod', (bytes) => pod(container(''), `,"x":{${fill(bytes, (i) => `"${i}":0`)}}`)],
  ['nested lists', 'Pod', (bytes) => pod(container(''), `,"x":${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}`)],
  [
    'nested objects',
    'Pod',
    (bytes) => pod(container(''), `,"x":${'{"a":'.repeat(bytes / 6)}1${'}'.repeat(bytes / 6)}`),
  ],
  ['environment', 'Pod', (bytes) => pod(container(`,"env":[${fill(bytes, () => '{"name":"A"}')}]`))],
  [
    'long environment',
    'Pod',
    (bytes) => pod(container(`,"env":[${fill(bytes, (i) => `{"name":"A${i}","value":"${'x'.repeat(500)}"}`)}]`)),
  ],
  ['ports', 'Pod', (bytes) => pod(container(`,"ports":[${fill(bytes, (i) => `{"name":"p${i}","containerPort":1}`)}]`))],
  [
    'volumes',
    'Pod',
    (bytes) => pod(container(''), `,"volumes":[${fill(bytes, (i) => `{"name":"v${i}","emptyDir":{}}`)}]`),
  ],
  [
    'mounts',
    'Pod',
    (bytes) => pod(container(`,"volumeMounts":[${fill(bytes, (i) => `{"name":"v","mountPath":"/${i}"}`)}]`)),
  ],
  [
    'labels',
    'Pod',
    (bytes) =>
      `{"metadata":{"name":"a","labels":{${fill(bytes, (i) => `"l${i}":"x"`)}}},"spec":{"containers":[${container('')}]}}`,
  ],
  ['annotations', 'Pod', (bytes) => annotated(fill(bytes, (i) => `"a${i}":"x"`))],
  ['one annotation', 'Pod', (bytes) => annotated(`"a":"${'x'.repeat(bytes)}"`)],
  ['one escaped annotation', 'Pod', (bytes) => annotated(`"a":"${'\\u00e4'.repeat(bytes / 6)}"`)],
  [
    'a receipt',
    'Pod',
    (bytes) =>
      annotated(
        `"istio-onramp.io/rewritten":${text(`{${fill(bytes / 1.2, (i) => `"c${i}":{"livenessProbe":{"original":{"httpGet":{}},"strategy":"exec"}}`)}}`)}`,
      ),
  ],
  [
    'an empty receipt',
    'Pod',
    (bytes) => annotated(`"istio-onramp.io/rewritten":${text(`{${fill(bytes / 1.4, (i) => `"${i}":{}`)}}`)}`),
  ],
  ['probe ports', 'Pod', (bytes) => annotated(`"istio-onramp.io/probe-port":"${fill(bytes, (i) => `c${i}=8080`)}"`)],
  [
    'captured ports',
    'Pod',
    (bytes) => annotated(`"traffic.sidecar.istio.io/includeInboundPorts":"${fill(bytes, (i) => `${i % 65_536}`)}"`),
  ],
  [
    'a proxy configuration',
    'Pod',
    (bytes) => annotated(`"proxy.istio.io/config":${text(`{${fill(bytes / 1.4, (i) => `k${i}: 1`)}}`)}`),
  ],
  ['hosts', 'Ingress', (bytes) => ingress(`{"rules":[${fill(bytes, rule)}]}`)],
  ['hosts that are numbers', 'Ingress', (bytes) => ingress(`{"rules":[${fill(bytes, (i) => `{"host":${i}}`)}]}`)],
  [
    'paths',
    'Ingress',
    (bytes) =>
      ingress(
        `{"rules":[{"host":"a.example.com","http":{"paths":[${fill(bytes, (i) => `{"path":"/${i}","pathType":"Prefix",${backend}}`)}]}}]}`,
      ),
  ],
  [
    'TLS',
    'Ingress',
    (bytes) => ingress(`{"tls":[${fill(bytes, (i) => `{"hosts":["h${i}"],"secretName":"s"}`)}],"rules":[${rule(1)}]}`),
  ],
  ['TLS {}', 'Ingress', (bytes) => ingress(`{"tls":[${fill(bytes, () => '{}')}],"rules":[${rule(1)}]}`)],
  ['TLS hosts', 'Ingress', (bytes) => ingress(`{"tls":[{"hosts":[${fill(bytes, () => '""')}]}],"rules":[${rule(1)}]}`)],
  [
    'aliases',
    'Ingress',
    (bytes) =>
      ingress(
        `{"ingressClassName":"nginx","rules":[${rule(1)}]}`,
        `"nginx.ingress.kubernetes.io/server-alias":"${fill(bytes, (i) => `h${i}.example.com`)}"`,
      ),
  ],
  [
    'a snippet',
    'Ingress',
    (bytes) =>
      ingress(
        `{"ingressClassName":"nginx","rules":[${rule(1)}]}`,
        `"nginx.ingress.kubernetes.io/configuration-snippet":"${'location /a { '.repeat(bytes / 14)}"`,
      ),
  ],
  [
    'actions',
    'Ingress',
    (bytes) =>
      ingress(
        `{"rules":[${rule(1)}]}`,
        fill(bytes, (i) => `"alb.ingress.kubernetes.io/actions.a${i}":"{}"`),
      ),
  ],
  [
    'ports of a policy',
    'PeerAuthentication',
    (bytes) =>
      `{${METADATA},"spec":{"mtls":{"mode":"STRICT"},"selector":{"matchLabels":{"app":"a"}},"portLevelMtls":{${fill(bytes, (i) => `"${i}":{"mode":"STRICT"}`)}}}}`,
  ],
  [
    'labels of a policy',
    'PeerAuthentication',
    (bytes) =>
      `{${METADATA},"spec":{"mtls":{"mode":"STRICT"},"selector":{"matchLabels":{${fill(bytes, (i) => `"l${i}":"x"`)}}}}}`,
  ],
]

function defaulted(index) {
  return `{"name":"c${index}","image":"x","resources":{},"terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File","imagePullPolicy":"Always",${PROBE}}`
}

/** A small review, which has to be answered beside all others. */
export const SMALL = reviewText('Pod', pod(`{"name":"a","image":"x",${THREE}}`))
