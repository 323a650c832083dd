/** Lookups of Services and IngressClasses for a conversion. */
import type { ConversionOptions } from '../../conversion/model/conversion-options.ts'
import type { Mesh } from '../../istio/mesh.ts'

export function conversionLookups(
  mesh: Pick<Mesh, 'service' | 'ingressController'>,
): Pick<ConversionOptions, 'portNumber' | 'controllerOf'> {
  return {
    portNumber: (namespace, service, name) =>
      mesh.service(namespace, service)?.ports.find((port) => port.name === name)?.port,
    controllerOf: (className) => mesh.ingressController(className),
  }
}
