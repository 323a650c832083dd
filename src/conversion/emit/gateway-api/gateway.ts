/** The Gateway of a plan in the Gateway API, or the listeners that a shared Gateway needs for it. */
import { defined } from '../../../kubernetes/json.ts'
import type { GatewaySettings } from '../../model/conversion-options.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import { someOf, type ObjectMetadata } from '../emitted-object.ts'
import { hasPlainListener, type SecureListener, type SecureProtocol } from './secure-listeners.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io/v1'

/** https://gateway-api.sigs.k8s.io/reference/spec/#gateway */
export type Gateway = {
  readonly apiVersion: typeof GATEWAY_API
  readonly kind: 'Gateway'
  readonly metadata: ObjectMetadata
  readonly spec: { readonly gatewayClassName: string; readonly listeners: readonly Listener[] }
}

export type Listener = {
  readonly name: string
  readonly port: number
  readonly hostname?: string
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS'
  readonly tls?: ListenerTls
  readonly allowedRoutes?: AllowedRoutes
}

type ListenerTls =
  | { readonly mode: 'Passthrough' }
  | {
      readonly mode: 'Terminate'
      readonly certificateRefs: readonly CertificateRef[]
      readonly options?: Readonly<Record<string, string>>
    }

export type CertificateRef = { readonly name: string; readonly namespace?: string }

export type AllowedRoutes = {
  readonly namespaces: {
    readonly from: 'Selector'
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> }
  }
}

/** The plain listener accepts every host of its routes, which come only from the Gateway's own namespace. */
export function gatewayObject(
  plan: GatewayPlan,
  secure: readonly SecureListener[],
  { className }: GatewaySettings,
): Gateway {
  const { namespace, name, annotations } = plan
  const listeners = [
    ...(hasPlainListener(plan, false) ? [PLAIN] : []),
    ...secure.map((listener) => listenerObject(listener, ({ secret }) => ({ name: secret }))),
  ]
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata: defined({ name, namespace, annotations: someOf(annotations) }),
    spec: { gatewayClassName: className, listeners },
  }
}

const PLAIN: Listener = { name: 'http', port: 80, protocol: 'HTTP' }

/** `certificateRef` returns the reference to a server's secret. */
export function listenerObject(
  { protocol, host, server }: SecureListener,
  certificateRef: (server: TlsServer) => CertificateRef,
): Listener {
  return defined({
    name: host === undefined ? protocol : listenerName(protocol, host),
    port: 443,
    hostname: host === '*' ? undefined : host,
    protocol: server === undefined ? 'TLS' : 'HTTPS',
    tls: server === undefined ? { mode: 'Passthrough' } : terminated(server, certificateRef(server)),
  })
}

function terminated(server: TlsServer, certificateRef: CertificateRef): ListenerTls {
  return defined({ mode: 'Terminate', certificateRefs: [certificateRef], options: clientOptions(server) })
}

export function listenerName(protocol: SecureProtocol, host: string): string {
  return `${protocol}-${host.replaceAll('*', '-any')}`
}

/** Istio's own option. The CA is in the same secret, or in one called `<name>-cacert`. */
function clientOptions({ clientCertificate }: TlsServer): Readonly<Record<string, string>> | undefined {
  if (clientCertificate === undefined) return undefined
  return { 'gateway.istio.io/tls-terminate-mode': clientCertificate.isOptional ? 'OPTIONAL_MUTUAL' : 'MUTUAL' }
}
