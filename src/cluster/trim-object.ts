/**
 * Objects cut to what the rules read, before they are kept: a cluster's worth of them stays in memory. Status, managed
 * fields, environments, volumes and commands are the bulk of an object, and no rule looks at them.
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
/** Annotations of others may be long: kubectl's copy of the object is one of them. */
const OUR_CONCERN = /^(?:[^/]+\.)?(?:istio\.io|istio-onramp\.io|prometheus\.io)\//

/** A workload with its template, or a bare Pod; undefined for an object that a controller made: its owner counts. */
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

/** A Sidecar, ServiceEntry, Gateway, VirtualService or DestinationRule: its identity and its spec. */
export function trimNetworking(kind: string, object: JsonObject): JsonObject {
  const age = pick(metadataOf(object), ['creationTimestamp'])
  return { ...pick(object, ['apiVersion', 'spec']), kind, metadata: { ...trimMetadata(object), ...age } }
}

function trimMetadata(object: JsonObject): JsonObject {
  const annotations = keepAnnotations(memberAt(object, 'metadata', 'annotations'))
  return { ...pick(metadataOf(object), METADATA), ...(annotations === undefined ? {} : { annotations }) }
}

/** The annotations that the rules look up; undefined where there are none. */
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

/** Of Istio's own containers the arguments and the environment say what is redirected. */
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
