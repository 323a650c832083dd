/**
 * How the gateway connects to a backend: a DestinationRule for the port, exported to the gateway's namespace only, so
 * callers inside the mesh are not affected.
 */
import { defined } from '../../../kubernetes/json.ts'
import type { BackendTls, ConnectionPolicy, ConsistentHash } from '../../model/ingress-settings.ts'
import { credentialName } from '../../model/object-names.ts'
import type { RouteBackend } from '../../model/virtual-host.ts'
import type { ObjectMetadata } from '../emitted-object.ts'

/** https://istio.io/latest/docs/reference/config/networking/destination-rule/ */
export type DestinationRule = {
  readonly apiVersion: 'networking.istio.io/v1'
  readonly kind: 'DestinationRule'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly host: string
    readonly exportTo?: readonly string[]
    readonly trafficPolicy: { readonly portLevelSettings: readonly PortTrafficPolicy[] }
  }
}

export type PortTrafficPolicy = {
  readonly port: { readonly number: number }
  readonly connectionPool?: { readonly tcp: { readonly connectTimeout: string } }
  readonly loadBalancer?: LoadBalancer
  readonly tls?: ClientTls
}

type LoadBalancer =
  { readonly simple: 'ROUND_ROBIN' | 'LEAST_REQUEST' } | { readonly consistentHash: ConsistentHashPolicy }

type ConsistentHashPolicy =
  | { readonly httpCookie: { readonly name: string; readonly path?: string; readonly ttl: string } }
  | { readonly httpHeaderName: string }
  | { readonly httpQueryParameterName: string }
  | { readonly useSourceIp: true }

type ClientTls = {
  readonly mode: 'SIMPLE' | 'MUTUAL'
  readonly credentialName?: string
  readonly sni?: string
  readonly subjectAltNames?: readonly string[]
  readonly insecureSkipVerify?: true
}

export interface PortPolicy {
  readonly port: number
  readonly connection: ConnectionPolicy
}

export function destinationRuleObject(
  { namespace, service, host }: Pick<RouteBackend, 'namespace' | 'service' | 'host'>,
  ports: readonly PortPolicy[],
  exportTo: string,
): DestinationRule {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: `${service}-from-gateway`, namespace },
    spec: {
      host,
      exportTo: [exportTo],
      trafficPolicy: { portLevelSettings: ports.map(({ port, connection }) => portLevelSettings(port, connection)) },
    },
  }
}

function portLevelSettings(
  port: number,
  { connectTimeoutSeconds: seconds, tls, hash, balancer }: ConnectionPolicy,
): PortTrafficPolicy {
  return defined({
    port: { number: port },
    connectionPool: seconds === undefined ? undefined : { tcp: { connectTimeout: `${seconds}s` } },
    loadBalancer: hash === undefined ? balancer && { simple: balancer } : { consistentHash: consistentHash(hash) },
    tls: tls && tlsOf(tls),
  })
}

function consistentHash(hash: ConsistentHash): ConsistentHashPolicy {
  switch (hash.kind) {
    case 'cookie':
      return { httpCookie: defined({ name: hash.name, path: hash.path, ttl: `${hash.ttlSeconds}s` }) }
    case 'header':
      return { httpHeaderName: hash.name }
    case 'query':
      return { httpQueryParameterName: hash.name }
    case 'source-ip':
      return { useSourceIp: true }
  }
}

/** The gateway reads the secret in its own namespace, as for its servers. */
function tlsOf({ verifies, serverName, secret }: BackendTls): ClientTls {
  const [namespace = '', name = ''] = secret?.split('/') ?? []
  return defined({
    mode: secret === undefined ? 'SIMPLE' : 'MUTUAL',
    credentialName: secret === undefined ? undefined : credentialName(namespace, name),
    sni: serverName,
    subjectAltNames: verifies && serverName !== undefined ? [serverName] : undefined,
    insecureSkipVerify: verifies ? undefined : true,
  })
}
