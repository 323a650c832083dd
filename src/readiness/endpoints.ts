/**
 * Services without a selector, whose EndpointSlices say where they lead
 * (https://kubernetes.io/docs/concepts/services-networking/service/#services-without-selectors). The slices of other
 * Services add nothing to their selectors, so they are not read.
 */
import { arrayMember, member, scalarText, stringMember, type JsonObject } from '../kubernetes/json.ts'
import { isPortNumber } from '../kubernetes/handler.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'
import type { ExposedService } from './service.ts'

export interface Endpoints {
  readonly namespace: string
  readonly service: string
  readonly addresses: readonly string[]
  /** By the name of the Service port. */
  readonly ports: ReadonlyMap<string, number>
}

/** A Service, and the addresses of its EndpointSlices if it has no selector. */
export interface ServiceBehind {
  readonly service: ExposedService
  readonly addresses: readonly string[]
}

/** The value of label `endpointslice.kubernetes.io/managed-by` on slices that Kubernetes makes from a selector. */
export const OF_A_SELECTOR = 'endpointslice-controller.k8s.io'
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by'

/** Reads an EndpointSlice; undefined for one that Kubernetes made from a selector, or of no Service. */
export function readEndpoints(object: JsonObject): Endpoints | undefined {
  const labels = labelsOf(object)
  const service = labels.get('kubernetes.io/service-name')
  if (service === undefined || labels.get(MANAGED_BY) === OF_A_SELECTOR) return undefined
  const ports = arrayMember(object, 'ports').flatMap((entry) => {
    const port = member(entry, 'port')
    return isPortNumber(port) ? [[stringMember(entry, 'name') ?? '', port] as const] : []
  })
  return {
    namespace: stringMember(metadataOf(object), 'namespace') ?? 'default',
    service,
    addresses: arrayMember(object, 'endpoints').flatMap((endpoint) =>
      arrayMember(endpoint, 'addresses').flatMap((address) => scalarText(address) ?? []),
    ),
    ports: new Map(ports),
  }
}

/** Gives the ports of Services without a selector the targets of their EndpointSlices. */
export function behindEndpoints(
  services: readonly ExposedService[],
  slices: readonly Endpoints[],
): readonly ServiceBehind[] {
  const byService = groupBy(slices, ({ namespace, service }) => `${namespace}/${service}`)
  return services.map((service) => {
    const own = service.selector.size > 0 ? [] : (byService.get(`${service.namespace}/${service.name}`) ?? [])
    if (own.length === 0) return { service, addresses: [] }
    const targets = new Map(own.flatMap(({ ports }) => [...ports]))
    const ports = service.ports.map((entry) => ({ ...entry, target: targets.get(entry.name) ?? entry.target }))
    return { service: { ...service, ports }, addresses: own.flatMap(({ addresses }) => addresses) }
  })
}
