/**
 * Brings the prober into a pod, and takes it out again: an image volume where the cluster has them, else an init container
 * that copies it into an `emptyDir` (docs/facts/probes-under-strict.md#exec-probes).
 */
import type { Container } from '../../kubernetes/container.ts'
import { arrayMember, isObject, member, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { pointer, type Operation } from '../../kubernetes/json-pointer.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import type { ProberConfiguration } from '../configuration.ts'
import { installContainer } from './install-container.ts'
import { POD_IP_VARIABLE } from './prober-command.ts'
import { PROBER_NAME, PROBER_VOLUME_MOUNT } from './prober-mount.ts'

/** Two and a half times the binary: an `emptyDir` over its limit gets the pod evicted. */
const SIZE_LIMIT = '16Mi'

export interface Delivery {
  readonly template: PodTemplate
  /** The containers that call the prober. */
  readonly containers: readonly Container[]
  readonly prober: ProberConfiguration
  readonly hasImageVolumes: boolean | undefined
}

/**
 * The operations, of which the last one may put an init container first: the indexes of every other operation of the
 * patch stay those of the object as it came.
 */
export function deliverProber(delivery: Delivery): readonly Operation[] {
  const { template, prober, hasImageVolumes } = delivery
  const spec = `${template.pointer}/spec`
  const byImage =
    bringsImage(template) ??
    (prober.delivery === 'auto' ? hasImageVolumes === true : prober.delivery === 'image-volume')
  const operations = delivery.containers.flatMap((container) => [
    ...addNamed(container.raw, container.pointer, 'env', POD_IP_VARIABLE, podIpVariable()),
    ...addNamed(container.raw, container.pointer, 'volumeMounts', PROBER_NAME, {
      ...PROBER_VOLUME_MOUNT,
      readOnly: true,
    }),
  ])
  operations.push(...addNamed(template.spec, spec, 'volumes', PROBER_NAME, volume(prober, byImage)))
  if (!byImage) operations.push(...addFirstInitContainer(template, spec, prober))
  return operations
}

/**
 * A template that was rewritten earlier keeps its way when configuration or nodes have changed since: an init container
 * could not write into an image volume.
 */
function bringsImage({ spec }: PodTemplate): boolean | undefined {
  const present = arrayMember(spec, 'volumes').find((entry) => stringMember(entry, 'name') === PROBER_NAME)
  return present === undefined ? undefined : member(present, 'image') !== undefined
}

/** Appends an entry to a list that is keyed by name, unless one of that name is there already. */
function addNamed(parent: JsonObject, at: string, list: string, name: string, entry: JsonObject): readonly Operation[] {
  const present = member(parent, list)
  if (!Array.isArray(present)) return [{ op: 'add', path: pointer(at, list), value: [entry] }]
  if (hasNamed(present as readonly Json[], name)) return []
  return [{ op: 'add', path: pointer(at, list, '-'), value: entry }]
}

function hasNamed(list: readonly Json[], name: string): boolean {
  return list.some((entry) => stringMember(entry, 'name') === name)
}

/** First, so that it has run before any init container that is itself probed. */
function addFirstInitContainer(template: PodTemplate, spec: string, prober: ProberConfiguration): readonly Operation[] {
  const present = member(template.spec, 'initContainers')
  const container = installContainer(template, prober)
  if (!Array.isArray(present)) return [{ op: 'add', path: pointer(spec, 'initContainers'), value: [container] }]
  if (hasNamed(present as readonly Json[], PROBER_NAME)) return []
  return [{ op: 'add', path: pointer(spec, 'initContainers', 0), value: container }]
}

function podIpVariable(): JsonObject {
  return { name: POD_IP_VARIABLE, valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'status.podIP' } } }
}

/** The image's root is mounted whole: kubelet refuses a `subPath` that names a file. */
function volume({ image, pullPolicy }: ProberConfiguration, byImage: boolean): JsonObject {
  if (byImage) return { name: PROBER_NAME, image: { reference: image, pullPolicy } }
  return { name: PROBER_NAME, emptyDir: { sizeLimit: SIZE_LIMIT } }
}

/** Takes out all that `deliverProber` put in; indexes count down, so that each still means what it says. */
export function removeProber(template: PodTemplate): readonly Operation[] {
  const spec = `${template.pointer}/spec`
  return [
    ...template.containers.flatMap((container) => [
      ...removeNamed(container.raw, container.pointer, 'env', POD_IP_VARIABLE),
      ...removeNamed(container.raw, container.pointer, 'volumeMounts', PROBER_NAME),
    ]),
    ...removeNamed(template.spec, spec, 'volumes', PROBER_NAME),
    ...removeNamed(template.spec, spec, 'initContainers', PROBER_NAME),
  ]
}

/** The list goes with its last entry: that is how it was before. */
function removeNamed(parent: JsonObject, at: string, list: string, name: string): readonly Operation[] {
  const entries = arrayMember(parent, list)
  const index = entries.findIndex((entry) => isObject(entry) && entry['name'] === name)
  if (index === -1) return []
  return [{ op: 'remove', path: entries.length === 1 ? pointer(at, list) : pointer(at, list, index) }]
}
