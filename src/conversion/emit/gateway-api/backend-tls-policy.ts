/**
 * TLS to a backend with certificate verification. Gateway API has no unverified TLS, which is the default of
 * ingress-nginx and takes a DestinationRule.
 */
import type { BackendTls, IngressSettings } from '../../model/ingress-settings.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { VirtualHost } from '../../model/virtual-host.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import { GATEWAY_API } from './gateway.ts'

/** https://gateway-api.sigs.k8s.io/reference/spec/#backendtlspolicy */
export type BackendTLSPolicy = {
  readonly apiVersion: typeof GATEWAY_API
  readonly kind: 'BackendTLSPolicy'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly targetRefs: readonly { readonly group: ''; readonly kind: 'Service'; readonly name: string }[]
    readonly validation: {
      readonly caCertificateRefs: readonly { readonly group: ''; readonly kind: 'Secret'; readonly name: string }[]
      readonly hostname: string
    }
  }
}

interface VerifiedTls extends BackendTls {
  readonly serverName: string
  readonly secret: string
}

/** Whether a BackendTLSPolicy can express the TLS of an Ingress in the namespace. */
export function isVerified(tls: BackendTls, namespace: string): boolean {
  return verifiedTls({ connection: { tls } }, namespace) !== undefined
}

function verifiedTls({ connection }: IngressSettings, namespace: string): VerifiedTls | undefined {
  const tls = connection?.tls
  if (tls?.verifies !== true || tls.serverName === undefined || tls.secret?.startsWith(`${namespace}/`) !== true)
    return undefined
  return { ...tls, serverName: tls.serverName, secret: tls.secret.slice(namespace.length + 1) }
}

/** Returns one policy per Service, for all of its ports. */
export function backendTlsPolicies(
  readings: readonly ReadIngress[],
  hosts: readonly VirtualHost[],
): readonly BackendTLSPolicy[] {
  const verified = new Map(
    readings.flatMap(({ id, settings, ingress }) => {
      const tls = verifiedTls(settings, ingress.namespace)
      return tls === undefined ? [] : [[id, tls] as const]
    }),
  )
  const policies = new Map<string, BackendTLSPolicy>()
  for (const { ingress, action } of hosts.flatMap(({ routes }) => routes)) {
    const tls = verified.get(ingress)
    if (tls === undefined || action.kind !== 'forward') continue
    for (const { namespace, service } of action.backends)
      if (!policies.has(`${namespace}/${service}`))
        policies.set(`${namespace}/${service}`, policyObject(namespace, service, tls))
  }
  return [...policies.values()]
}

function policyObject(namespace: string, service: string, { serverName, secret }: VerifiedTls): BackendTLSPolicy {
  return {
    apiVersion: GATEWAY_API,
    kind: 'BackendTLSPolicy',
    metadata: { name: `${service}-from-gateway`, namespace },
    spec: {
      targetRefs: [{ group: '', kind: 'Service', name: service }],
      validation: { caCertificateRefs: [{ group: '', kind: 'Secret', name: secret }], hostname: serverName },
    },
  }
}

/** Returns the settings that still need a DestinationRule. */
export function withoutVerifiedTls(readings: readonly ReadIngress[]): readonly ReadIngress[] {
  return readings.map((reading) => {
    const { settings, ingress } = reading
    if (verifiedTls(settings, ingress.namespace) === undefined) return reading
    const { connectTimeoutSeconds, hash, balancer } = settings.connection ?? {}
    const connection = {
      ...(connectTimeoutSeconds === undefined ? {} : { connectTimeoutSeconds }),
      ...(hash === undefined ? {} : { hash }),
      ...(balancer === undefined ? {} : { balancer }),
    }
    return { ...reading, settings: { ...settings, connection } }
  })
}
