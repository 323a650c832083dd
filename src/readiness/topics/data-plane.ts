/** Whether the data plane of an Ingress or of a Gateway API route is in the mesh. */
import { servesIngress } from '../../istio/ingress-class.ts'
import { arrayMember, member, memberAt, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { annotationsOf, labelsOf, metadataOf, referenceTo } from '../../kubernetes/object.ts'
import type { Estate } from '../estate.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import type { Inventory } from '../inventory.ts'
import type { Workload } from '../workload.ts'

export type DataPlane = 'inside' | 'outside' | 'unknown'

const PLANES = new WeakMap<Estate, Map<JsonObject, DataPlane>>()

export function dataPlaneOf(object: JsonObject, estate: Estate): DataPlane {
  const known = PLANES.get(estate) ?? new Map<JsonObject, DataPlane>()
  PLANES.set(estate, known)
  const found = known.get(object) ?? readDataPlane(object, estate)
  known.set(object, found)
  return found
}

function readDataPlane(object: JsonObject, estate: Estate): DataPlane {
  return referenceTo(object).kind === 'Ingress' ? ingressDataPlane(object, estate) : routeDataPlane(object, estate)
}

/** Controllers of cloud providers, whose load balancers call from outside the cluster. */
const CLOUD =
  /^(?:ingress\.k8s\.aws\/|eks\.amazonaws\.com\/|k8s\.io\/ingress-gce|networking\.gke\.io\/|azure\/application-gateway|azure\.com\/|alb\.)/
/**
 * Well-known controllers: a word in `spec.controller` or in the class, and the `app.kubernetes.io/name` or `app` of
 * their pods.
 */
const CONTROLLERS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/nginx/, ['ingress-nginx', 'nginx-ingress', 'nginx-ingress-controller', 'nginx-gateway-fabric']],
  [/traefik/, ['traefik']],
  [/haproxy/, ['haproxy-ingress', 'kubernetes-ingress', 'haproxy']],
  [/kong/, ['kong', 'ingress-kong', 'gateway-kong']],
  [/contour/, ['contour', 'envoy']],
  [/ambassador|emissary/, ['emissary-ingress', 'ambassador']],
  [/apisix/, ['apisix', 'apisix-ingress-controller']],
  [/agentgateway/, ['agentgateway']],
]

/**
 * | class or controller        | its pods in the input | data plane                   |
 * |----------------------------|-----------------------|------------------------------|
 * | Istio's                    | any                   | inside                       |
 * | none, as the default class |                       | as that class                |
 * | a cloud's load balancer    | any                   | outside                      |
 * | a well-known controller    | with a sidecar        | inside                       |
 * | a well-known controller    | without               | outside                      |
 * | any other, or none         |                       | unknown                      |
 */
function ingressDataPlane(object: JsonObject, estate: Estate): DataPlane {
  const { inventory } = estate
  const annotations = annotationsOf(object)
  const className = stringMember(member(object, 'spec'), 'ingressClassName')
  const name = className ?? annotations.get('kubernetes.io/ingress.class') ?? ''
  const controller = inventory.ingressController(name) ?? (name === '' ? defaultController(inventory) : name)
  if (name === 'istio' || controller.startsWith('istio.io/') || servesIngress(inventory, annotations, className))
    return 'inside'
  if (CLOUD.test(controller) || /^(?:alb|gce|gce-internal|azure-application-gateway)$/.test(name)) return 'outside'
  return wellKnown(`${controller} ${name}`, estate)
}

/** The API server gives an Ingress without a class the default one when it is created. */
function defaultController(inventory: Inventory): string {
  return inventory.list('ingressClasses').find(({ isDefault }) => isDefault)?.controller ?? ''
}

function wellKnown(text: string, estate: Estate): DataPlane {
  const names = CONTROLLERS.find(([pattern]) => pattern.test(text))?.[1]
  if (names === undefined) return 'unknown'
  const byName = BY_NAME.get(estate) ?? groupBy(estate.workloads, applicationOf)
  BY_NAME.set(estate, byName)
  const pods = names.flatMap((name) => byName.get(name) ?? [])
  if (pods.length === 0) return 'unknown'
  return pods.every(({ units }) => units.every(({ mesh }) => mesh.kind === 'sidecar' || mesh.kind === 'ambient'))
    ? 'inside'
    : 'outside'
}

const BY_NAME = new WeakMap<Estate, ReadonlyMap<string, readonly Workload[]>>()

function applicationOf({ units, reference }: Workload): string {
  const labels = units[0]?.labels
  return labels?.get('app.kubernetes.io/name') ?? labels?.get('app') ?? reference.name
}

/** A route without a Gateway as parent applies within the mesh. */
function routeDataPlane(object: JsonObject, estate: Estate): DataPlane {
  const own = referenceTo(object).namespace
  const parents = arrayMember(member(object, 'spec'), 'parentRefs').filter((parent) =>
    ['Gateway', 'ListenerSet', 'XListenerSet'].includes(stringMember(parent, 'kind') ?? 'Gateway'),
  )
  if (parents.length === 0) return 'inside'
  const planes = parents.map((parent) =>
    gatewayDataPlane(
      stringMember(parent, 'namespace') ?? own,
      stringMember(parent, 'name') ?? '',
      stringMember(parent, 'kind') ?? 'Gateway',
      estate,
    ),
  )
  return planes.find((plane) => plane === 'outside') ?? planes.find((plane) => plane === 'unknown') ?? 'inside'
}

function gatewayDataPlane(namespace: string, name: string, kind: string, estate: Estate): DataPlane {
  const gateway = gatewaysOf(estate).get(`${kind}/${namespace}/${name}`)
  if (gateway === undefined) return 'unknown'
  if (kind !== 'Gateway') {
    const parent = memberAt(gateway, 'spec', 'parentRef')
    return gatewayDataPlane(
      stringMember(parent, 'namespace') ?? namespace,
      stringMember(parent, 'name') ?? '',
      'Gateway',
      estate,
    )
  }
  const className = stringMember(member(gateway, 'spec'), 'gatewayClassName') ?? ''
  const classObject = estate.inventory
    .list('gatewayClasses')
    .find((object) => stringMember(metadataOf(object), 'name') === className)
  const controller = stringMember(member(classObject, 'spec'), 'controllerName') ?? ''
  if (AGENTGATEWAY.test(`${controller} ${className}`)) return 'unknown'
  if (controller.startsWith('istio.io/') || (classObject === undefined && className.startsWith('istio')))
    return 'inside'
  if (labelsOf(gateway).get('istio.io/dataplane-mode') === 'ambient') return 'inside'
  const known = wellKnown(`${controller} ${className}`, estate)
  return known === 'unknown' && controller !== '' ? 'outside' : known
}

/**
 * Istio's experimental data plane of its class `istio-agentgateway`: some releases reach STRICT sidecars in plain text
 * (`pkg/config/constants/constants.go` ManagedAgentgatewayController).
 */
const AGENTGATEWAY = /^istio\.io\/agentgateway|\bistio-agentgateway/

const GATEWAYS = new WeakMap<Estate, ReadonlyMap<string, JsonObject>>()

/** Returns Gateways and ListenerSets by `kind/namespace/name`. */
function gatewaysOf(estate: Estate): ReadonlyMap<string, JsonObject> {
  const known =
    GATEWAYS.get(estate) ??
    new Map(
      estate.inventory.list('gateways').map((object) => {
        const { kind, namespace, name } = referenceTo(object)
        return [`${kind}/${namespace}/${name}`, object]
      }),
    )
  GATEWAYS.set(estate, known)
  return known
}
