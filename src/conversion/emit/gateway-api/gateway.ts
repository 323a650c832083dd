/** The Gateway of a plan in Gateway API, or the listeners that a shared Gateway needs for it. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { GatewaySettings } from '../../model/conversion-options.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'

import { hasPlainListener, type SecureListener, type SecureProtocol } from './secure-listeners.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io/v1'

/** The plain listener accepts every host of its routes, which come from the Gateway's own namespace only. */
export function gatewayObject(
  plan: GatewayPlan,
  secure: readonly SecureListener[],
  { className }: GatewaySettings,
): JsonObject {
  const { namespace, name, annotations } = plan
  const plain = hasPlainListener(plan, false) ? [{ name: 'http', port: 80, protocol: 'HTTP' }] : []
  const listeners = [
    ...plain,
    ...secure.map((listener) => listenerObject(listener, ({ secret }) => ({ name: secret }))),
  ]
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: { name, namespace, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { gatewayClassName: className, listeners },
  }
}

/** `certificateRef` is how the Gateway names a server's secret. */
export function listenerObject(
  { protocol, host, server }: SecureListener,
  certificateRef: (server: TlsServer) => JsonObject,
): JsonObject {
  return {
    name: host === undefined ? protocol : listenerName(protocol, host),
    port: 443,
    ...(host === undefined || host === '*' ? {} : { hostname: host }),
    ...(server === undefined
      ? { protocol: 'TLS', tls: { mode: 'Passthrough' } }
      : {
          protocol: 'HTTPS',
          tls: { mode: 'Terminate', certificateRefs: [certificateRef(server)], ...clientOptions(server) },
        }),
  }
}

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
