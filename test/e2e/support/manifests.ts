/** Workloads with probes as users write them, and what is looked up in what the API server stored. */
import {
  arrayMember,
  isObject,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../src/kubernetes/json.ts'
import { handlerKinds } from '../../../src/kubernetes/handler.ts'

const LABELS = { app: 'web' }
export const LIVENESS: JsonObject = { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 7 }
export const READINESS: JsonObject = { httpGet: { path: '/ready', port: 'http' } }
const APP = { name: 'app', image: 'example.org/app:1', ports: [{ name: 'http', containerPort: 8080 }] }
/** One container with a liveness and a readiness probe on a port that STRICT closes to kubelet. */
export const CONTAINER: JsonObject = { ...APP, livenessProbe: LIVENESS, readinessProbe: READINESS }

/** The kinds with a pod template, and the API version of each. */
export const KINDS = {
  Deployment: 'apps/v1',
  StatefulSet: 'apps/v1',
  DaemonSet: 'apps/v1',
  ReplicaSet: 'apps/v1',
  ReplicationController: 'v1',
  Job: 'batch/v1',
  CronJob: 'batch/v1',
} as const
export type Kind = keyof typeof KINDS

export function pod(metadata: JsonObject, container: JsonObject = CONTAINER, spec: JsonObject = {}): JsonObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [container], ...spec } }
}

export interface TemplateChanges {
  readonly annotations?: JsonObject
  readonly container?: JsonObject
}

export function workload(kind: Kind, metadata: JsonObject, changes: TemplateChanges = {}): JsonObject {
  return { apiVersion: KINDS[kind], kind, metadata, spec: specOf(kind, changes) }
}

function specOf(kind: Kind, { annotations, container = CONTAINER }: TemplateChanges): JsonObject {
  const isBatch = kind === 'Job' || kind === 'CronJob'
  const metadata = annotations === undefined ? { labels: LABELS } : { labels: LABELS, annotations }
  const template = { metadata, spec: { containers: [container], ...(isBatch ? { restartPolicy: 'Never' } : {}) } }
  switch (kind) {
    case 'Job':
      return { template }
    case 'CronJob':
      return { schedule: '@yearly', jobTemplate: { spec: { template } } }
    case 'ReplicationController':
      return { selector: LABELS, template }
    case 'StatefulSet':
      return { selector: { matchLabels: LABELS }, template, serviceName: 'web' }
    default:
      return { selector: { matchLabels: LABELS }, template }
  }
}

/** The pod template of a workload; a Pod is its own. */
export function templateOf(object: Json | undefined): Json {
  const spec = memberAt(object, 'spec')
  return memberAt(spec, 'jobTemplate', 'spec', 'template') ?? memberAt(spec, 'template') ?? object ?? null
}

/** `httpGet 8080`, `exec prober`, another `exec`, or several with a plus: what a probe of the container `app` does. */
export function handlerOf(object: Json | undefined, probe = 'livenessProbe'): string {
  const containers = arrayMember(memberAt(templateOf(object), 'spec'), 'containers')
  const container = containers.find((candidate) => memberAt(candidate, 'name') === 'app')
  const check = memberAt(container, probe)
  if (!isObject(check)) return 'none'
  return handlerKinds(check)
    .map((kind) => {
      if (kind !== 'exec') return `${kind} ${String(memberAt(check, kind, 'port'))}`
      return arrayMember(memberAt(check, 'exec'), 'command')[0] === '/istio-onramp/prober' ? 'exec prober' : 'exec'
    })
    .join(' + ')
}

export function receiptOf(object: Json | undefined): JsonObject | undefined {
  const text = memberAt(templateOf(object), 'metadata', 'annotations', 'istio-onramp.io/rewritten')
  return typeof text === 'string' ? (JSON.parse(text) as JsonObject) : undefined
}

/** Whether it has anything of a rewrite: probes, receipt, volume, mount or init container. */
export function isTouched(object: Json | undefined): boolean {
  return JSON.stringify(templateOf(object)).includes('istio-onramp')
}

export function ownerOf(object: Json): string | undefined {
  return stringMember(arrayMember(memberAt(object, 'metadata'), 'ownerReferences')[0], 'kind')
}
