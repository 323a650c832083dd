/** A Gateway before its servers are planned: the Ingresses and the virtual hosts that belong to it. */
import { tlsEntries } from '../hosts/tls-coverage.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { coveringNames } from '../model/hosts.ts'
import type { VirtualHost } from '../model/virtual-host.ts'

export interface GatewayDraft {
  readonly namespace: string
  /** A DNS label. */
  readonly name: string
  /** The name of the Gateway API Gateway of an ingress class that serves the hosts; empty for other Gateways. */
  readonly className: string
  /** The oldest first. */
  readonly ingresses: readonly ReadIngress[]
  readonly hosts: readonly VirtualHost[]
}

/** Returns the hosts that need a server on port 443. */
export function securedHosts({ ingresses, hosts }: GatewayDraft): readonly VirtualHost[] {
  const names = new Set(tlsEntries(ingresses).flatMap((entry) => entry.hosts))
  return hosts.filter(
    ({ passthrough, certificateHost }) =>
      passthrough !== undefined || coveringNames(certificateHost).some((name) => names.has(name)),
  )
}
