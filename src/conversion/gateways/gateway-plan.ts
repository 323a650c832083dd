import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ClientCertificate } from '../model/ingress-settings.ts'
import type { VirtualHost } from '../model/virtual-host.ts'

/** A Gateway with its virtual hosts and certificates. */
export interface GatewayPlan {
  readonly namespace: string
  /** A DNS label. */
  readonly name: string
  /** The name of the Gateway API Gateway of an ingress class that serves the hosts; empty for other Gateways. */
  readonly className: string
  /** The oldest first. */
  readonly ingresses: readonly ReadIngress[]
  /** The hosts of the Ingresses. */
  readonly hosts: readonly VirtualHost[]
  /** The hosts that this Gateway serves: its own, except those that another Gateway serves, and those of other plans. */
  readonly served: readonly VirtualHost[]
  /** The existing Gateways, as `namespace/name`, that serve hosts of this plan on port 443. */
  readonly existing: ReadonlyMap<VirtualHost, string>
  readonly tls: readonly TlsServer[]
  readonly annotations: Readonly<Record<string, string>>
}

/** TLS that ends at the gateway. */
export interface TlsServer {
  readonly hosts: readonly string[]
  /** The names on the certificate: the hosts of the TLS entries, including wildcards. */
  readonly names: readonly string[]
  /** The secret named by the Ingress, in the Ingress' namespace. */
  readonly secret: string
  readonly clientCertificate: ClientCertificate | undefined
}
