/**
 * How the gateway connects to a backend: a DestinationRule for the port, exported to the gateway's namespace only, so callers
 * inside the mesh are not affected.
 */
import { defined, type JsonObject } from '../../../kubernetes/json.ts'
import type { BackendTls, ConnectionPolicy, ConsistentHash } from '../../model/ingress-settings.ts'
import { credentialName } from '../../model/object-names.ts'
import type { RouteBackend } from '../../model/virtual-host.ts'

export interface PortPolicy {
  readonly port: number
  readonly connection: ConnectionPolicy
}

export function destinationRuleObject(
  { namespace, service, host }: Pick<RouteBackend, 'namespace' | 'service' | 'host'>,
  ports: readonly PortPolicy[],
  exportTo: string,
): JsonObject {
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
): JsonObject {
  return defined({
    port: { number: port },
    connectionPool: seconds === undefined ? undefined : { tcp: { connectTimeout: `${seconds}s` } },
    loadBalancer: hash === undefined ? balancer && { simple: balancer } : { consistentHash: consistentHash(hash) },
    tls: tls && tlsOf(tls),
  })
}

function consistentHash(hash: ConsistentHash): JsonObject {
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
function tlsOf({ verifies, serverName, secret }: BackendTls): JsonObject {
  const [namespace = '', name = ''] = secret?.split('/') ?? []
  return defined({
    mode: secret === undefined ? 'SIMPLE' : 'MUTUAL',
    credentialName: secret === undefined ? undefined : credentialName(namespace, name),
    sni: serverName,
    subjectAltNames: verifies && serverName !== undefined ? [serverName] : undefined,
    insecureSkipVerify: verifies ? undefined : true,
  })
}
