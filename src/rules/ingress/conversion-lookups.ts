/** Lookups of Services and IngressClasses for a conversion. */
import type { ConversionOptions } from '../../conversion/model/conversion-options.ts'
import type { Mesh } from '../../istio/mesh.ts'

export function conversionLookups(
  mesh: Pick<Mesh, 'service' | 'ingressController'>,
): Pick<ConversionOptions, 'portNumber' | 'servicePorts' | 'controllerOf'> {
  return {
    portNumber: (namespace, service, name) =>
      mesh.service(namespace, service)?.ports.find((port) => port.name === name)?.port,
    servicePorts: (namespace, name) => {
      const service = mesh.service(namespace, name)
      return service?.type === 'ExternalName' ? undefined : service?.ports
    },
    controllerOf: (className) => mesh.ingressController(className),
  }
}
