/** The listeners of port 443 that a plan needs in a Gateway. */
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'

/** The CRD's limit. */
const MAX_LISTENERS = 64

/** How a listener handles TLS: `https` ends it, `tls` passes it through. */
export type SecureProtocol = 'https' | 'tls'

export interface SecureListener {
  readonly protocol: SecureProtocol
  /** Undefined for any host. */
  readonly host: string | undefined
  /** Undefined if TLS is passed through. */
  readonly server: TlsServer | undefined
}

export interface SecureListeners {
  readonly printed: readonly SecureListener[]
  /** Hosts beyond the limit. */
  readonly lost: readonly string[]
}

export function secureListeners(plan: GatewayPlan, isShared: boolean): SecureListeners {
  const { hosts, tls } = plan
  const isForAll = tls.length === 1 && !isShared
  const needed: readonly SecureListener[] = [
    ...tls.flatMap((server) => serverListeners(server, isForAll)),
    ...hosts.filter(isPassed).map(({ host }) => ({ protocol: 'tls', host, server: undefined }) as const),
  ]
  const room = hasPlainListener(plan, isShared) ? MAX_LISTENERS - 1 : MAX_LISTENERS
  return { printed: needed.slice(0, room), lost: needed.slice(room).flatMap(({ host }) => host ?? []) }
}

/**
 * If more hosts than the limit share a server, one listener without host name serves them, unless the Gateway has other
 * servers.
 */
function serverListeners(server: TlsServer, isForAll: boolean): readonly SecureListener[] {
  const hosts = isForAll && server.hosts.length >= MAX_LISTENERS ? [undefined] : server.hosts
  return hosts.map((host) => ({ protocol: 'https', host, server }))
}

/** A shared Gateway already has one. */
export function hasPlainListener({ hosts }: GatewayPlan, isShared: boolean): boolean {
  return !isShared && hosts.some((host) => !isPassed(host) || host.routes.length > 0)
}

function isPassed({ passthrough }: VirtualHost): boolean {
  return passthrough !== undefined
}
