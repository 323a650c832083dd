/** Additions that the owners of a shared Gateway must make. */
import type { GatewaySettings } from '../../model/conversion-options.ts'
import { credentialName } from '../../model/object-names.ts'
import type { ReadIngress } from '../../ingress/read-ingress.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import type { Reported, ReportLine } from '../../model/report.ts'
import { isIssued } from './class-gateways.ts'
import { allowNamespaces, listenerObject, type CertificateRef, type Listener } from './gateway.ts'
import { secretGrant, type ReferenceGrant } from './reference-grant.ts'
import type { SecureListener } from './secure-listeners.ts'

/** Reports the listeners to add, and returns the grant to read the secrets of this namespace. */
export function sharedObjects(
  plan: GatewayPlan,
  secure: readonly SecureListener[],
  { shared, namespace }: GatewaySettings,
): Reported<readonly ReferenceGrant[]> {
  const certificateRef = (server: TlsServer): CertificateRef =>
    isIssued(server.secret, plan)
      ? { name: credentialName(plan.namespace, server.secret) }
      : { name: server.secret, namespace: plan.namespace }
  const allowedRoutes = allowNamespaces([plan.namespace])
  const listeners = secure.map((listener): Listener => ({ ...listenerObject(listener, certificateRef), allowedRoutes }))
  const needs = [
    ...(plan.hosts.some(({ passthrough, routes }) => passthrough === undefined || routes.length > 0)
      ? ['an HTTP listener on port 80']
      : []),
    ...(listeners.length === 0 ? [] : [`these listeners: ${JSON.stringify(listeners)}`]),
  ].join(' and ')
  const message = `Gateway ${shared} needs ${needs}, and must allow routes from namespace ${plan.namespace}`
  const lines = plan.ingresses.slice(0, 1).map(({ id }) => {
    return { ingress: id, level: 'info', about: 'spec.rules', outcome: 'platform-step', message } as const
  })
  const secrets = plan.tls.map(({ secret }) => secret).filter((secret) => !isIssued(secret, plan))
  const isAllowed = plan.namespace === namespace || secrets.length === 0
  return { value: isAllowed ? [] : [secretGrant(plan, namespace, [...new Set(secrets)])], lines }
}

/**
 * Istio ignores a policy with `targetRefs` on other pods (`pilot/pkg/model/policyattachment.go`, ShouldAttachPolicy).
 */
export function policyLabelLine({ id }: ReadIngress, { shared }: GatewaySettings): ReportLine {
  const label = `gateway.networking.k8s.io/gateway-name: ${shared.split('/')[1] ?? ''}`
  const message = `SECURITY: the policies apply to pods with label ${label}. Istio sets it on the pods that it deploys for Gateway ${shared}; add it to the pods of any other deployment`
  return { ingress: id, level: 'warn', about: 'spec.rules', outcome: 'platform-step', message }
}
