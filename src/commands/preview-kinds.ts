/** Which objects the webhook reviews, and how to find the pods of the others. */
import { isObject, memberAt, type Json, type JsonObject, ownEntry } from '../kubernetes/json.ts'
import { groupOf } from '../kubernetes/cluster-scoped.ts'
import { isNameOfReviewedKind, isReviewedKind } from '../rules/reviewed-kinds.ts'
import type { ObjectReference } from '../kubernetes/object.ts'

export function isReviewed({ apiVersion, kind }: ObjectReference): boolean {
  return isReviewedKind(groupOf(apiVersion), kind)
}

/** Whether the object's kind has the name of a reviewed kind but belongs to another API. */
export function sharesKindName(reference: ObjectReference): boolean {
  return isNameOfReviewedKind(reference.kind) && !isReviewed(reference)
}

/** Workloads of other APIs, with the path of their pod template. Only their pods are reviewed. */
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

/** Returns the pod template of another API's workload; undefined if it has none, or refers to another object's. */
export function foreignTemplate({ apiVersion, kind }: ObjectReference, object: JsonObject): JsonObject | undefined {
  const path = TEMPLATES[`${groupOf(apiVersion)}/${kind}`]
  const found = path === undefined ? undefined : memberAt(object, ...path)
  return isObject(found) ? found : undefined
}

/** Kinds that always become pods, whether or not a manifest lists the containers. */
const POD_MAKERS: Readonly<Record<string, RegExp>> = {
  'argoproj.io': /^(?:Rollout|Workflow|CronWorkflow|WorkflowTemplate)$/,
  'kafka.strimzi.io': /^Kafka(?:Connect|Bridge|MirrorMaker2?|NodePool)?$/,
  'serving.kserve.io': /^(?:InferenceService|InferenceGraph|LLMInferenceService)$/,
}

/** Groups whose objects become pods through a controller of their own; their templates are not read. */
const POD_MAKING_GROUPS = new Set([
  'serving.knative.dev',
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

/** Whether the object becomes pods in a way that is not read here, so that it is only named. */
export function makesPods({ apiVersion, kind }: ObjectReference, object: JsonObject): boolean {
  const group = groupOf(apiVersion)
  if (isReviewedKind(group, kind)) return false
  const maker = ownEntry(POD_MAKERS, group)
  if (maker?.test(kind) === true) return true
  if (group === '' && kind !== 'Template') return false
  return (POD_MAKING_GROUPS.has(group) || group.includes('.') || kind === 'Template') && hasContainers(object, 12)
}

/** Whether a list of containers is nested somewhere inside; `limit` bounds the depth. */
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
