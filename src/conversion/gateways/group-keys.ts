/** What Ingresses of one namespace share: hosts and certificates. */
import { ingressHosts } from '../hosts/tls-coverage.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { VirtualHost } from '../model/virtual-host.ts'

/** By `namespace/host`, where the host is the one with the certificate. */
export type HostsByKey = ReadonlyMap<string, readonly VirtualHost[]>

export function hostKeys({ ingress }: ReadIngress): readonly string[] {
  return ingressHosts(ingress).map((host) => `${ingress.namespace}/${host}`)
}

export function secretKeys({ ingress }: ReadIngress): readonly string[] {
  return ingress.tls.filter(({ secret }) => secret !== '').map(({ secret }) => `${ingress.namespace}/secret/${secret}`)
}
