/** Ingresses and Gateway API routes whose data plane is outside the mesh. */
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../../kubernetes/json.ts'
import { describe, referenceTo } from '../../kubernetes/object.ts'
import { isPortNumber } from '../../kubernetes/handler.ts'
import { finding, type Finding } from '../finding.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import type { Inventory } from '../inventory.ts'
import { closedBehind, describeReception, namespacesInScope, type Situation } from '../situation.ts'
import { dataPlaneOf } from './data-plane.ts'
import { gatewayFix } from './outside-traffic.ts'
import { servicePortOf } from './service-port.ts'

export function* findRoutes(situation: Situation): Iterable<readonly Finding[]> {
  for (const edge of edgesInScope(situation))
    if (dataPlaneOf(edge.object, situation.estate) === 'outside') yield judge(edge, situation)
}

/** Returns the namespaces of backends whose ingress controller is unknown, each with one Ingress or route to them. */
export function unknownControllers(situation: Situation): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const edge of edgesInScope(situation))
    if (
      !found.has(edge.namespace) &&
      dataPlaneOf(edge.object, situation.estate) === 'unknown' &&
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
