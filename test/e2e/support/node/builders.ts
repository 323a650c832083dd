// Workloads and Services of the applications on the node, made of hack/prober/probed.go and hack/check/application.go.
import type { Json, JsonObject } from '../../../../src/kubernetes/json.ts'

export const SLOWLY = { periodSeconds: 5, timeoutSeconds: 4, failureThreshold: 3 }
/** Never restarts the container, but fails all the same. kubelet reports the first 25 failures of a pod. */
export const PATIENTLY = { ...SLOWLY, periodSeconds: 20, failureThreshold: 1000 }
export const READY = { httpGet: { path: '/ready', port: 8080 }, ...SLOWLY }
export const ALIVE = { httpGet: { path: '/alive', port: 8080 }, ...SLOWLY, failureThreshold: 6 }
export const HTTP = { name: 'http', port: 8080 }

/** Twenty proxies on the two cores of a node. */
const SMALL_PROXY = { 'sidecar.istio.io/proxyCPU': '10m', 'sidecar.istio.io/proxyMemory': '40Mi' }

export interface WorkloadOptions {
  readonly namespace?: string
  readonly kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Job'
  readonly annotations?: JsonObject
  readonly container?: Readonly<Record<string, Json>>
  /** Of the pod. */
  readonly spec?: Readonly<Record<string, Json>>
  /** Further names in the hosts file. */
  readonly aliases?: Readonly<Record<string, string>>
}

export interface Builders {
  readonly server: Builder
  /** Calls each target twice a second. */
  readonly client: Builder
  readonly application: Builder
  readonly service: (name: string, ports: readonly JsonObject[], spec?: JsonObject, namespace?: string) => JsonObject
}

type Builder = (name: string, args: readonly string[], options?: WorkloadOptions) => JsonObject

/** `addresses` are the ClusterIPs by name. Pods have no DNS, so all of them are in every hosts file. */
export function buildersOf(home: string, addresses: Readonly<Record<string, string>>): Builders {
  const workload = (
    name: string,
    image: string,
    args: readonly string[],
    options: WorkloadOptions = {},
  ): JsonObject => {
    const { namespace = home, kind = 'Deployment', annotations = {}, container = {}, spec = {}, aliases = {} } = options
    const template = {
      metadata: { labels: { app: name }, annotations: { ...annotations, ...SMALL_PROXY } },
      spec: {
        terminationGracePeriodSeconds: 5,
        automountServiceAccountToken: false,
        hostAliases: Object.entries({ ...addresses, ...aliases }).map(([host, ip]) => ({ ip, hostnames: [host] })),
        ...(kind === 'Job' ? { restartPolicy: 'OnFailure' } : {}),
        ...spec,
        containers: [containerOf('app', image, args, container)],
      },
    }
    return {
      apiVersion: kind === 'Job' ? 'batch/v1' : 'apps/v1',
      kind,
      metadata: { name, namespace },
      spec: specOf(kind, name, template),
    }
  }
  const application: Builder = (name, args, options) =>
    workload(name, 'istio-onramp.local/application:1', args, options)
  return {
    application,
    server: (name, args, options) => workload(name, PROBED, args, options),
    client: (name, targets, options) =>
      application(
        name,
        targets.map((target) => (target.includes('=') ? target : `call=${target}`)),
        options,
      ),
    service: (name, ports, spec = {}, namespace = home) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace },
      spec: { selector: { app: name }, clusterIP: addresses[name] ?? 'None', ports: [...ports], ...spec },
    }),
  }
}

const PROBED = 'istio-onramp.local/probed:1'

/** An init container that runs beside the others. */
export function probedSidecar(name: string, args: readonly string[], more: JsonObject): JsonObject {
  return containerOf(name, PROBED, args, { restartPolicy: 'Always', ...more })
}

function containerOf(name: string, image: string, args: readonly string[], more: Readonly<Record<string, Json>>) {
  return { name, image, imagePullPolicy: 'Never', args: [...args], resources: { requests: { cpu: '5m' } }, ...more }
}

function specOf(kind: WorkloadOptions['kind'], name: string, template: JsonObject): JsonObject {
  if (kind === 'Job') return { template, backoffLimit: 20 }
  const selector = { matchLabels: { app: name } }
  return kind === 'StatefulSet' ? { selector, template, serviceName: name } : { selector, template }
}
