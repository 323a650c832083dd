/**
 * cert-manager's Certificate for a server of the gateway, in the namespace of the gateway's pods
 * (docs/facts/certificates.md).
 */
import { arrayMember, defined, type Json, type JsonObject } from '../../../kubernetes/json.ts'
import { isAddress } from '../../model/hosts.ts'
import type { CertificateRequest } from '../../model/ingress-settings.ts'
import { credentialName } from '../../model/object-names.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import type { ObjectMetadata } from '../emitted-object.ts'

/** https://cert-manager.io/docs/reference/api-docs/#cert-manager.io/v1.Certificate */
export type Certificate = {
  readonly apiVersion: 'cert-manager.io/v1'
  readonly kind: 'Certificate'
  readonly metadata: ObjectMetadata
  readonly spec: JsonObject & CertificateNames
}

/** What the conversion decides itself; the other members come from annotations. */
export type CertificateNames = {
  readonly secretName: string
  readonly dnsNames: readonly Json[]
  readonly ipAddresses?: readonly Json[]
  readonly issuerRef: { readonly kind: string; readonly name: string; readonly group?: string }
}

/** Returns one for each secret whose Ingress requests it from cert-manager. */
export function certificateObjects(plan: GatewayPlan, namespace: string): readonly Certificate[] {
  const bySecret = new Map<string, TlsServer[]>()
  for (const server of plan.tls) bySecret.set(server.secret, [...(bySecret.get(server.secret) ?? []), server])
  return [...bySecret].flatMap(([secret, servers]) => {
    const names = [...new Set(servers.flatMap((server) => server.names))]
    const certificate = certificateFor(secret, names, plan, namespace)
    return certificate === undefined ? [] : [certificate]
  })
}

function certificateFor(
  secret: string,
  names: readonly string[],
  plan: GatewayPlan,
  namespace: string,
): Certificate | undefined {
  const settings = plan.ingresses.find(
    (reading) =>
      reading.settings.certificate !== undefined && reading.ingress.tls.some((entry) => entry.secret === secret),
  )?.settings
  if (settings?.certificate === undefined) return undefined
  const { certificateSpec = {}, certificateAnnotations } = settings
  const secretName = credentialName(plan.namespace, secret)
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: defined({ name: secretName, namespace, annotations: certificateAnnotations }),
    spec: { ...certificateSpec, ...certificateNames(secretName, names, certificateSpec, settings.certificate) },
  }
}

function certificateNames(
  secretName: string,
  names: readonly string[],
  spec: JsonObject,
  { issuer }: CertificateRequest,
): CertificateNames {
  const ipAddresses = [...new Set([...names.filter(isAddress), ...arrayMember(spec, 'ipAddresses')])]
  return defined({
    secretName,
    dnsNames: [...new Set([...names.filter((name) => !isAddress(name)), ...arrayMember(spec, 'dnsNames')])],
    ipAddresses: ipAddresses.length === 0 ? undefined : ipAddresses,
    issuerRef: defined<CertificateNames['issuerRef']>({ kind: issuer.kind, name: issuer.name, group: issuer.group }),
  })
}
