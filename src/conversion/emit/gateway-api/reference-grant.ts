/** ReferenceGrants allow references to other namespaces (docs/facts/gateway-api.md#cross-namespace-references). */
import { scopedName } from '../../model/object-names.ts'
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { ObjectMetadata } from '../emitted-object.ts'

const GROUP = 'gateway.networking.k8s.io'

/** https://gateway-api.sigs.k8s.io/reference/spec/#referencegrant */
export type ReferenceGrant = {
  readonly apiVersion: `${typeof GROUP}/v1beta1`
  readonly kind: 'ReferenceGrant'
  readonly metadata: ObjectMetadata
  readonly spec: { readonly from: readonly GrantFrom[]; readonly to: readonly GrantTo[] }
}

type GrantFrom = {
  readonly group: typeof GROUP
  readonly kind: 'Gateway' | 'HTTPRoute'
  readonly namespace: string
}

type GrantTo = { readonly group: ''; readonly kind: 'Secret' | 'Service'; readonly name: string }

function grant(namespace: string, name: string, from: GrantFrom, to: readonly GrantTo[]): ReferenceGrant {
  // Every release of the CRDs serves v1beta1, only the newest serves v1.
  return {
    apiVersion: `${GROUP}/v1beta1`,
    kind: 'ReferenceGrant',
    metadata: { name, namespace },
    spec: { from: [from], to },
  }
}

/** Returns the grant for a Gateway in `gatewayNamespace` that reads certificates from the Ingress' namespace. */
export function secretGrant(
  { namespace, name }: GatewayPlan,
  gatewayNamespace: string,
  secrets: readonly string[],
): ReferenceGrant {
  const to = secrets.map((secret): GrantTo => ({ group: '', kind: 'Secret', name: secret }))
  return grant(namespace, `${name}-certificates`, { group: GROUP, kind: 'Gateway', namespace: gatewayNamespace }, to)
}

/** Returns one grant for each Service in another namespace that routes mirror to. */
export function mirrorGrants(plans: readonly GatewayPlan[]): readonly ReferenceGrant[] {
  const grants = new Map<string, ReferenceGrant>()
  for (const { namespace, ingresses } of plans)
    for (const { mirror } of ingresses.map(({ settings }) => settings)) {
      if (mirror?.service === undefined) continue
      const { name: service, namespace: place } = mirror.service
      const from: GrantFrom = { group: GROUP, kind: 'HTTPRoute', namespace }
      if (place !== namespace)
        grants.set(
          `${namespace}/${mirror.host}`,
          grant(place, scopedName(namespace, service, 'mirror'), from, [{ group: '', kind: 'Service', name: service }]),
        )
    }
  return [...grants.values()]
}
