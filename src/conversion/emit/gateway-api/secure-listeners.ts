/** The listeners of port 443 that an entrance needs of a Gateway. */
import type { Entrance, Site, TlsServer } from '../../model/virtual-host.ts'

/** The CRD's limit. */
const MAX_LISTENERS = 64

/** What a listener does with TLS: end it, or pass it through. */
export type SecureProtocol = 'https' | 'tls'

export interface SecureListener {
  readonly protocol: SecureProtocol
  /** Undefined: whatever host a client names. */
  readonly host: string | undefined
  /** Undefined where TLS is passed through. */
  readonly server: TlsServer | undefined
}

export interface SecureListeners {
  readonly printed: readonly SecureListener[]
  /** Hosts beyond the limit. */
  readonly lost: readonly string[]
}

export function secureListeners(entrance: Entrance, isShared: boolean): SecureListeners {
  const { sites, tls } = entrance
  const isForAll = tls.length === 1 && !isShared
  const needed: readonly SecureListener[] = [
    ...tls.flatMap((server) => serverListeners(server, isForAll)),
    ...sites.filter(isPassed).map(({ host }) => ({ protocol: 'tls', host, server: undefined }) as const),
  ]
  const room = hasPlainListener(entrance, isShared) ? MAX_LISTENERS - 1 : MAX_LISTENERS
  return { printed: needed.slice(0, room), lost: needed.slice(room).flatMap(({ host }) => host ?? []) }
}

/** More hosts than there can be listeners are served by one without a host name, if nobody else is to be served. */
function serverListeners(server: TlsServer, isForAll: boolean): readonly SecureListener[] {
  const hosts = isForAll && server.hosts.length >= MAX_LISTENERS ? [undefined] : server.hosts
  return hosts.map((host) => ({ protocol: 'https', host, server }))
}

/** A Gateway that is shared has one already. */
export function hasPlainListener({ sites }: Entrance, isShared: boolean): boolean {
  return !isShared && !sites.every(isPassed)
}

function isPassed({ passthrough }: Site): boolean {
  return passthrough !== undefined
}
