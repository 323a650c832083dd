/** Hosts outside the cluster that mirrors and authorization services use. */
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { IngressSettings } from '../../model/ingress-settings.ts'
import type { ObjectMetadata } from '../emitted-object.ts'
import type { DestinationRule } from './destination-rule-object.ts'

/** https://istio.io/latest/docs/reference/config/networking/service-entry/ */
export type ServiceEntry = {
  readonly apiVersion: 'networking.istio.io/v1'
  readonly kind: 'ServiceEntry'
  readonly metadata: ObjectMetadata
  readonly spec: {
    readonly hosts: readonly string[]
    readonly location: 'MESH_EXTERNAL'
    readonly resolution: 'DNS'
    readonly ports: readonly { readonly number: number; readonly name: string; readonly protocol: 'HTTP' }[]
  }
}

interface ExternalService {
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly usesTls: boolean
}

/** Returns objects for each host outside the cluster that is a mirror or an authorization service. */
export function externalServices(
  plans: readonly GatewayPlan[],
  gatewayNamespace: string,
): readonly (ServiceEntry | DestinationRule)[] {
  const services = plans.flatMap(({ namespace, ingresses }) =>
    ingresses.flatMap(({ settings }) => externalServicesOf(settings, namespace, gatewayNamespace)),
  )
  return [...new Map(services.map((service) => [service.host, service])).values()].flatMap(externalServiceObjects)
}

function externalServicesOf(
  { mirror, externalAuth }: IngressSettings,
  namespace: string,
  gatewayNamespace: string,
): readonly ExternalService[] {
  return [
    ...(mirror === undefined || mirror.service !== undefined ? [] : [{ ...mirror, namespace }]),
    ...(externalAuth?.isExternal === true ? [{ ...externalAuth, namespace: gatewayNamespace }] : []),
  ]
}

/** With TLS, the gateway originates it from plain HTTP. */
function externalServiceObjects(service: ExternalService): readonly (ServiceEntry | DestinationRule)[] {
  return service.usesTls ? [serviceEntry(service), tlsOrigination(service)] : [serviceEntry(service)]
}

function serviceEntry({ namespace, host, port }: ExternalService): ServiceEntry {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata: { name: host, namespace },
    spec: {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: port, name: `http-${port}`, protocol: 'HTTP' }],
    },
  }
}

function tlsOrigination({ namespace, host, port }: ExternalService): DestinationRule {
  return {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata: { name: host, namespace },
    spec: {
      host,
      trafficPolicy: { portLevelSettings: [{ port: { number: port }, tls: { mode: 'SIMPLE', sni: host } }] },
    },
  }
}
