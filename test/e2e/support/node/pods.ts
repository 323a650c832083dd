/** Pods of the application hack/prober/probed.go, with every kind of check that kubelet knows. */
import type { Json, JsonObject } from '../../../../src/kubernetes/json.ts'

const IMAGE = 'istio-onramp.local/probed:1'
/** Two exec probes a second take 58 ms of it (docs/facts/probes-under-strict.md#exec-cost). */
export const RESOURCES = { cpu: '100m', memory: '32Mi' }
/** What is asked for where the proxies of many pods take the node's two cores. */
const SMALL = { ...RESOURCES, cpu: '10m' }

/** Often and with patience: the machine that runs this may be a small one. */
const OFTEN = { periodSeconds: 1, timeoutSeconds: 5, failureThreshold: 3 }
const STARTING = { ...OFTEN, failureThreshold: 60 }

export interface Wanted {
  readonly name: string
  readonly namespace: string
  readonly user: number
  readonly annotations?: JsonObject
}

/**
 * | container | startup      | readiness  | liveness | hooks                               |
 * |-----------|--------------|------------|----------|-------------------------------------|
 * | early     | http         |            |          | a native sidecar                    |
 * | app       | grpc         | named http | https    | postStart in http, preStop in https |
 * | store     |              | tcp        |          |                                     |
 */
export function probedPod({ name, namespace, user, annotations = {} }: Wanted): JsonObject {
  const early = container('early', ['http=8081'], {
    restartPolicy: 'Always',
    startupProbe: { httpGet: { path: '/early', port: 8081 }, ...STARTING },
  })
  const app = container('app', ['http=8080', 'https=8443', 'grpc=9000'], {
    ports: [{ name: 'web', containerPort: 8080 }],
    startupProbe: { grpc: { port: 9000, service: 'orders' }, ...STARTING },
    readinessProbe: {
      httpGet: { path: '/ready', port: 'web', httpHeaders: [{ name: 'X-Price', value: '$(NO) 5$' }] },
      ...OFTEN,
    },
    livenessProbe: { httpGet: { path: '/alive', port: 8443, scheme: 'HTTPS' }, ...OFTEN },
    lifecycle: {
      postStart: { httpGet: { path: '/started', port: 'web' } },
      preStop: { httpGet: { path: '/stopping', port: 8443, scheme: 'HTTPS' } },
    },
  })
  const store = container('store', ['tcp=7000'], { readinessProbe: { tcpSocket: { port: 7000 }, ...OFTEN } })
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations },
    spec: {
      terminationGracePeriodSeconds: 10,
      automountServiceAccountToken: false,
      securityContext: { runAsUser: user, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      initContainers: [early],
      containers: [app, store],
    },
  }
}

/** An application whose readiness probe asks a port at which nobody listens. */
export function deafPod({ name, namespace, user, annotations = {} }: Wanted): JsonObject {
  const app = container('app', ['http=8080'], { readinessProbe: { tcpSocket: { port: 7999 }, ...OFTEN } })
  const spec = { securityContext: { runAsUser: user, runAsNonRoot: true }, containers: [app] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, annotations }, spec }
}

/** The checks of an application that is asked in every way of Istio's agent, and what it is asked on. */
export const SERVED: Readonly<Record<string, Json>> = {
  readinessProbe: { httpGet: { path: '/ready', port: 8080 }, ...OFTEN },
  livenessProbe: { httpGet: { path: '/alive', port: 8080 }, ...OFTEN, failureThreshold: 10 },
  startupProbe: { tcpSocket: { port: 8080 }, ...STARTING },
}

/** HTTP/2 in clear, and gRPC over TLS, which the agent does not speak; the readiness probe it serves. */
export const MIXED: Readonly<Record<string, Json>> = {
  ...SERVED,
  livenessProbe: { httpGet: { path: '/alive', port: 8082, protocol: 'HTTP2' }, ...OFTEN, failureThreshold: 10 },
  startupProbe: { grpc: { port: 9443, mode: 'TLS' }, ...STARTING },
}

/** Checks of a second container, on ports of its own: one that the agent serves, and one that it does not. */
export const SIDE_SERVED: Readonly<Record<string, Json>> = {
  readinessProbe: { httpGet: { path: '/ready', port: 8090 }, ...OFTEN },
}
export const SIDE_UNSERVED: Readonly<Record<string, Json>> = {
  readinessProbe: { httpGet: { path: '/ready', port: 8092, protocol: 'HTTP2' }, ...OFTEN },
}
export const SIDE_MIXED: Readonly<Record<string, Json>> = {
  ...SIDE_SERVED,
  startupProbe: { httpGet: { path: '/started', port: 8092, protocol: 'HTTP2' }, ...STARTING },
}

/** The ports past the sidecar at which a test tells each container's application how it is. */
export const UNCAPTURED = 8089
export const SIDE_UNCAPTURED = 8088

/** One application in a namespace of the mesh, with the given checks and annotations, and a second one beside it if asked. */
export function meshPod(
  name: string,
  namespace: string,
  annotations: JsonObject,
  checks: Readonly<Record<string, Json>>,
  sideChecks?: Readonly<Record<string, Json>>,
): JsonObject {
  const args = ['http=8080', `http=${UNCAPTURED}`, 'h2c=8082', 'grpcs=9443']
  const sideArgs = ['http=8090', `http=${SIDE_UNCAPTURED}`, 'h2c=8092']
  const excluded = { 'traffic.sidecar.istio.io/excludeInboundPorts': `${UNCAPTURED},${SIDE_UNCAPTURED}` }
  const resources = { requests: SMALL, limits: RESOURCES }
  const side = sideChecks === undefined ? [] : [container('side', sideArgs, { resources, ...sideChecks })]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, annotations: { ...excluded, ...annotations } },
    spec: {
      terminationGracePeriodSeconds: 2,
      automountServiceAccountToken: false,
      securityContext: { runAsUser: 65532, runAsNonRoot: true },
      containers: [container('app', args, { resources, ...checks }), ...side],
    },
  }
}

/** As Pod Security `restricted` wants it, without a writable file. */
function container(name: string, args: readonly string[], more: Record<string, Json>): JsonObject {
  return {
    name,
    image: IMAGE,
    imagePullPolicy: 'Never',
    args,
    resources: { requests: RESOURCES, limits: RESOURCES },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
    },
    ...more,
  }
}
