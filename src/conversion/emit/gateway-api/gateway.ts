/** Gateways and ListenerSets of the Gateway API, and their listeners. */
import { defined } from '../../../kubernetes/json.ts'
import type { TlsServer } from '../../gateways/gateway-plan.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import type { PlainListener, SecureListener, SecureProtocol } from './secure-listeners.ts'

export const GATEWAY_API = 'gateway.networking.k8s.io/v1'

/** https://gateway-api.sigs.k8s.io/reference/spec/#gateway */
export type Gateway = {
  readonly apiVersion: typeof GATEWAY_API
  readonly kind: 'Gateway'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly gatewayClassName: string
    readonly allowedListeners?: AllowedNamespaces
    readonly listeners: readonly Listener[]
  }
}

/** https://gateway-api.sigs.k8s.io/reference/api-types/listenerset/ */
export type ListenerSet = {
  readonly apiVersion: typeof GATEWAY_API
  readonly kind: 'ListenerSet'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly parentRef: { readonly name: string; readonly namespace?: string }
    readonly listeners: readonly Listener[]
  }
}

export type Listener = {
  readonly name: string
  readonly port: number
  readonly hostname?: string
  readonly protocol: 'HTTP' | 'HTTPS' | 'TLS'
  readonly tls?: ListenerTls
  readonly allowedRoutes?: AllowedNamespaces
}

type ListenerTls =
  | { readonly mode: 'Passthrough' }
  | {
      readonly mode: 'Terminate'
      readonly certificateRefs: readonly CertificateRef[]
      readonly options?: Readonly<Record<string, string>>
    }

export type CertificateRef = { readonly name: string; readonly namespace?: string }

export type AllowedNamespaces = {
  readonly namespaces: { readonly from: 'Selector'; readonly selector: NamespaceSelector }
}

type NamespaceSelector =
  | { readonly matchLabels: Readonly<Record<string, string>> }
  | {
      readonly matchExpressions: readonly [
        { readonly key: string; readonly operator: 'In'; readonly values: readonly string[] },
      ]
    }

const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

export function allowNamespaces(names: readonly string[]): AllowedNamespaces {
  const [first = ''] = names
  const selector: NamespaceSelector =
    names.length === 1
      ? { matchLabels: { [NAMESPACE_NAME]: first } }
      : { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values: names.toSorted() }] }
  return { namespaces: { from: 'Selector', selector } }
}

/** The name of the listener on port 80. */
export const PLAIN = 'http'

/** The plain listener accepts every host, because a listener for each would soon reach the CRD's limit. */
export function gatewayObject(
  metadata: ObjectMetadata,
  gatewayClassName: string,
  routes: AllowedNamespaces,
  { allowedListeners, secure }: { allowedListeners?: AllowedNamespaces | undefined; secure: readonly Listener[] },
): Gateway {
  const plain: Listener = { name: PLAIN, port: 80, protocol: 'HTTP', allowedRoutes: routes }
  return {
    apiVersion: GATEWAY_API,
    kind: 'Gateway',
    metadata,
    spec: defined<Gateway['spec']>({ gatewayClassName, allowedListeners, listeners: [plain, ...secure] }),
  }
}

export function listenerSetObject(
  metadata: ObjectMetadata,
  gateway: { readonly name: string; readonly namespace: string },
  listeners: readonly Listener[],
): ListenerSet {
  const { name, namespace } = gateway
  const parentRef = defined<ListenerSet['spec']['parentRef']>({
    name,
    namespace: namespace === metadata.namespace ? undefined : namespace,
  })
  return { apiVersion: GATEWAY_API, kind: 'ListenerSet', metadata, spec: { parentRef, listeners } }
}

/** `certificateRef` returns the reference to a server's secret. */
export function listenerObject(
  { protocol, host, server }: SecureListener | PlainListener,
  certificateRef: (server: TlsServer) => CertificateRef,
): Listener {
  return defined({
    name: listenerName(protocol, host),
    port: protocol === 'http' ? 80 : 443,
    hostname: host === '*' ? undefined : host,
    protocol: PROTOCOLS[protocol],
    tls:
      protocol === 'http'
        ? undefined
        : server === undefined
          ? { mode: 'Passthrough' }
          : terminated(server, certificateRef(server)),
  })
}

const PROTOCOLS = { http: 'HTTP', https: 'HTTPS', tls: 'TLS' } as const

function terminated(server: TlsServer, certificateRef: CertificateRef): ListenerTls {
  return defined({ mode: 'Terminate', certificateRefs: [certificateRef], options: clientOptions(server) })
}

export function listenerName(protocol: SecureProtocol | 'http', host: string): string {
  return `${protocol}-${host.replaceAll('*', '-any')}`
}

/** Istio's own option. The CA is in the same secret, or in one called `<name>-cacert`. */
function clientOptions({ clientCertificate }: TlsServer): Readonly<Record<string, string>> | undefined {
  if (clientCertificate === undefined) return undefined
  return { 'gateway.istio.io/tls-terminate-mode': clientCertificate.isOptional ? 'OPTIONAL_MUTUAL' : 'MUTUAL' }
}
