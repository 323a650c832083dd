/** A workload or pod, trimmed to what the engine reads and keeps in memory. */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  scalarText,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { metadataOf, referenceTo } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'
import { readMentions, type Mention } from './mentions.ts'

export interface WorkloadRow {
  /** Trimmed: identity and template; a Pod without its status. */
  readonly object: JsonObject
  /** The owning controller; undefined if the object has none. */
  readonly owner: Owner | undefined
  /** Set for a Pod that has a status. */
  readonly running: RunningPod | undefined
  readonly mentions: readonly ContainerMentions[]
  /** Set for a Deployment of istiod that has a shared mesh configuration. */
  readonly istiod?: { readonly revision: string; readonly sharedConfig: string }
}

export interface Owner {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
}

export interface RunningPod {
  readonly addresses: readonly string[]
  readonly hostAddress: string
  /** The name of its node; empty if it is not known. */
  readonly node: string
  /** When it began and ended to have its addresses, in milliseconds since 1970; NaN if that is not known. */
  readonly startedAt: number
  readonly endedAt: number
  /** Succeeded and Failed pods serve and call nothing. */
  readonly isOver: boolean
}

export interface ContainerMentions {
  readonly container: string
  /** An init container that ends before the application starts. */
  readonly isInit: boolean
  readonly mentions: readonly Mention[]
}

const OF_ISTIO = new Set(['istio-proxy', 'istio-init', 'istio-validation'])

/** `trimmed` is the same object in the form that its row keeps. */
export function readWorkloadRow(kind: string, object: JsonObject, trimmed: JsonObject): WorkloadRow {
  const spec = member(rawTemplate(kind, object), 'spec')
  const istiod = kind === 'Deployment' ? readIstiod(object, spec) : undefined
  return {
    ...(istiod === undefined ? {} : { istiod }),
    object: trimmed,
    owner: ownerOf(object),
    running: kind === 'Pod' ? readRunningPod(object) : undefined,
    mentions: (['initContainers', 'containers'] as const).flatMap((list) =>
      arrayMember(spec, list).flatMap((container) => mentionsOf(container, list === 'initContainers')),
    ),
  }
}

/** The container of istiod is `discovery` in every chart. */
function readIstiod(object: JsonObject, spec: Json | undefined): WorkloadRow['istiod'] {
  const discovery = arrayMember(spec, 'containers').find((container) => member(container, 'name') === 'discovery')
  const variable = (name: string) =>
    stringMember(
      arrayMember(discovery, 'env').find((entry) => member(entry, 'name') === name),
      'value',
    )
  const shared = variable('SHARED_MESH_CONFIG')
  if (shared === undefined || shared === '') return undefined
  return { revision: variable('REVISION') || 'default', sharedConfig: `${referenceTo(object).namespace}/${shared}` }
}

function ownerOf(object: JsonObject): Owner | undefined {
  const owner = arrayMember(metadataOf(object), 'ownerReferences').find((entry) => member(entry, 'controller') === true)
  const [apiVersion = '', kind = '', name = ''] = ['apiVersion', 'kind', 'name'].map((key) => stringMember(owner, key))
  return owner === undefined || kind === '' ? undefined : { apiVersion, kind, name }
}

function readRunningPod(pod: JsonObject): RunningPod | undefined {
  const status = member(pod, 'status')
  if (!isObject(status) || Object.keys(status).length === 0) return undefined
  const phase = stringMember(status, 'phase')
  const listed = arrayMember(status, 'podIPs').map((entry) => stringMember(entry, 'ip') ?? '')
  const addresses = new Set([scalarText(memberAt(status, 'podIP')) ?? '', ...listed])
  return {
    addresses: [...addresses].filter((address) => address !== ''),
    hostAddress: stringMember(status, 'hostIP') ?? '',
    node: stringMember(member(pod, 'spec'), 'nodeName') ?? '',
    startedAt: Date.parse(stringMember(status, 'startTime') ?? ''),
    endedAt: endOf(status),
    isOver: phase === 'Succeeded' || phase === 'Failed',
  }
}

/** The end of its last container; NaN for a pod that is not over. */
function endOf(status: Json): number {
  const ends = arrayMember(status, 'containerStatuses').map((container) =>
    Date.parse(stringMember(memberAt(container, 'state', 'terminated'), 'finishedAt') ?? ''),
  )
  return ends.length === 0 ? Number.NaN : Math.max(...ends)
}

function mentionsOf(container: Json, isInitList: boolean): readonly ContainerMentions[] {
  const name = stringMember(container, 'name') ?? ''
  if (OF_ISTIO.has(name)) return []
  const mentions = readMentions(container)
  if (mentions.length === 0) return []
  const isInit = isInitList && member(container, 'restartPolicy') !== 'Always'
  return [{ container: name, isInit, mentions }]
}
