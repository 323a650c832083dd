/** The Gateway of a plan or a part of it, or the servers that a shared Gateway needs for it. */
import type { GatewaySettings } from '../../model/conversion-options.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import { credentialName } from '../../model/object-names.ts'
import type { TlsServer } from '../../gateways/gateway-plan.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import type { GatewayPart } from './wildcard-gateways.ts'

/** https://istio.io/latest/docs/reference/config/networking/gateway/ */
export type Gateway = {
  readonly apiVersion: 'networking.istio.io/v1'
  readonly kind: 'Gateway'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly selector: Readonly<Record<string, string>>
    readonly servers: readonly Server[]
  }
}

export type Server = {
  readonly port: { readonly number: number; readonly name: string; readonly protocol: 'HTTP' | 'HTTPS' | 'TLS' }
  readonly hosts: readonly string[]
  readonly tls?: ServerTls
}

type ServerTls =
  | { readonly mode: 'PASSTHROUGH' }
  | { readonly mode: 'SIMPLE' | 'MUTUAL' | 'OPTIONAL_MUTUAL'; readonly credentialName: string }

export function gatewayObject(part: GatewayPart, { selector }: GatewaySettings): Gateway {
  const { namespace, name } = part
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: { selector, servers: gatewayServers(part) },
  }
}

/**
 * Hosts include the namespace, so only its VirtualServices can bind. Port names are unique within the Gateway. Plain
 * HTTP never has `httpsRedirect` (docs/facts/istio-gateway.md#https-redirect).
 */
export function gatewayServers(part: GatewayPart): readonly Server[] {
  const passed = part.hosts.filter(({ passthrough }) => passthrough !== undefined)
  const plain = part.hosts.filter(({ passthrough, routes }) => passthrough === undefined || routes.length > 0)
  return [
    ...part.tls.map((server, index) => secureServer(server, index, part)),
    ...(passed.length === 0 ? [] : [passedServer(passed, part)]),
    ...(plain.length === 0 ? [] : [plainServer(plain, part)]),
  ]
}

/** The CA for client certificates is in the same secret as `ca.crt`, or in one called `<credentialName>-cacert`. */
function secureServer({ hosts, secret, clientCertificate }: TlsServer, index: number, part: GatewayPart): Server {
  const mode = clientCertificate === undefined ? 'SIMPLE' : clientCertificate.isOptional ? 'OPTIONAL_MUTUAL' : 'MUTUAL'
  return {
    port: { number: 443, name: `https-${part.name}-${index}`, protocol: 'HTTPS' },
    hosts: scoped(hostsNamed(hosts, part)),
    tls: { mode, credentialName: credentialName(part.namespace, secret) },
  }
}

function passedServer(hosts: readonly VirtualHost[], part: GatewayPart): Server {
  return {
    port: { number: 443, name: `tls-${part.name}`, protocol: 'TLS' },
    hosts: scoped(hosts),
    tls: { mode: 'PASSTHROUGH' },
  }
}

function plainServer(hosts: readonly VirtualHost[], part: GatewayPart): Server {
  return { port: { number: 80, name: `http-${part.name}`, protocol: 'HTTP' }, hosts: scoped(hosts) }
}

/** The hosts of a server, in its order. Those of other namespaces follow, each with its namespace. */
function hostsNamed(names: readonly string[], { namespace, hosts }: GatewayPart): readonly NamedHost[] {
  const known = new Set(names)
  const guests = hosts.filter((host) => host.namespace !== namespace && known.has(host.host))
  return [...names.map((host) => ({ namespace, host })), ...guests]
}

type NamedHost = Pick<VirtualHost, 'namespace' | 'host'>

function scoped(hosts: readonly NamedHost[]): readonly string[] {
  return withoutCovered(hosts).map(({ namespace, host }) => `${namespace}/${host}`)
}

/**
 * A server that lists a host and a wildcard above it also binds the wildcard's VirtualService to that host, and the
 * older one wins. The wildcard alone serves the host correctly (observed in Envoy, see
 * test/conversion/support/router-tables.yaml).
 */
function withoutCovered(hosts: readonly NamedHost[]): readonly NamedHost[] {
  const isAbove = (host: NamedHost) => (other: NamedHost) =>
    other.namespace === host.namespace && isCoveredByWildcard(host.host, other.host)
  return hosts.filter((host) => !hosts.some(isAbove(host)))
}
