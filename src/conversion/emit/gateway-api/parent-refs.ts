/** Which listeners of its Gateway a route attaches to. */
import { defined } from '../../../kubernetes/json.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import { listenerName } from './gateway.ts'
import type { SecureListener, SecureProtocol } from './secure-listeners.ts'

/** The Gateway that routes attach to. */
export interface ParentGateway {
  readonly namespace: string
  readonly name: string
  readonly listeners: ListenedHosts
  /** The listeners of a host; undefined for a shared Gateway, whose listeners are known by port only. */
  readonly refsOf?: (host: VirtualHost) => ListenerRefs
}

export interface ListenerRefs {
  readonly plain: ParentRef
  /** Undefined if the host has no listener on port 443. */
  readonly secure: ParentRef | undefined
}

/** The hosts that have a listener of their own on port 443. */
export type ListenedHosts = Readonly<Record<SecureProtocol, ReadonlySet<string>>>

export function listenedHosts(listeners: readonly SecureListener[]): ListenedHosts {
  const hostsOf = (protocol: SecureProtocol) =>
    new Set(listeners.filter((listener) => listener.protocol === protocol).map(({ host }) => host))
  return { https: hostsOf('https'), tls: hostsOf('tls') }
}

/** The suffix of a route's name, and the listeners that the route attaches to. */
export interface Attachment {
  readonly suffix: '' | 'http'
  readonly parentRefs: readonly ParentRef[]
}

/** https://gateway-api.sigs.k8s.io/reference/spec/#parentreference */
export type ParentRef = {
  readonly group?: string
  readonly kind?: 'ListenerSet'
  readonly name: string
  readonly namespace?: string
  readonly port?: number
  readonly sectionName?: string
}

/**
 * One route for both ports, or two if port 443 must be referenced by its listener's name: the CRD allows one reference
 * without `sectionName` per Gateway, and the plain listener of a shared Gateway has an unknown name.
 */
export function attachments(host: VirtualHost, parent: ParentGateway): readonly Attachment[] {
  const refs = parent.refsOf?.(host)
  if (refs !== undefined)
    return [{ suffix: '', parentRefs: [refs.plain, ...(refs.secure === undefined ? [] : [refs.secure])] }]
  if (narrowerHosts(host, parent).length === 0) return [{ suffix: '', parentRefs: [gatewayRef(host, parent)] }]
  const plain = plainRef(host, parent)
  if (nearestHost(host, parent) === undefined) return [{ suffix: '', parentRefs: [plain] }]
  return [
    { suffix: '', parentRefs: [secureRef(host, parent)] },
    { suffix: 'http', parentRefs: [plain] },
  ]
}

export function plainRef(host: VirtualHost, parent: ParentGateway): ParentRef {
  return parent.refsOf?.(host).plain ?? { ...gatewayRef(host, parent), port: 80 }
}

export function secureRef(host: VirtualHost, parent: ParentGateway): ParentRef {
  const refs = parent.refsOf?.(host)
  if (refs !== undefined) return refs.secure ?? refs.plain
  const nearest = narrowerHosts(host, parent).length === 0 ? undefined : nearestHost(host, parent)
  const listener = nearest === undefined ? { port: 443 } : { sectionName: listenerName(protocolOf(host), nearest) }
  return { ...gatewayRef(host, parent), ...listener }
}

/** Returns the host of the listener that serves it: its own, or the narrowest wildcard above it. */
function nearestHost(host: VirtualHost, { listeners }: ParentGateway): string | undefined {
  const hosts = listeners[protocolOf(host)]
  if (hosts.has(host.host)) return host.host
  const wider = [...hosts].filter((wildcard) => isCoveredByWildcard(host.host, wildcard))
  return wider.toSorted((left, right) => right.length - left.length)[0]
}

function gatewayRef(host: VirtualHost, { namespace, name }: ParentGateway): ParentRef {
  return defined({ name, namespace: namespace === host.namespace ? undefined : namespace })
}

export function isListened(host: VirtualHost, { listeners }: ParentGateway): boolean {
  return listeners[protocolOf(host)].has(host.host)
}

/**
 * Referenced by Gateway or port alone, a wildcard's route also attaches to the listeners of narrower hosts, where the
 * older of two routes for a host wins (hostnameAllowedByIsolation in istio/istio pilot/pkg/config/kube/gateway isolates
 * only the listeners of wildcards).
 */
export function narrowerHosts(host: VirtualHost, { listeners }: ParentGateway): readonly string[] {
  if (!host.host.startsWith('*')) return []
  return [...listeners[protocolOf(host)]].filter((other) => isCoveredByWildcard(other, host.host))
}

function protocolOf({ passthrough }: VirtualHost): SecureProtocol {
  return passthrough === undefined ? 'https' : 'tls'
}
