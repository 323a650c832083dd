/** Ingresses and Gateway API routes whose data plane is outside the mesh. */
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { annotationsOf, describe, labelsOf, metadataOf, referenceTo } from '../../kubernetes/object.ts'
import { isPortNumber } from '../../kubernetes/handler.ts'
import { finding, type Finding } from '../finding.ts'
import type { Estate } from '../estate.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import type { Inventory } from '../inventory.ts'
import { closedBehind, describeReception, namespacesInScope, type Situation } from '../situation.ts'
import type { Workload } from '../workload.ts'
import { gatewayFix } from './outside-traffic.ts'
import { servicePortOf } from './service-port.ts'

export function* findRoutes(situation: Situation): Iterable<readonly Finding[]> {
  for (const edge of edgesInScope(situation))
    if (dataPlaneOf(edge, situation.estate) === 'outside') yield judge(edge, situation)
}

/** Returns the namespaces of backends whose ingress controller is unknown, each with one Ingress or route to them. */
export function unknownControllers(situation: Situation): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const edge of edgesInScope(situation))
    if (
      !found.has(edge.namespace) &&
      dataPlaneOf(edge, situation.estate) === 'unknown' &&
      judge(edge, situation).length > 0
    )
      found.set(edge.namespace, describe(referenceTo(edge.object)))
  return found
}

/** A route to one Service port. */
interface Edge {
  readonly object: JsonObject
  /** The backend's namespace. */
  readonly namespace: string
  readonly service: string
  readonly port: number | string | undefined
}

type DataPlane = 'inside' | 'outside' | 'unknown'

function judge({ object, namespace, service: name, port }: Edge, situation: Situation): readonly Finding[] {
  const service = situation.estate.service(namespace, name)
  const entry = service && servicePortOf(service, port)
  if (service === undefined || entry === undefined) return []
  const closed = closedBehind(service, entry, situation)
  if (closed === undefined) return []
  const reference = referenceTo(object)
  return [
    finding(reference.kind === 'Ingress' ? 'ingress-refused' : 'gateway-refused', {
      object: reference,
      port: entry.port,
      about: `${namespace}/${name}`,
      message: `The controller or gateway of ${describe(reference)} is outside the mesh and calls Service ${namespace}/${name}:${entry.port} in plain text, and ${describeReception(closed.port, closed.decision)}.`,
      fix:
        reference.kind === 'Ingress'
          ? `Move the routes to Istio's gateway: istio-onramp convert -n ${reference.namespace}; or add the ingress controller to the mesh.`
          : gatewayFix(closed.port),
      scope: namespace,
    }),
  ]
}

const EDGES = new WeakMap<Inventory, ReadonlyMap<string, readonly Edge[]>>()

function edgesInScope(situation: Situation): readonly Edge[] {
  const { inventory } = situation.estate
  const known =
    EDGES.get(inventory) ??
    groupBy(
      [...inventory.list('ingresses').flatMap(ingressEdges), ...inventory.list('routes').flatMap(routeEdges)],
      ({ namespace }) => namespace,
    )
  EDGES.set(inventory, known)
  return namespacesInScope(situation).flatMap((namespace) => known.get(namespace) ?? [])
}

function ingressEdges(object: JsonObject): readonly Edge[] {
  const { namespace } = referenceTo(object)
  const spec = member(object, 'spec')
  const backends = [
    member(spec, 'defaultBackend'),
    ...arrayMember(spec, 'rules').flatMap((rule) =>
      arrayMember(member(rule, 'http'), 'paths').map((path) => member(path, 'backend')),
    ),
  ]
  return backends.flatMap((backend) => {
    const service = stringMember(member(backend, 'service'), 'name')
    const port = memberAt(backend, 'service', 'port', 'number') ?? memberAt(backend, 'service', 'port', 'name')
    return service === undefined ? [] : [{ object, namespace, service, port: asPort(port) }]
  })
}

function routeEdges(object: JsonObject): readonly Edge[] {
  const own = referenceTo(object).namespace
  return arrayMember(member(object, 'spec'), 'rules')
    .flatMap((rule) => arrayMember(rule, 'backendRefs'))
    .flatMap((backend) => {
      const service = stringMember(backend, 'name')
      if (service === undefined || (stringMember(backend, 'kind') ?? 'Service') !== 'Service') return []
      return [
        {
          object,
          namespace: stringMember(backend, 'namespace') ?? own,
          service,
          port: asPort(member(backend, 'port')),
        },
      ]
    })
}

function asPort(value: Json | undefined): number | string | undefined {
  return isPortNumber(value) || typeof value === 'string' ? value : undefined
}

const PLANES = new WeakMap<Estate, Map<JsonObject, DataPlane>>()

function dataPlaneOf({ object }: Edge, estate: Estate): DataPlane {
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
 * | a cloud's load balancer    | any                   | outside                      |
 * | a well-known controller    | with a sidecar        | inside                       |
 * | a well-known controller    | without               | outside                      |
 * | any other, or none         |                       | unknown                      |
 */
function ingressDataPlane(object: JsonObject, estate: Estate): DataPlane {
  const name =
    stringMember(member(object, 'spec'), 'ingressClassName') ??
    annotationsOf(object).get('kubernetes.io/ingress.class') ??
    ''
  const controller = estate.inventory.ingressController(name) ?? name
  if (name === 'istio' || controller.startsWith('istio.io/')) return 'inside'
  if (CLOUD.test(controller) || /^(?:alb|gce|gce-internal|azure-application-gateway)$/.test(name)) return 'outside'
  return wellKnown(`${controller} ${name}`, estate)
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
  if (controller.startsWith('istio.io/') || (classObject === undefined && className.startsWith('istio')))
    return 'inside'
  if (labelsOf(gateway).get('istio.io/dataplane-mode') === 'ambient') return 'inside'
  const known = wellKnown(`${controller} ${className}`, estate)
  return known === 'unknown' && controller !== '' ? 'outside' : known
}

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
