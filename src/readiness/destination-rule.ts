/**
 * A DestinationRule as the engine reads it: what clients send to a host
 * (https://istio.io/latest/docs/reference/config/networking/destination-rule/).
 */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../kubernetes/json.ts'
import { metadataOf, referenceTo, type ObjectReference } from '../kubernetes/object.ts'

export type ClientTls = 'DISABLE' | 'SIMPLE' | 'MUTUAL' | 'ISTIO_MUTUAL'

export interface DestinationRule {
  readonly reference: ObjectReference
  /** Fully qualified; may begin with `*`. */
  readonly host: string
  readonly createdAt: number
  readonly exportTo: readonly string[]
  readonly workloadSelector: ReadonlyMap<string, string>
  readonly policy: TrafficPolicy | undefined
  readonly subsets: readonly { readonly name: string; readonly policy: TrafficPolicy | undefined }[]
}

export interface TrafficPolicy {
  readonly tls: ClientTls | undefined
  /** By Service port. A listed port inherits nothing from the policy around it. */
  readonly ports: ReadonlyMap<number, ClientTls | undefined>
}

/** Returns undefined for a rule without a host. */
export function readRule(object: JsonObject): DestinationRule | undefined {
  const reference = referenceTo(object)
  const spec = member(object, 'spec')
  const host = stringMember(spec, 'host')
  if (host === undefined || host === '') return undefined
  const createdAt = Date.parse(stringMember(metadataOf(object), 'creationTimestamp') ?? '')
  return {
    reference,
    host: qualified(host, reference.namespace),
    createdAt: Number.isNaN(createdAt) ? Number.MAX_SAFE_INTEGER : createdAt,
    exportTo: arrayMember(spec, 'exportTo').filter((entry) => typeof entry === 'string'),
    workloadSelector: stringMap(memberAt(spec, 'workloadSelector', 'matchLabels')),
    policy: readPolicy(member(spec, 'trafficPolicy')),
    subsets: arrayMember(spec, 'subsets').map((subset) => ({
      name: stringMember(subset, 'name') ?? '',
      policy: readPolicy(member(subset, 'trafficPolicy')),
    })),
  }
}

/** Returns the full name of a host. A short name belongs to the namespace of the object that has it. */
export function qualified(host: string, namespace: string): string {
  if (host.startsWith('*') || host.includes('.'))
    return /^[^.*]+\.[^.]+\.svc$/.test(host) ? `${host}.cluster.local` : host
  return `${host}.${namespace}.svc.cluster.local`
}

function readPolicy(value: Json | undefined): TrafficPolicy | undefined {
  if (!isObject(value)) return undefined
  const ports = arrayMember(value, 'portLevelSettings').map(
    (entry) => [Number(memberAt(entry, 'port', 'number')), readTls(member(entry, 'tls'))] as const,
  )
  return { tls: readTls(member(value, 'tls')), ports: new Map(ports) }
}

/** DISABLE is the enum's zero value, so a `tls` without mode means DISABLE. */
function readTls(value: Json | undefined): ClientTls | undefined {
  if (!isObject(value)) return undefined
  const mode = member(value, 'mode')
  return (['SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL'] as const).find((known) => known === mode) ?? 'DISABLE'
}

/** Returns the TLS mode for a Service port; undefined if the policy sets none. */
export function policyFor(policy: TrafficPolicy | undefined, port: number): ClientTls | undefined {
  if (policy === undefined) return undefined
  return policy.ports.has(port) ? policy.ports.get(port) : policy.tls
}
