/** What a Gateway that is shared needs from those who have it, so that Ingresses can go through it. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { GatewaySettings } from '../../model/conversion-options.ts'
import { credentialName } from '../../model/object-names.ts'
import type { ReadIngress } from '../../read-ingresses.ts'
import type { Entrance, TlsServer } from '../../model/virtual-host.ts'
import { listenerObject } from './gateway.ts'
import { secretGrant } from './reference-grant.ts'
import type { SecureListener } from './secure-listeners.ts'

/** The one entry that somebody else has to add, and the leave to read the secrets here. */
export function sharedObjects(
  entrance: Entrance,
  secure: readonly SecureListener[],
  { shared, namespace }: GatewaySettings,
): readonly JsonObject[] {
  const isIssued = ({ secret }: TlsServer) =>
    entrance.ingresses.some(
      ({ settings, ingress }) =>
        settings.certificate !== undefined && ingress.tls.some((entry) => entry.secret === secret),
    )
  const certificateRef = (server: TlsServer) =>
    isIssued(server)
      ? { name: credentialName(entrance.namespace, server.secret) }
      : { name: server.secret, namespace: entrance.namespace }
  const matchLabels = { 'kubernetes.io/metadata.name': entrance.namespace }
  const allowedRoutes = { namespaces: { from: 'Selector', selector: { matchLabels } } }
  const listeners = secure.map((listener) => ({ ...listenerObject(listener, certificateRef), allowedRoutes }))
  const needs = [
    ...(entrance.sites.some(({ passthrough }) => passthrough === undefined) ? ['an HTTP listener on port 80'] : []),
    ...(listeners.length === 0 ? [] : [`these listeners: ${JSON.stringify(listeners)}`]),
  ].join(' and ')
  const message = `Gateway ${shared} needs ${needs}, and to let in routes of namespace ${entrance.namespace}`
  entrance.ingresses[0]?.remarks.push({ level: 'info', about: 'spec.rules', outcome: 'platform-step', message })
  const secrets = entrance.tls.filter((server) => !isIssued(server)).map(({ secret }) => secret)
  return entrance.namespace === namespace || secrets.length === 0
    ? []
    : [secretGrant(entrance, namespace, [...new Set(secrets)])]
}

/** Elsewhere Istio passes over what has a `targetRefs` (`pilot/pkg/model/policyattachment.go`, ShouldAttachPolicy). */
export function remarkPolicyLabel({ remarks }: ReadIngress, { shared }: GatewaySettings): void {
  const label = `gateway.networking.k8s.io/gateway-name: ${shared.split('/')[1] ?? ''}`
  const message = `SECURITY: the policies hold for pods with label ${label}, which those have that Istio deploys for Gateway ${shared} itself; give it to the pods of any other`
  remarks.push({ level: 'warn', about: 'spec.rules', outcome: 'platform-step', message })
}
