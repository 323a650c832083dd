/** The listeners of port 443 that a plan needs. */
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'

/** The CRDs' limit, of a Gateway and of a ListenerSet. */
export const MAX_LISTENERS = 64

/** How a listener of port 443 handles TLS: `https` ends it, `tls` passes it through. */
export type SecureProtocol = 'https' | 'tls'

export interface SecureListener {
  readonly protocol: SecureProtocol
  readonly host: string
  /** Undefined if TLS is passed through. */
  readonly server: TlsServer | undefined
}

export interface SecureListeners {
  readonly printed: readonly SecureListener[]
  /** Hosts beyond the limit. */
  readonly lost: readonly string[]
}

/** The listeners that a plan needs in a shared Gateway, which has a plain one. */
export function secureListeners(plan: GatewayPlan): SecureListeners {
  const needed = neededListeners(plan)
  return { printed: needed.slice(0, MAX_LISTENERS), lost: needed.slice(MAX_LISTENERS).map(({ host }) => host) }
}

export function neededListeners({ served, tls }: GatewayPlan): readonly SecureListener[] {
  return [
    ...tls.flatMap((server) => server.hosts.map((host) => ({ protocol: 'https', host, server }) as const)),
    ...served.filter(isPassed).map(({ host }) => ({ protocol: 'tls', host, server: undefined }) as const),
  ]
}

/** A listener of port 80 for one host. */
export interface PlainListener {
  readonly protocol: 'http'
  readonly host: string
  readonly server: undefined
}

/**
 * external-dns reads the target of a record from the ListenerSet that a route attaches to. So all listeners of such a
 * plan are there, those of port 80 as well (https://kubernetes-sigs.github.io/external-dns/latest/docs/sources/gateway-api/).
 */
export function plainListeners({ hosts, annotations }: GatewayPlan): readonly PlainListener[] {
  if (!Object.keys(annotations).some((key) => key.endsWith('/target'))) return []
  return hosts
    .filter((host) => !isPassed(host) || host.routes.length > 0)
    .map(({ host }) => ({ protocol: 'http', host, server: undefined }))
}

function isPassed({ passthrough }: VirtualHost): boolean {
  return passthrough !== undefined
}
