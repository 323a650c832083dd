/** Pods of the application hack/prober/probed.go, with every kind of check that kubelet knows. */
import type { Json, JsonObject } from '../../../../src/kubernetes/json.ts'

const IMAGE = 'istio-onramp.local/probed:1'
export const RESOURCES = { cpu: '10m', memory: '32Mi' }

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
export function deafPod({ name, namespace, user }: Wanted): JsonObject {
  const app = container('app', ['http=8080'], { readinessProbe: { tcpSocket: { port: 7999 }, ...OFTEN } })
  const spec = { securityContext: { runAsUser: user, runAsNonRoot: true }, containers: [app] }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec }
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
