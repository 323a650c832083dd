/**
 * Annotations that name a cert-manager issuer, on an Ingress or a Gateway
 * (https://cert-manager.io/docs/usage/ingress/).
 */
export const ISSUERS = ['cert-manager.io/cluster-issuer', 'cert-manager.io/issuer'] as const

export function hasIssuer(annotations: Readonly<Record<string, string>>): boolean {
  return ISSUERS.some((key) => Object.hasOwn(annotations, key))
}
