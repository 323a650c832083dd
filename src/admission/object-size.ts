/**
 * Whether an object has more or longer parts than any valid one. A decision takes time for each part, so such an object
 * is not read.
 */
import { isObject, member, memberAt, type Json, type JsonObject } from '../kubernetes/json.ts'
import { metadataOf, MOST_ANNOTATION_BYTES } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'

/** https://etcd.io/docs/v3.5/dev-guide/limit/ */
const MOST_STORED_BYTES = 1.5 * 1024 * 1024
/** With Kubernetes' defaults, a container takes at least 100 bytes in etcd, and each of its probes and hooks 20. */
const CONTAINER_BYTES = 100
const CHECK_BYTES = 20
const MOST_CHECKS = 5
/** A PeerAuthentication has an entry for each port at most. */
const MOST_PORTS = 65_535

export function hasTooManyParts(kind: string, object: Json): boolean {
  if (!isObject(object)) return false
  if (hasTooLongAnnotations(metadataOf(object))) return true
  if (kind === 'PeerAuthentication') return entries(memberAt(object, 'spec', 'portLevelMtls')) > MOST_PORTS
  const template = rawTemplate(kind, object)
  if (template === undefined) return false
  return hasTooLongAnnotations(member(template, 'metadata')) || leastStoredBytes(template) > MOST_STORED_BYTES
}

/** Texts are measured in UTF-16 units, of which they never have more than bytes. */
function hasTooLongAnnotations(metadata: Json | undefined): boolean {
  const annotations = member(metadata, 'annotations')
  if (!isObject(annotations)) return false
  let size = 0
  for (const [key, text] of Object.entries(annotations))
    size += key.length + (typeof text === 'string' ? text.length : 0)
  return size > MOST_ANNOTATION_BYTES
}

function leastStoredBytes(template: JsonObject): number {
  let bytes = 0
  for (const list of ['containers', 'initContainers', 'ephemeralContainers']) {
    const containers = memberAt(template, 'spec', list)
    if (!Array.isArray(containers)) continue
    bytes += containers.length * CONTAINER_BYTES
    // So few cannot be too many with all probes and hooks, and so many are too many without any.
    const isCertain = bytes + containers.length * MOST_CHECKS * CHECK_BYTES <= MOST_STORED_BYTES / 4
    if (isCertain) continue
    if (bytes > MOST_STORED_BYTES) return bytes
    for (const container of containers as readonly Json[]) bytes += checksOf(container) * CHECK_BYTES
  }
  return bytes
}

function checksOf(container: Json): number {
  const probes = [
    member(container, 'livenessProbe'),
    member(container, 'readinessProbe'),
    member(container, 'startupProbe'),
  ]
  const hooks = [memberAt(container, 'lifecycle', 'preStop'), memberAt(container, 'lifecycle', 'postStart')]
  return [...probes, ...hooks].filter(isObject).length
}

function entries(value: Json | undefined): number {
  return isObject(value) ? Object.keys(value).length : 0
}
