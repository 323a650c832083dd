/** The identity and metadata of a Kubernetes object. */
import { arrayMember, isObject, member, memberAt, stringMap, stringMember, type JsonObject } from './json.ts'

/** The identity of an object in messages, reports and the command line's JSON. */
export interface ObjectReference {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

export function metadataOf(object: JsonObject): JsonObject {
  const metadata = member(object, 'metadata')
  return isObject(metadata) ? metadata : {}
}

export function labelsOf(object: JsonObject): ReadonlyMap<string, string> {
  return stringMap(memberAt(object, 'metadata', 'labels'))
}

/**
 * Keys and values of all annotations together (apimachinery api/validation, TotalAnnotationSizeLimitB):
 * https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/.
 */
export const MOST_ANNOTATION_BYTES = 256 * 1024

export function annotationsOf(object: JsonObject): ReadonlyMap<string, string> {
  return stringMap(memberAt(object, 'metadata', 'annotations'))
}

/** An object without a namespace is in `default`. One without a name (generateName) is named by its prefix. */
export function referenceTo(object: JsonObject, namespace?: string): ObjectReference {
  const metadata = metadataOf(object)
  return {
    apiVersion: stringMember(object, 'apiVersion') ?? '',
    kind: stringMember(object, 'kind') ?? '',
    namespace: stringMember(metadata, 'namespace') ?? namespace ?? 'default',
    name: stringMember(metadata, 'name') ?? `${stringMember(metadata, 'generateName') ?? ''}*`,
  }
}

/** Returns `Deployment shop/web`, the form in messages; `ClusterRole web` for an object without a namespace. */
export function describe({ kind, namespace, name }: ObjectReference): string {
  return namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`
}

/** Whether a controller owns the object, as a Deployment owns its ReplicaSets (ownerReferences[].controller). */
export function hasController(object: JsonObject): boolean {
  return arrayMember(metadataOf(object), 'ownerReferences').some((owner) => member(owner, 'controller') === true)
}
