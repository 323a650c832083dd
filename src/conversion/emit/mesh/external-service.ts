/** Hosts outside the cluster, of mirrors and authorization services. */
import type { JsonObject } from '../../../kubernetes/json.ts'
import type { GatewayPlan } from '../../gateways/gateway-plan.ts'
import type { IngressSettings } from '../../model/ingress-settings.ts'

interface ExternalService {
  readonly namespace: string
  readonly host: string
  readonly port: number
  readonly usesTls: boolean
}

/** Returns objects for each host outside the cluster that is a mirror or an authorization service. */
export function externalServices(plans: readonly GatewayPlan[], gatewayNamespace: string): readonly JsonObject[] {
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
function externalServiceObjects({ namespace, host, port, usesTls }: ExternalService): readonly JsonObject[] {
  const metadata = { name: host, namespace }
  const entry = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'ServiceEntry',
    metadata,
    spec: {
      hosts: [host],
      location: 'MESH_EXTERNAL',
      resolution: 'DNS',
      ports: [{ number: port, name: `http-${port}`, protocol: 'HTTP' }],
    },
  }
  if (!usesTls) return [entry]
  const tls = { port: { number: port }, tls: { mode: 'SIMPLE', sni: host } }
  const rule = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'DestinationRule',
    metadata,
    spec: { host, trafficPolicy: { portLevelSettings: [tls] } },
  }
  return [entry, rule]
}
