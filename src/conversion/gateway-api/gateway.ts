/** The Gateway of an entrance in Gateway API, or the listeners that a shared one needs for it. */
import type { JsonObject } from '../../kubernetes/json.ts'
import type { GatewaySettings } from '../conversion-options.ts'
import type { Entrance, TlsServer } from '../site.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io/v1'
/** The CRD's limit. */
const MAX_LISTENERS = 64

export function gatewayObject(entrance: Entrance, { className }: GatewaySettings): JsonObject {
  const { namespace, name, annotations } = entrance
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name, namespace, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { gatewayClassName: className, listeners: listenersOf(entrance, undefined) },
  }
}

/** How the listeners of a shared Gateway name a secret, and whom they let in; undefined for a Gateway of one's own. */
export interface SharedListeners {
  readonly certificateRef: (server: TlsServer) => JsonObject
}

/** Plain HTTP takes every host that a route names: routes come from the Gateway's own namespace only. */
export function listenersOf(
  { namespace, sites, tls }: Entrance,
  shared: SharedListeners | undefined,
): readonly JsonObject[] {
  const allowed =
    shared === undefined
      ? {}
      : {
          allowedRoutes: {
            namespaces: { from: 'Selector', selector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
          },
        }
  const passed = sites.filter(({ passthrough }) => passthrough !== undefined)
  const isAllPassed = passed.length === sites.length
  const http = isAllPassed || shared !== undefined ? [] : [{ name: 'http', port: 80, protocol: 'HTTP' }]
  const ref = shared?.certificateRef ?? (({ secret }: TlsServer) => ({ name: secret }))
  return [
    ...http,
    ...tls
      .flatMap((server) => httpsListeners(server, tls.length, ref))
      .map((listener) => ({ ...listener, ...allowed })),
    ...passed.map(({ host }) => ({
      ...listener('tls', host),
      protocol: 'TLS',
      tls: { mode: 'Passthrough' },
      ...allowed,
    })),
  ].slice(0, MAX_LISTENERS)
}

/** Hosts beyond the limit, which only a second certificate can bring about: one certificate needs no host names. */
export function unlistenedHosts({ sites, tls }: Entrance): readonly string[] {
  const hosts = [
    ...tls.flatMap((server) => server.hosts),
    ...sites.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host),
  ]
  return tls.length === 1 ? [] : hosts.slice(MAX_LISTENERS - 1)
}

/** The hosts that have a listener of their own on port 443. */
export type SecureListeners = Readonly<Record<SecureProtocol, readonly string[]>>

export function secureListeners(entrances: readonly Entrance[]): SecureListeners {
  const sites = entrances.flatMap((entrance) => entrance.sites)
  return {
    https: entrances.flatMap(serversByHost).flatMap(({ hosts }) => hosts),
    tls: sites.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host),
  }
}

/** The servers whose hosts have a listener each. */
export function serversByHost({ tls }: Entrance): readonly TlsServer[] {
  return tls.filter((server) => hasListeners(server, tls.length))
}

/** More hosts than there can be listeners are served by one without a host name, if nobody else is to be served. */
function hasListeners({ hosts }: TlsServer, servers: number): boolean {
  return servers > 1 || hosts.length < MAX_LISTENERS
}

function httpsListeners(
  server: TlsServer,
  servers: number,
  ref: SharedListeners['certificateRef'],
): readonly JsonObject[] {
  const terminate = {
    protocol: 'HTTPS',
    tls: { mode: 'Terminate', certificateRefs: [ref(server)], ...clientOptions(server) },
  }
  if (!hasListeners(server, servers)) return [{ name: 'https', port: 443, ...terminate }]
  return server.hosts.map((host) => ({ ...listener('https', host), ...terminate }))
}

function listener(protocol: SecureProtocol, host: string): JsonObject {
  return { name: listenerName(protocol, host), port: 443, ...(host === '*' ? {} : { hostname: host }) }
}

/** What listeners of port 443 do with TLS: end it, or pass it through. */
export type SecureProtocol = 'https' | 'tls'

export function listenerName(protocol: SecureProtocol, host: string): string {
  return `${protocol}-${host.replaceAll('*', '-any')}`
}

/** Istio's own option; the CA is in the same secret, or in one called `<name>-cacert`. */
function clientOptions({ clientCertificate }: TlsServer): JsonObject {
  if (clientCertificate === undefined) return {}
  return {
    options: { 'gateway.istio.io/tls-terminate-mode': clientCertificate.isOptional ? 'OPTIONAL_MUTUAL' : 'MUTUAL' },
  }
}
