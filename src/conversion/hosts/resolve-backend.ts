/** A backend with the number of its port. */
import type { Problem } from '../../kubernetes/problem.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { serviceHost } from '../model/service-host.ts'
import type { RouteBackend } from '../model/virtual-host.ts'

/** A named port is looked up in the Service: `spec.ports[].port`, never the target port (spec/ingress.md 1.5). */
export function resolveBackend(
  { backend, resource, field }: IngressPath,
  namespace: string,
  { portNumber, gateway }: ConversionOptions,
): RouteBackend | Problem {
  const place = field === 'spec.defaultBackend' ? field : `${field}.backend`
  if (resource !== undefined)
    return { field: place, problem: `resource ${resource} has no equal in Istio; the path is left out` }
  if (backend === undefined) return { field: place, problem: 'it names no Service with a port; the path is left out' }
  const { service, port } = backend
  const number = typeof port === 'number' ? port : portNumber(namespace, service, port)
  if (number === undefined)
    return {
      field: `${place}.service.port.name`,
      problem: `port ${String(port)} of Service ${namespace}/${service} is not known here; the path is left out: give the Service, too, or a port number`,
    }
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    return {
      field: `${place}.service.port.number`,
      problem: `is ${number}, allowed is 1 to 65535; the path is left out`,
    }
  const host = serviceHost({ namespace, name: service }, gateway.clusterDomain)
  return { namespace, service, host, port: number, weight: 100 }
}
