// Reviews of the sizes that matter: a plain Pod, a Deployment, a Pod with a large environment.
export function podOfSize(bytes) {
  const probe = (path) => ({
    httpGet: { path, port: 'http', scheme: 'HTTP' },
    timeoutSeconds: 1,
    periodSeconds: 10,
    successThreshold: 1,
    failureThreshold: 3,
  })
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      generateName: 'web-',
      namespace: 'ns-7',
      labels: { app: 'web', 'pod-template-hash': '6d5f9c7b8f' },
      ownerReferences: [
        { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web-6d5f9c7b8f', uid: 'u', controller: true },
      ],
    },
    spec: {
      containers: [
        {
          name: 'web',
          image: 'registry.example.com/web:1',
          ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
          livenessProbe: probe('/healthz'),
          readinessProbe: probe('/ready'),
          env: [],
        },
      ],
    },
  }
  pod.spec.containers[0].env = padding(bytes - JSON.stringify(pod).length)
  return pod
}

export function deploymentOfSize(bytes) {
  const pod = podOfSize(bytes - 400)
  const template = { metadata: { labels: pod.metadata.labels }, spec: pod.spec }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'ns-7' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template },
  }
}

/** Environment entries of about 100 bytes each. */
function padding(bytes) {
  return Array.from({ length: Math.max(0, Math.floor(bytes / 100)) }, (_, index) => ({
    name: `SETTING_${String(index).padStart(5, '0')}`,
    value: 'x'.repeat(60),
  }))
}

export function reviewOf(object) {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion]
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: '705ab4f5-6393-11e8-b7cc-42010a800002',
      kind: { group, version, kind: object.kind },
      operation: 'CREATE',
      namespace: 'ns-7',
      name: '',
      userInfo: { username: 'system:serviceaccount:kube-system:replicaset-controller' },
      object,
      oldObject: null,
      dryRun: false,
    },
  })
}
