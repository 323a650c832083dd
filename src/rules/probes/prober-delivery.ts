/**
 * Adds the prober to a pod and removes it: by an image volume if the cluster supports them, otherwise by an init
 * container that copies it into an `emptyDir` (docs/facts/probes-under-strict.md#exec-probes).
 */
import type { Container } from '../../kubernetes/container.ts'
import {
  arrayMember,
  equalJson,
  isNamed,
  isObject,
  member,
  memberAt,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { pointer, type Operation } from '../../kubernetes/json-pointer.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import type { ProberConfiguration } from '../configuration.ts'
import { installContainer } from './install-container.ts'
import { POD_IP_VARIABLE } from './prober-command.ts'
import { PROBER_NAME, PROBER_VOLUME_MOUNT } from './prober-mount.ts'
import { isInstaller } from './prober-names.ts'
import type { Receipt } from './receipt.ts'

/** Two and a half times the size of the binary. A pod whose `emptyDir` exceeds its limit is evicted. */
const SIZE_LIMIT = '16Mi'

export interface Delivery {
  readonly template: PodTemplate
  /** The containers that run the prober. */
  readonly containers: readonly Container[]
  readonly prober: ProberConfiguration
  readonly hasImageVolumes: boolean | undefined
}

/**
 * Returns the operations. Only the last one may insert an init container at the front, so the indexes of all others
 * remain those of the original object.
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
 * A template that was rewritten earlier keeps its delivery even if configuration or nodes have changed: an init
 * container could not write into an image volume.
 */
function bringsImage({ spec }: PodTemplate): boolean | undefined {
  const present = arrayMember(spec, 'volumes').find((entry) => isNamed(entry, PROBER_NAME))
  return present === undefined ? undefined : member(present, 'image') !== undefined
}

/** Appends an entry to a list keyed by name, unless the name is present. */
function addNamed(parent: JsonObject, at: string, list: string, name: string, entry: JsonObject): readonly Operation[] {
  const present = member(parent, list)
  if (!Array.isArray(present)) return [{ op: 'add', path: pointer(at, list), value: [entry] }]
  if (hasNamed(present as readonly Json[], name)) return []
  return [{ op: 'add', path: pointer(at, list, '-'), value: entry }]
}

function hasNamed(list: readonly Json[], name: string): boolean {
  return list.some((entry) => isNamed(entry, name))
}

/** Inserts it first, so that it runs before any init container that has probes. */
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

/** Mounts the image's whole root, because kubelet refuses a `subPath` that is a file. */
function volume({ image, pullPolicy }: ProberConfiguration, byImage: boolean): JsonObject {
  if (byImage) return { name: PROBER_NAME, image: { reference: image, pullPolicy } }
  return { name: PROBER_NAME, emptyDir: { sizeLimit: SIZE_LIMIT } }
}

/**
 * Removes what `deliverProber` added, where the receipt says that a container ran the prober. A part that only has the
 * prober's name belongs to the user and stays, and so does a volume that something else still mounts: the API server
 * refuses a mount without its volume. Indexes count down, so that each stays valid.
 */
export function removeProber(template: PodTemplate, receipt: Receipt): readonly Operation[] {
  const spec = `${template.pointer}/spec`
  const ran = template.containers.filter(({ name }) => hasExec(receipt, name))
  const parts = ran.flatMap((container) => [
    ...removeOwn(container.raw, container.pointer, 'env', isOwnVariable),
    ...removeOwn(container.raw, container.pointer, 'volumeMounts', isOwnMount),
  ])
  if (ran.length === 0 || isStillMounted(template, ran)) return parts
  return [
    ...parts,
    ...removeOwn(template.spec, spec, 'volumes', isOwnVolume),
    ...removeOwn(template.spec, spec, 'initContainers', isInstaller),
  ]
}

function hasExec(receipt: Receipt, container: string): boolean {
  return [...(receipt.get(container)?.values() ?? [])].some(({ strategy }) => strategy === 'exec')
}

function isStillMounted({ containers, spec }: PodTemplate, ran: readonly Container[]): boolean {
  const others = arrayMember(spec, 'ephemeralContainers').map((raw) => ({ raw, isRunner: false }))
  return [...containers.map((one) => ({ raw: one.raw, isRunner: ran.includes(one) })), ...others].some(
    ({ raw, isRunner }) =>
      !isInstaller(raw) &&
      arrayMember(raw, 'volumeMounts').some((mount) => isOurs(mount) && !(isRunner && isOwnMount(mount))),
  )
}

const isOurs = (entry: Json): boolean => isNamed(entry, PROBER_NAME)

function isOwnVariable(entry: Json): boolean {
  const isPodIp = memberAt(entry, 'valueFrom', 'fieldRef', 'fieldPath') === 'status.podIP'
  return isNamed(entry, POD_IP_VARIABLE) && isPodIp
}

const isOwnMount = (entry: Json): boolean => equalJson(entry, { ...PROBER_VOLUME_MOUNT, readOnly: true })

/** Earlier versions had another limit. */
function isOwnVolume(entry: Json): boolean {
  const emptyDir = member(entry, 'emptyDir')
  const isFilled = isObject(emptyDir) && Object.keys(emptyDir).join() === 'sizeLimit'
  return isOurs(entry) && (isFilled || isObject(member(entry, 'image')))
}

/** Removes the list with its last entry, which restores the original. */
function removeOwn(
  parent: JsonObject,
  at: string,
  list: string,
  isOwn: (entry: Json) => boolean,
): readonly Operation[] {
  const entries = arrayMember(parent, list)
  const index = entries.findIndex(isOwn)
  if (index === -1) return []
  return [{ op: 'remove', path: entries.length === 1 ? pointer(at, list) : pointer(at, list, index) }]
}
