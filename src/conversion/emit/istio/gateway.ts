/** The Gateway of a plan or a part of it, or the servers that a shared Gateway needs for it. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { GatewaySettings } from '../../model/conversion-options.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import { credentialName } from '../../model/object-names.ts'
import type { TlsServer } from '../../gateways/gateway-plan.ts'

import type { GatewayPart } from './wildcard-gateways.ts'

export function gatewayObject(part: GatewayPart, { selector }: GatewaySettings): JsonObject {
  const { namespace, name } = part
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: { selector, servers: gatewayServers(part) },
  }
}

/**
 * Hosts carry the namespace, so only its VirtualServices can bind. Port names are unique within the Gateway. Plain HTTP never
 * has `httpsRedirect` (docs/facts/istio-gateway.md#https-redirect).
 */
export function gatewayServers({ namespace, name, hosts, tls }: GatewayPart): readonly JsonObject[] {
  const scoped = (hosts: readonly string[]) => withoutCovered(hosts).map((host) => `${namespace}/${host}`)
  const passed = hosts.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host)
  const plain = hosts.map(({ host }) => host).filter((host) => !passed.includes(host))
  return [
    ...tls.map((server, index) => ({
      port: { number: 443, name: `https-${name}-${index}`, protocol: 'HTTPS' },
      hosts: scoped(server.hosts),
      tls: tlsOf(server, namespace),
    })),
    ...(passed.length === 0
      ? []
      : [
          {
            port: { number: 443, name: `tls-${name}`, protocol: 'TLS' },
            hosts: scoped(passed),
            tls: { mode: 'PASSTHROUGH' },
          },
        ]),
    ...(plain.length === 0
      ? []
      : [{ port: { number: 80, name: `http-${name}`, protocol: 'HTTP' }, hosts: scoped(plain) }]),
  ]
}

/**
 * A server that lists a host and a wildcard above it also binds the wildcard's VirtualService to that host, and the older one
 * wins. The wildcard alone serves the host correctly (observed in Envoy, see test/conversion/support/router-tables.yaml).
 */
function withoutCovered(hosts: readonly string[]): readonly string[] {
  return hosts.filter((host) => !hosts.some((other) => isCoveredByWildcard(host, other)))
}

/** For client certificates the CA is in the same secret as `ca.crt`, or in one called `<credentialName>-cacert`. */
function tlsOf({ secret, clientCertificate }: TlsServer, namespace: string): JsonObject {
  const mode = clientCertificate === undefined ? 'SIMPLE' : clientCertificate.isOptional ? 'OPTIONAL_MUTUAL' : 'MUTUAL'
  return { mode, credentialName: credentialName(namespace, secret) }
}
