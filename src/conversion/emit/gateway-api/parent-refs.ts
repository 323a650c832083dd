/** Which listeners of its Gateway a route attaches to. */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import { listenerName } from './gateway.ts'
import type { SecureListener, SecureProtocol } from './secure-listeners.ts'

/** The Gateway that routes attach to. */
export interface ParentGateway {
  readonly namespace: string
  readonly name: string
  readonly listeners: ListenedHosts
}

/** The hosts that have a listener of their own on port 443. */
export type ListenedHosts = Readonly<Record<SecureProtocol, readonly string[]>>

export function listenedHosts(listeners: readonly SecureListener[]): ListenedHosts {
  const hostsOf = (protocol: SecureProtocol) =>
    listeners.filter((listener) => listener.protocol === protocol).flatMap(({ host }) => host ?? [])
  return { https: hostsOf('https'), tls: hostsOf('tls') }
}

/** A route, with what its name has at the end, and the listeners that it attaches to. */
export interface Attachment {
  readonly suffix: '' | 'http'
  readonly parentRef: JsonObject
}

/**
 * One route for both ports; two, where port 443 has to be named by its listener: the CRD takes one reference without
 * `sectionName` for each Gateway, and what a shared Gateway calls its plain listener is not known.
 */
export function attachments(host: VirtualHost, parent: ParentGateway): readonly Attachment[] {
  if (narrowerHosts(host, parent).length === 0) return [{ suffix: '', parentRef: gatewayRef(host, parent) }]
  const plain = plainRef(host, parent)
  if (nearestHost(host, parent) === undefined) return [{ suffix: '', parentRef: plain }]
  return [
    { suffix: '', parentRef: secureRef(host, parent) },
    { suffix: 'http', parentRef: plain },
  ]
}

export function plainRef(host: VirtualHost, parent: ParentGateway): JsonObject {
  return { ...gatewayRef(host, parent), port: 80 }
}

export function secureRef(host: VirtualHost, parent: ParentGateway): JsonObject {
  const nearest = narrowerHosts(host, parent).length === 0 ? undefined : nearestHost(host, parent)
  const listener = nearest === undefined ? { port: 443 } : { sectionName: listenerName(protocolOf(host), nearest) }
  return { ...gatewayRef(host, parent), ...listener }
}

/** Of the listener that answers for the host: its own, else the narrowest wildcard's above it. */
function nearestHost(host: VirtualHost, { listeners }: ParentGateway): string | undefined {
  const hosts = listeners[protocolOf(host)]
  if (hosts.includes(host.host)) return host.host
  const wider = hosts.filter((wildcard) => isCoveredByWildcard(host.host, wildcard))
  return wider.toSorted((left, right) => right.length - left.length)[0]
}

function gatewayRef(host: VirtualHost, { namespace, name }: ParentGateway): JsonObject {
  return defined({ name, namespace: namespace === host.namespace ? undefined : namespace })
}

export function isListened(host: VirtualHost, { listeners }: ParentGateway): boolean {
  return listeners[protocolOf(host)].includes(host.host)
}

/**
 * By its Gateway or port alone, a wildcard's route also attaches to the listeners of narrower hosts, and the older of two
 * routes that both have a host goes first (`pilot/pkg/config/kube/gateway`, hostnameAllowedByIsolation: only a wildcard's
 * listener is kept from the routes of others).
 */
export function narrowerHosts(host: VirtualHost, { listeners }: ParentGateway): readonly string[] {
  if (!host.host.startsWith('*')) return []
  return listeners[protocolOf(host)].filter((other) => isCoveredByWildcard(other, host.host))
}

function protocolOf({ passthrough }: VirtualHost): SecureProtocol {
  return passthrough === undefined ? 'https' : 'tls'
}
