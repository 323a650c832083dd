// Clusters of a given size for the bench of `check` and of the guard: workloads that call each other, with probes, Services,
// policies and pods.

export const ISTIO = [
  configMap('istio', { mesh: '{}' }),
  configMap('istio-sidecar-injector', {
    config: '{"policy":"enabled"}',
    values: '{"sidecarInjectorWebhook":{"rewriteAppHTTPProbe":true}}',
  }),
]

function configMap(name, data) {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'istio-system' }, data }
}

export function namespaceOf(name) {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: { 'istio-injection': 'enabled' } } }
}

/** `count` Deployments, a hundred in each namespace, each with a Service and a call to its neighbour's. */
export function meshOf(count) {
  const objects = [...ISTIO]
  for (let index = 0; index < count; index += 1) {
    const namespace = `team-${Math.floor(index / 100)}`
    if (index % 100 === 0) objects.push(namespaceOf(namespace))
    objects.push(deploymentOf(`app-${index}`, namespace, `http://app-${index - (index % 100) + ((index + 1) % 100)}`))
    objects.push(serviceOf(`app-${index}`, namespace, { app: `app-${index}` }, index))
  }
  return objects
}

/** `services` Services that all select the same `pods` pods. */
export function crowdOf(services, pods) {
  const objects = [...ISTIO, namespaceOf('crowd')]
  for (let index = 0; index < services; index += 1)
    objects.push({ ...serviceOf(`service-${index}`, 'crowd', { tier: 'web' }, index, 'NodePort') })
  for (let index = 0; index < pods; index += 1) objects.push(podOf(`pod-${index}`, 'crowd', { tier: 'web' }, index))
  return objects
}

/** `count` policies of one namespace, each for a workload of its own. */
export function policiesOf(count) {
  const objects = [...ISTIO, namespaceOf('ruled')]
  for (let index = 0; index < count; index += 1)
    objects.push(deploymentOf(`app-${index}`, 'ruled', 'http://nothing'), {
      apiVersion: 'security.istio.io/v1',
      kind: 'PeerAuthentication',
      metadata: { name: `policy-${index}`, namespace: 'ruled', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: { selector: { matchLabels: { app: `app-${index}` } }, portLevelMtls: { 8080: { mode: 'PERMISSIVE' } } },
    })
  return objects
}

/** One pod of each Deployment of `meshOf`, as it runs. */
export function podsOf(count) {
  return Array.from({ length: count }, (_, index) => {
    const name = `app-${index}`
    const pod = podOf(
      `${name}-5d9f-x2x`,
      `team-${Math.floor(index / 100)}`,
      { app: name, 'pod-template-hash': '5d9f' },
      index,
    )
    const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: `${name}-5d9f`, controller: true, uid: `${index}` }
    return { ...pod, metadata: { ...pod.metadata, ownerReferences: [owner] } }
  })
}

export function deploymentOf(name, namespace, url) {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name, tier: 'web' } }, spec: { containers: [containerOf(url)] } },
    },
  }
}

function containerOf(url) {
  return {
    name: 'app',
    image: 'example.org/app:1',
    ports: [{ name: 'http', containerPort: 8080 }],
    env: [
      { name: 'NEXT_URL', value: url },
      { name: 'LOG_LEVEL', value: 'info' },
    ],
    livenessProbe: { httpGet: { path: '/healthz', port: 8080 } },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' } },
  }
}

function podOf(name, namespace, labels, index) {
  const address = `10.${1 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
  const proxy = { name: 'istio-proxy', image: 'istio/proxyv2', restartPolicy: 'Always', args: ['proxy', 'sidecar'] }
  const init = {
    name: 'istio-init',
    image: 'istio/proxyv2',
    args: ['istio-iptables', '-m', 'REDIRECT', '-i', '*', '-x', '', '-b', '*', '-d', '15090,15021,15020'],
  }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels, annotations: { 'sidecar.istio.io/status': '{"revision":"default"}' } },
    spec: {
      nodeName: `node-${index % 100}`,
      initContainers: [init, proxy],
      containers: [
        {
          ...containerOf('http://nothing'),
          livenessProbe: { httpGet: { path: '/app-health/app/livez', port: 15020 } },
          readinessProbe: { httpGet: { path: '/app-health/app/readyz', port: 15020 } },
        },
      ],
    },
    status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], hostIP: `192.168.0.${index % 100}` },
  }
}

function serviceOf(name, namespace, selector, index, type = 'ClusterIP') {
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }]
  const clusterIP = `10.${96 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { type, clusterIP, selector, ports },
  }
}
