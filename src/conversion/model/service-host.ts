/** The DNS names of Services (https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/#services). */

export interface ServiceName {
  readonly namespace: string
  readonly name: string
}

/** Returns `web.shop.svc.cluster.local`. */
export function serviceHost({ namespace, name }: ServiceName, clusterDomain: string): string {
  return `${name}.${namespace}.svc.${clusterDomain}`
}

/** Returns the Service that a host names, or undefined for a host outside the cluster. */
export function serviceOf(host: string, clusterDomain: string): ServiceName | undefined {
  const suffix = `.svc.${clusterDomain}`
  if (!host.endsWith(suffix)) return undefined
  const [name = '', namespace = ''] = host.slice(0, -suffix.length).split('.')
  return { namespace, name }
}
