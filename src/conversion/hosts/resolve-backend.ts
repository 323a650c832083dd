/** Resolves a backend's port to the number of one of its Service's ports. */
import type { Problem } from '../../kubernetes/problem.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions, ServicePort } from '../model/conversion-options.ts'
import type { Backend, IngressPath } from '../ingress/ingress.ts'
import { serviceHost } from '../model/service-host.ts'
import type { RouteBackend } from '../model/virtual-host.ts'

export function resolveBackend(
  { backend, resource, field }: IngressPath,
  { ingress: { namespace }, controller }: ReadIngress,
  options: ConversionOptions,
): RouteBackend | Problem {
  const place = field === 'spec.defaultBackend' ? field : `${field}.backend`
  if (resource !== undefined)
    return { field: place, problem: `resource ${resource} has no equivalent in Istio; the path is omitted` }
  if (backend === undefined)
    return { field: place, problem: 'it does not name a Service and a port; the path is omitted' }
  const { service } = backend
  const ports = options.servicePorts?.(namespace, service)
  const number =
    ports === undefined
      ? givenNumber(backend, namespace, options)
      : portAmong(ports, backend, traitsOf(controller).takesTargetPorts)
  if (number === undefined) return unknownPort(place, backend, `${namespace}/${service}`, ports)
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    return {
      field: `${place}.service.port.number`,
      problem: `is ${number}; allowed are 1 to 65535; the path is omitted`,
    }
  const host = serviceHost({ namespace, name: service }, options.gateway.clusterDomain)
  return { namespace, service, host, port: number, weight: 100 }
}

/** Without the Service, a number is taken as it is. */
function givenNumber(
  { service, port }: Backend,
  namespace: string,
  { portNumber }: ConversionOptions,
): number | undefined {
  return typeof port === 'number' ? port : portNumber(namespace, service, port)
}

/**
 * Returns `spec.ports[].port` (docs/facts/istio-gateway.md#named-ports). ingress-nginx also takes a target port, because
 * it sends requests to pods (`serviceEndpoints` in its controller.go).
 */
function portAmong(
  ports: readonly ServicePort[],
  { port: wanted }: Backend,
  takesTargetPorts: boolean,
): number | undefined {
  const named = ports.find(({ name, port }) => (typeof wanted === 'number' ? port : name) === wanted)
  const targeted = ports.find(({ target }) => takesTargetPorts && String(target) === String(wanted))
  return (named ?? targeted)?.port
}

function unknownPort(
  place: string,
  { port }: Backend,
  service: string,
  ports: readonly ServicePort[] | undefined,
): Problem {
  const field = `${place}.service.port.${typeof port === 'number' ? 'number' : 'name'}`
  if (ports === undefined)
    return {
      field,
      problem: `port ${port} of Service ${service} is unknown; the path is omitted. Include the Service in the input, or use a port number`,
    }
  const known = ports.map((one) => (one.name === '' ? String(one.port) : `${one.port} (${one.name})`))
  return {
    field,
    problem: `Service ${service} does not have port ${port}; it has ${known.join(', ') || 'none'}; the path is omitted`,
  }
}
