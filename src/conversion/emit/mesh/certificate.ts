/** cert-manager's Certificate for a server of the gateway, in the namespace of the gateway's pods (docs/facts/certificates.md). */
import { arrayMember, defined, type JsonObject } from '../../../kubernetes/json.ts'
import { isAddress } from '../../model/hosts.ts'
import { credentialName } from '../../model/object-names.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'

/** One for each secret whose Ingress asks cert-manager for it. */
export function certificateObjects(plan: GatewayPlan, namespace: string): readonly JsonObject[] {
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
): JsonObject | undefined {
  const settings = plan.ingresses.find(
    (reading) =>
      reading.settings.certificate !== undefined && reading.ingress.tls.some((entry) => entry.secret === secret),
  )?.settings
  if (settings?.certificate === undefined) return undefined
  const { issuer } = settings.certificate
  const { certificateSpec = {}, certificateAnnotations } = settings
  const secretName = credentialName(plan.namespace, secret)
  const ipAddresses = [...new Set([...names.filter(isAddress), ...arrayMember(certificateSpec, 'ipAddresses')])]
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: defined({ name: secretName, namespace, annotations: certificateAnnotations }),
    spec: {
      ...certificateSpec,
      secretName,
      dnsNames: [
        ...new Set([...names.filter((name) => !isAddress(name)), ...arrayMember(certificateSpec, 'dnsNames')]),
      ],
      ...(ipAddresses.length === 0 ? {} : { ipAddresses }),
      issuerRef: defined({ kind: issuer.kind, name: issuer.name, group: issuer.group }),
    },
  }
}
