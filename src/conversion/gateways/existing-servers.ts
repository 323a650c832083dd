/** Hosts that Gateways in the cluster, or in the input, already serve on port 443. */
import {
  arrayMember,
  isObject,
  memberAt,
  stringMember,
  type Json,
  type JsonObject,
  ownEntry,
} from '../../kubernetes/json.ts'
import { referenceTo } from '../../kubernetes/object.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { GatewayDraft } from './gateway-draft.ts'

export interface ExistingServer {
  /** `namespace/name` */
  readonly gateway: string
  /** Undefined if the server passes TLS through, or names its certificate in another way. */
  readonly credentialName: string | undefined
  /** TLS ends at the backend, so VirtualServices with `http` routes do not apply. */
  readonly passesThrough: boolean
  /** The namespaces whose VirtualServices may bind; `*` for any. */
  readonly namespaces: readonly string[]
  /** Whether the same Gateway serves the host over plain HTTP. */
  readonly servesPlain: boolean
}

/** By host. The Gateways that the drafts replace do not count, and a configured shared Gateway serves everything. */
export function existingServers(
  drafts: readonly GatewayDraft[],
  { target, gateways, gateway: { selector, shared } }: ConversionOptions,
): readonly (readonly [string, ExistingServer])[] {
  if (target !== 'istio' || shared !== '' || gateways === undefined) return []
  const wanted = new Set(drafts.flatMap(({ hosts }) => hosts.map(({ host }) => host)))
  const replaced = new Set(drafts.map(({ namespace, name }) => `${namespace}/${name}`))
  return gateways()
    .filter((object) => isIstioGateway(object) && selectsPods(object, selector) && !replaced.has(idOf(object)))
    .flatMap(serversOnce)
    .filter(([host]) => wanted.has(host))
    .toReversed()
}

function isIstioGateway(object: JsonObject): boolean {
  const version = stringMember(object, 'apiVersion') ?? ''
  return stringMember(object, 'kind') === 'Gateway' && version.startsWith('networking.istio.io/')
}

/** Whether the Gateway configures the pods with these labels. */
function selectsPods(object: JsonObject, labels: Readonly<Record<string, string>>): boolean {
  const selector = memberAt(object, 'spec', 'selector')
  return isObject(selector) && Object.entries(selector).every(([key, value]) => ownEntry(labels, key) === value)
}

function idOf(object: JsonObject): string {
  const { namespace, name } = referenceTo(object)
  return `${namespace}/${name}`
}

/** A cluster's Gateways are the same objects for every denial. */
const known = new WeakMap<JsonObject, ReturnType<typeof serversOf>>()

function serversOnce(object: JsonObject): ReturnType<typeof serversOf> {
  const found = known.get(object) ?? serversOf(object)
  known.set(object, found)
  return found
}

function serversOf(object: JsonObject): readonly (readonly [string, ExistingServer])[] {
  const servers = arrayMember(memberAt(object, 'spec'), 'servers')
  const { namespace } = referenceTo(object)
  const plain = new Set(servers.filter(isOnPort(80)).flatMap((server) => hostsOf(server, namespace).map(hostPart)))
  return servers.filter(isOnPort(443)).flatMap((server) => {
    const hosts = hostsOf(server, namespace)
    const credentialName = stringMember(memberAt(server, 'tls'), 'credentialName')
    const passesThrough = /PASSTHROUGH$/.test(stringMember(memberAt(server, 'tls'), 'mode') ?? '')
    return [...new Set(hosts.map(hostPart))].map((host) => {
      const namespaces = hosts.filter((one) => hostPart(one) === host).map((one) => one.slice(0, one.indexOf('/')))
      const servesPlain = plain.has(host) || plain.has('*')
      return [host, { gateway: idOf(object), credentialName, passesThrough, namespaces, servesPlain }] as const
    })
  })
}

function isOnPort(number: number): (server: Json) => boolean {
  return (server) => memberAt(server, 'port', 'number') === number
}

/** Returns the hosts as `namespace/host`: without a namespace any may bind, and `.` is the Gateway's own. */
function hostsOf(server: Json, namespace: string): readonly string[] {
  return arrayMember(server, 'hosts')
    .filter((host) => typeof host === 'string')
    .map((host) => host.toLowerCase())
    .map((host) => (host.includes('/') ? host.replace(/^\.\//, `${namespace}/`) : `*/${host}`))
}

function hostPart(host: string): string {
  return host.slice(host.indexOf('/') + 1)
}
