/** The pod in an object: a Pod itself, or the template of a workload, whose path depends on the kind. */
import { readContainers, type Container } from './container.ts'
import { isObject, member, memberAt, stringMap, typeName, type JsonObject, ownEntry } from './json.ts'
import { parsePointer } from './json-pointer.ts'
import type { Problem } from './problem.ts'

/** The path of each kind's pod. ReplicationController is core/v1, the others are apps/v1 and batch/v1. */
const TEMPLATE_POINTERS: Readonly<Record<string, string>> = {
  Pod: '',
  Deployment: '/spec/template',
  StatefulSet: '/spec/template',
  DaemonSet: '/spec/template',
  ReplicaSet: '/spec/template',
  ReplicationController: '/spec/template',
  Job: '/spec/template',
  CronJob: '/spec/jobTemplate/spec/template',
}

export interface PodTemplate {
  /** The template's JSON Pointer in its object; empty for a Pod. */
  readonly pointer: string
  readonly raw: JsonObject
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly spec: JsonObject
  /** Init containers first, as Kubernetes runs them. */
  readonly containers: readonly Container[]
  /** Fields that could not be read; such a template is not patched. */
  readonly malformed: readonly Problem[]
}

export function hasPodTemplate(kind: string): boolean {
  return Object.hasOwn(TEMPLATE_POINTERS, kind)
}

/** Returns the raw template, for comparing two versions of an object; undefined if there is none. */
export function rawTemplate(kind: string, object: JsonObject): JsonObject | undefined {
  const at = ownEntry(TEMPLATE_POINTERS, kind)
  const found = at === undefined ? undefined : memberAt(object, ...parsePointer(at))
  return isObject(found) ? found : undefined
}

export function readPodTemplate(kind: string, object: JsonObject): PodTemplate | Problem {
  const at = ownEntry(TEMPLATE_POINTERS, kind)
  if (at === undefined) return { field: 'kind', problem: `${kind} has no pod template` }
  const raw = rawTemplate(kind, object)
  if (raw === undefined) return { field: fieldPath(at), problem: 'a pod template is required' }
  const spec = member(raw, 'spec')
  if (!isObject(spec))
    return { field: fieldPath(`${at}/spec`), problem: `must be an object, not ${typeName(spec ?? null)}` }
  return readTemplateParts(raw, spec, at)
}

function readTemplateParts(raw: JsonObject, spec: JsonObject, at: string): PodTemplate {
  const init = readContainers(spec, `${at}/spec`, 'initContainers')
  const main = readContainers(spec, `${at}/spec`, 'containers')
  return {
    pointer: at,
    raw,
    labels: stringMap(memberAt(raw, 'metadata', 'labels')),
    annotations: stringMap(memberAt(raw, 'metadata', 'annotations')),
    spec,
    containers: [...init.containers, ...main.containers],
    malformed: [...init.malformed, ...main.malformed].map(({ field, problem }) => ({
      field: `${fieldPath(`${at}/spec`)}.${field}`,
      problem,
    })),
  }
}

/** Formats a JSON Pointer as Kubernetes' own errors do: `spec.template.spec.containers[0].livenessProbe`. */
export function fieldPath(at: string): string {
  return parsePointer(at)
    .map((segment) => (/^\d+$/.test(segment) ? `[${segment}]` : `.${segment}`))
    .join('')
    .replace(/^\./, '')
}
