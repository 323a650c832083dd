/** Which objects the webhook gets, and what is known of the others whose pods it gets. */
import { isObject, memberAt, type Json, type JsonObject } from '../kubernetes/json.ts'
import { groupOf } from '../kubernetes/cluster-scoped.ts'
import type { ObjectReference } from '../kubernetes/object.ts'

/** The groups of the kinds that the chart's webhook configurations select. */
const REVIEWED: Readonly<Record<string, readonly string[]>> = {
  Pod: [''],
  ReplicationController: [''],
  Deployment: ['apps', 'extensions'],
  StatefulSet: ['apps'],
  DaemonSet: ['apps', 'extensions'],
  ReplicaSet: ['apps', 'extensions'],
  Job: ['batch'],
  CronJob: ['batch'],
  Ingress: ['networking.k8s.io', 'extensions'],
  PeerAuthentication: ['security.istio.io'],
}

export function isReviewed({ apiVersion, kind }: ObjectReference): boolean {
  return REVIEWED[kind]?.includes(groupOf(apiVersion)) === true
}

/** An object of another API whose kind has the name of one that the webhook gets. */
export function sharesKindName(reference: ObjectReference): boolean {
  return Object.hasOwn(REVIEWED, reference.kind) && !isReviewed(reference)
}

/** Workloads of other APIs, with the path of their pod template; only their pods come to the webhook. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'argoproj.io/Rollout': ['spec', 'template'],
  'apps.openshift.io/DeploymentConfig': ['spec', 'template'],
  '/DeploymentConfig': ['spec', 'template'],
  'apps.kruise.io/CloneSet': ['spec', 'template'],
  'apps.kruise.io/StatefulSet': ['spec', 'template'],
  'apps.kruise.io/DaemonSet': ['spec', 'template'],
  'apps.kruise.io/BroadcastJob': ['spec', 'template'],
  'apps.kruise.io/ImageListPullJob': ['spec', 'template'],
  'apps.kruise.io/AdvancedCronJob': ['spec', 'template', 'jobTemplate', 'spec', 'template'],
}

/** The pod template of a workload of another API; undefined where it has none, or refers to another object's. */
export function foreignTemplate({ apiVersion, kind }: ObjectReference, object: JsonObject): JsonObject | undefined {
  const path = TEMPLATES[`${groupOf(apiVersion)}/${kind}`]
  const found = path === undefined ? undefined : memberAt(object, ...path)
  return isObject(found) ? found : undefined
}

/** Groups whose objects become pods by a controller of their own; their templates are not read. */
const POD_MAKING_GROUPS = new Set([
  'serving.knative.dev',
  'serving.kserve.io',
  'kafka.strimzi.io',
  'template.openshift.io',
  'batch.volcano.sh',
  'apps.kruise.io',
  'argoproj.io',
  'kubeflow.org',
  'ray.io',
  'sparkoperator.k8s.io',
  'tekton.dev',
  'flink.apache.org',
])

/** Whether pods come of an object in a way that is not read here: then it is named. */
export function makesPods({ apiVersion, kind }: ObjectReference, object: JsonObject): boolean {
  const group = groupOf(apiVersion)
  if (REVIEWED[kind]?.includes(group) === true) return false
  if (group === 'kafka.strimzi.io') return /^Kafka(?:Connect|Bridge|MirrorMaker2?|NodePool)?$/.test(kind)
  if (group === '' && kind !== 'Template') return false
  return (POD_MAKING_GROUPS.has(group) || group.includes('.') || kind === 'Template') && hasContainers(object, 12)
}

/** A list of containers somewhere inside; `limit` bounds the depth. */
function hasContainers(value: Json | undefined, limit: number): boolean {
  if (limit === 0 || typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return (value as readonly Json[]).some((item) => hasContainers(item, limit - 1))
  return Object.entries(value).some(
    ([key, member]) =>
      (key === 'containers' &&
        Array.isArray(member) &&
        (member as readonly Json[]).some((item) => memberAt(item, 'image') !== undefined)) ||
      hasContainers(member, limit - 1),
  )
}
