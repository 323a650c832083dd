/** ReferenceGrants allow references to other namespaces (docs/facts/gateway-api.md#cross-namespace-references). */
import type { JsonObject } from '../../../kubernetes/json.ts'
import { scopedName } from '../../model/object-names.ts'
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'

const GROUP = 'gateway.networking.k8s.io'

function grant(namespace: string, name: string, from: JsonObject, to: readonly JsonObject[]): JsonObject {
  // v1beta1 is served by every release of the CRDs, v1 by the newest only.
  return {
    apiVersion: `${GROUP}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name, namespace },
    spec: { from: [from], to },
  }
}

/** For a Gateway of `gatewayNamespace` that reads certificates beside the Ingress. */
export function secretGrant(
  { namespace, name }: GatewayPlan,
  gatewayNamespace: string,
  secrets: readonly string[],
): JsonObject {
  const to = secrets.map((secret) => ({ group: '', kind: 'Secret', name: secret }))
  return grant(namespace, `${name}-certificates`, { group: GROUP, kind: 'Gateway', namespace: gatewayNamespace }, to)
}

/** For routes that mirror to a Service of another namespace; one for each. */
export function mirrorGrants(plans: readonly GatewayPlan[]): readonly JsonObject[] {
  const grants = new Map<string, JsonObject>()
  for (const { namespace, ingresses } of plans)
    for (const { mirror } of ingresses.map(({ settings }) => settings)) {
      if (mirror?.service === undefined) continue
      const { name: service, namespace: place } = mirror.service
      const from = { group: GROUP, kind: 'HTTPRoute', namespace }
      if (place !== namespace)
        grants.set(
          `${namespace}/${mirror.host}`,
          grant(place, scopedName(namespace, service, 'mirror'), from, [{ group: '', kind: 'Service', name: service }]),
        )
    }
  return [...grants.values()]
}
