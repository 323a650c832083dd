// The objects of a large cluster, in the shapes that applying a manifest leaves behind.
export const SIZE = {
  namespaces: Number(process.env.SCALE_NAMESPACES ?? 10_000),
  services: Number(process.env.SCALE_SERVICES ?? 20_000),
  policies: Number(process.env.SCALE_POLICIES ?? 5_000),
}

/** Injects into namespaces labelled for it, as Istio's own does. No pods are created, so it is never called. */
export const INJECTION = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'istio-sidecar-injector' },
  webhooks: [
    {
      name: 'namespace.sidecar-injector.istio.io',
      clientConfig: { url: 'https://127.0.0.1:9/inject' },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      namespaceSelector: { matchLabels: { 'istio-injection': 'enabled' } },
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
    },
  ],
}

export const POLICIES = 'peerauthentications'
const POLICY_GROUP = 'security.istio.io'

/** Replaces Istio's own definition, because nothing here depends on its schema. */
export const DEFINITION = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${POLICIES}.${POLICY_GROUP}` },
  spec: {
    group: POLICY_GROUP,
    scope: 'Namespaced',
    names: { kind: 'PeerAuthentication', plural: POLICIES, singular: 'peerauthentication' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

/** Every kind with its path below `/` and what the `index`th object is. */
export const KINDS = [
  { name: 'Namespaces', count: SIZE.namespaces, path: () => '/api/v1/namespaces', make: makeNamespace },
  {
    name: 'Services',
    count: SIZE.services,
    path: (object) => within('/api/v1', object, 'services'),
    make: makeService,
  },
  {
    name: 'PeerAuthentications',
    count: SIZE.policies,
    path: (object) => within(`/apis/${POLICY_GROUP}/v1`, object, POLICIES),
    make: makePolicy,
  },
]

function within(root, object, plural) {
  return `${root}/namespaces/${object.metadata.namespace}/${plural}`
}

export function makeNamespace(index) {
  const labels = { 'istio-injection': 'enabled', team: `team-${index % 50}` }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespaceName(index), labels } }
}

/** Without a cluster address: a range of 20,000 is not every test cluster's. */
export function makeService(index, namespaces = SIZE.namespaces) {
  const app = `app-${index}`
  const ports = [
    { name: 'http', port: 80, targetPort: 8080 },
    { name: 'grpc', port: 9090, targetPort: 9090 },
  ]
  const spec = { clusterIP: 'None', selector: { app }, ports }
  return applied({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: metadataOf(`service-${index}`, index, namespaces),
    spec,
  })
}

export function makePolicy(index, namespaces = SIZE.namespaces) {
  const spec = {
    selector: { matchLabels: { app: `app-${index}` } },
    mtls: { mode: index % 2 === 0 ? 'STRICT' : 'PERMISSIVE' },
  }
  const metadata = metadataOf(`policy-${index}`, index, namespaces)
  return applied({ apiVersion: `${POLICY_GROUP}/v1`, kind: 'PeerAuthentication', metadata, spec })
}

function metadataOf(name, index, namespaces) {
  const labels = { 'app.kubernetes.io/name': `app-${index}`, team: `team-${index % 50}` }
  return { name, namespace: namespaceName(index % namespaces), labels }
}

export function namespaceName(index) {
  return `scale-${index}`
}

/** With the copy of itself that kubectl apply keeps in each object. */
function applied(object) {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(object) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}
