/** Resolves a backend's port to a number. */
import type { Problem } from '../../kubernetes/problem.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { serviceHost } from '../model/service-host.ts'
import type { RouteBackend } from '../model/virtual-host.ts'

/**
 * Resolves a named port to `spec.ports[].port` of the Service, never its target port
 * (docs/facts/istio-gateway.md#named-ports).
 */
export function resolveBackend(
  { backend, resource, field }: IngressPath,
  namespace: string,
  { portNumber, gateway }: ConversionOptions,
): RouteBackend | Problem {
  const place = field === 'spec.defaultBackend' ? field : `${field}.backend`
  if (resource !== undefined)
    return { field: place, problem: `resource ${resource} has no equivalent in Istio; the path is omitted` }
  if (backend === undefined)
    return { field: place, problem: 'it does not name a Service and a port; the path is omitted' }
  const { service, port } = backend
  const number = typeof port === 'number' ? port : portNumber(namespace, service, port)
  if (number === undefined)
    return {
      field: `${place}.service.port.name`,
      problem: `port ${String(port)} of Service ${namespace}/${service} is unknown; the path is omitted. Include the Service in the input, or use a port number`,
    }
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    return {
      field: `${place}.service.port.number`,
      problem: `is ${number}; allowed are 1 to 65535; the path is omitted`,
    }
  const host = serviceHost({ namespace, name: service }, gateway.clusterDomain)
  return { namespace, service, host, port: number, weight: 100 }
}
