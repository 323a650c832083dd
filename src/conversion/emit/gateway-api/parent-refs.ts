/** Which listeners of its Gateway a route attaches to. */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { Site } from '../../model/virtual-host.ts'
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
export function attachments(site: Site, parent: ParentGateway): readonly Attachment[] {
  if (narrowerHosts(site, parent).length === 0) return [{ suffix: '', parentRef: gatewayRef(site, parent) }]
  const plain = plainRef(site, parent)
  if (nearestHost(site, parent) === undefined) return [{ suffix: '', parentRef: plain }]
  return [
    { suffix: '', parentRef: secureRef(site, parent) },
    { suffix: 'http', parentRef: plain },
  ]
}

export function plainRef(site: Site, parent: ParentGateway): JsonObject {
  return { ...gatewayRef(site, parent), port: 80 }
}

export function secureRef(site: Site, parent: ParentGateway): JsonObject {
  const host = narrowerHosts(site, parent).length === 0 ? undefined : nearestHost(site, parent)
  const listener = host === undefined ? { port: 443 } : { sectionName: listenerName(protocolOf(site), host) }
  return { ...gatewayRef(site, parent), ...listener }
}

/** Of the listener that answers for the site: its own, else the narrowest wildcard's above it. */
function nearestHost(site: Site, { listeners }: ParentGateway): string | undefined {
  const hosts = listeners[protocolOf(site)]
  if (hosts.includes(site.host)) return site.host
  const wider = hosts.filter((host) => isCoveredByWildcard(site.host, host))
  return wider.toSorted((left, right) => right.length - left.length)[0]
}

function gatewayRef(site: Site, { namespace, name }: ParentGateway): JsonObject {
  return defined({ name, namespace: namespace === site.namespace ? undefined : namespace })
}

export function isListened(site: Site, { listeners }: ParentGateway): boolean {
  return listeners[protocolOf(site)].includes(site.host)
}

/**
 * By its Gateway or port alone, a wildcard's route also attaches to the listeners of narrower hosts, and the older of two
 * routes that both have a host goes first (`pilot/pkg/config/kube/gateway`, hostnameAllowedByIsolation: only a wildcard's
 * listener is kept from the routes of others).
 */
export function narrowerHosts(site: Site, { listeners }: ParentGateway): readonly string[] {
  if (!site.host.startsWith('*')) return []
  return listeners[protocolOf(site)].filter((host) => isCoveredByWildcard(host, site.host))
}

function protocolOf({ passthrough }: Site): SecureProtocol {
  return passthrough === undefined ? 'https' : 'tls'
}
