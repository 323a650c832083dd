/**
 * Whether an object has more parts than any valid one. A decision takes time for each part, so such an object is not
 * read.
 */
import { isObject, member, memberAt, type Json } from '../kubernetes/json.ts'
import { metadataOf } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'

/**
 * etcd accepts 1.5 MiB, and with Kubernetes' defaults a container takes at least 100 bytes:
 * https://etcd.io/docs/v3.5/dev-guide/limit/.
 */
const MOST_CONTAINERS = 15_000
/**
 * All annotation keys and values together are limited to 256 KiB, and keys are unique:
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/.
 */
const MOST_ANNOTATIONS = 90_000

export function hasTooManyParts(kind: string, object: Json): boolean {
  if (!isObject(object)) return false
  if (entries(member(metadataOf(object), 'annotations')) > MOST_ANNOTATIONS) return true
  const template = rawTemplate(kind, object)
  if (template === undefined) return false
  const lists = ['containers', 'initContainers', 'ephemeralContainers'].map((list) => memberAt(template, 'spec', list))
  const containers = lists.reduce<number>((sum, list) => sum + (Array.isArray(list) ? list.length : 0), 0)
  return containers > MOST_CONTAINERS || entries(memberAt(template, 'metadata', 'annotations')) > MOST_ANNOTATIONS
}

function entries(value: Json | undefined): number {
  return isObject(value) ? Object.keys(value).length : 0
}
