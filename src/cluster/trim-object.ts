/**
 * Trims objects to what the rules read, because a whole cluster of them stays in memory. Status, managed fields,
 * environments, volumes and commands make up most of an object, and no rule reads them.
 */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { hasController, metadataOf } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'

const METADATA = ['name', 'namespace', 'labels', 'ownerReferences']
const POD = [
  'automountServiceAccountToken',
  'hostNetwork',
  'serviceAccountName',
  'nodeSelector',
  'os',
  'securityContext',
]
const CONTAINER = [
  'name',
  'ports',
  'restartPolicy',
  'securityContext',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
]
/** Other annotations may be long; kubectl's copy of the object is one of them. */
const OUR_CONCERN = /^(?:[^/]+\.)?(?:istio\.io|istio-onramp\.io|prometheus\.io)\//

/**
 * Trims a workload with its template, or a bare Pod. Returns undefined if a controller made the object: its owner
 * represents it.
 */
export function trimWorkload(kind: string, object: JsonObject): JsonObject | undefined {
  if (kind !== 'Pod' && hasController(object)) return undefined
  const template = rawTemplate(kind, object)
  if (template === undefined) return undefined
  const head = { ...pick(object, ['apiVersion']), kind, metadata: trimMetadata(object) }
  if (kind === 'Pod') return { ...head, spec: trimPodSpec(template) }
  const trimmed = { metadata: trimMetadata(template), spec: trimPodSpec(template) }
  const replicas = pick(member(object, 'spec'), ['replicas'])
  const spec = { ...replicas, template: trimmed }
  return { ...head, spec: kind === 'CronJob' ? { jobTemplate: { spec } } : spec }
}

/** Trims a Sidecar, ServiceEntry, Gateway, VirtualService or DestinationRule to its identity and spec. */
export function trimNetworking(kind: string, object: JsonObject): JsonObject {
  const age = pick(metadataOf(object), ['creationTimestamp'])
  return { ...pick(object, ['apiVersion', 'spec']), kind, metadata: { ...trimMetadata(object), ...age } }
}

function trimMetadata(object: JsonObject): JsonObject {
  const annotations = keepAnnotations(memberAt(object, 'metadata', 'annotations'))
  return { ...pick(metadataOf(object), METADATA), ...(annotations === undefined ? {} : { annotations }) }
}

/** Returns the annotations that the rules read; undefined if there are none. */
export function keepAnnotations(value: Json | undefined): JsonObject | undefined {
  if (!isObject(value)) return undefined
  const kept = Object.keys(value).filter((key) => OUR_CONCERN.test(key))
  return kept.length === 0 ? undefined : pick(value, kept)
}

function trimPodSpec(template: JsonObject): JsonObject {
  const spec = member(template, 'spec')
  const lists = ['initContainers', 'containers'].flatMap((list) => {
    const containers = arrayMember(spec, list).map(trimContainer)
    return containers.length === 0 ? [] : [[list, containers] as const]
  })
  return { ...pick(spec, POD), ...Object.fromEntries(lists) }
}

/** Keeps the arguments and the environment of Istio's own containers, which define the redirection. */
function trimContainer(container: Json): JsonObject {
  const isOfIstio = (stringMember(container, 'name') ?? '').startsWith('istio-')
  return { ...pick(container, CONTAINER), ...(isOfIstio ? pick(container, ['args', 'env']) : {}) }
}

function pick(value: Json | undefined, keys: readonly string[]): JsonObject {
  const found = keys.flatMap((key) => {
    const text = member(value, key)
    return text === undefined ? [] : [[key, text] as const]
  })
  return Object.fromEntries(found)
}
