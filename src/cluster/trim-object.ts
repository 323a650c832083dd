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
const OUR_CONCERN = /^(?:(?:[^/]+\.)?(?:istio\.io|istio-onramp\.io|prometheus\.io)\/|kubernetes\.io\/ingress\.class$)/

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

function trimContainer(container: Json): JsonObject {
  const isOfIstio = (stringMember(container, 'name') ?? '').startsWith('istio-')
  return isOfIstio ? shared(trimIstios(container)) : pick(container, CONTAINER)
}

/** Keeps what defines the redirection: most of the environment and the probes of the proxy are long and not read. */
function trimIstios(container: Json): JsonObject {
  const args = arrayMember(container, 'args')
  const kept = arrayMember(container, 'env').filter((entry) => READ_VARIABLE.test(stringMember(entry, 'name') ?? ''))
  return {
    ...pick(container, ['name', 'restartPolicy']),
    ...(args.length === 0 ? {} : { args: stringMember(container, 'name') === 'istio-proxy' ? args.slice(0, 2) : args }),
    ...(kept.length === 0 ? {} : { env: kept }),
  }
}

const READ_VARIABLE = /^(?:DISABLE_ENVOY|PROXY_CONFIG)$|DUAL_STACK/
const MOST_SHARED = 1000
const SHARED = new Map<string, JsonObject>()

/** Thousands of pods have the same proxy. */
function shared(container: JsonObject): JsonObject {
  const key = JSON.stringify(container)
  const known = SHARED.get(key)
  if (known !== undefined) return known
  if (SHARED.size >= MOST_SHARED) SHARED.clear()
  SHARED.set(key, container)
  return container
}

function pick(value: Json | undefined, keys: readonly string[]): JsonObject {
  const found = keys.flatMap((key) => {
    const text = member(value, key)
    return text === undefined ? [] : [[key, text] as const]
  })
  return Object.fromEntries(found)
}
