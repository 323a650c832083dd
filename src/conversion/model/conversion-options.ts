/** The inputs of a conversion besides the Ingresses. */
import { z } from 'zod'
import type { JsonObject } from '../../kubernetes/json.ts'
import { DEFAULT_GATEWAY_API, type GatewayApiSettings } from './gateway-api-settings.ts'

export type Target = 'istio' | 'gateway-api'

/** `rules.gateway` of the configuration. */
export const GATEWAY_SETTINGS = z
  .strictObject({
    selector: z
      .record(z.string(), z.string())
      .default({ istio: 'ingressgateway' })
      .describe('Labels of the ingress gateway’s pods, for the selector of a Gateway.'),
    namespace: z
      .string()
      .min(1)
      .default('istio-system')
      .describe('Namespace of those pods, which must contain the TLS secrets.'),
    shared: z
      .string()
      .regex(/^(?:[a-z0-9-]+\/[a-z0-9.-]+)?$/, 'namespace/name, or empty')
      .default('')
      .describe('namespace/name of a Gateway that all Ingresses share. Empty: each Ingress gets its own.'),
    className: z.string().min(1).default('istio').describe('gatewayClassName of a Gateway API Gateway.'),
    trustedProxies: z
      .int()
      .min(0)
      .default(0)
      .describe(
        'Proxies in front of the gateway whose X-Forwarded headers are trusted (gatewayTopology.numTrustedProxies).',
      ),
    allowHostless: z
      .boolean()
      .default(false)
      .describe('Whether a rule without a host becomes host *, which serves every host without a rule of its own.'),
    defaultIssuer: z
      .string()
      .regex(/^[a-z0-9.-]*$/, 'the name of a ClusterIssuer, or empty')
      .default('')
      .describe('ClusterIssuer for kubernetes.io/tls-acme (cert-manager’s --default-issuer-name). Empty: none.'),
    clusterDomain: z.string().min(1).default('cluster.local').describe('DNS domain of the cluster.'),
  })
  .readonly()

export type GatewaySettings = z.infer<typeof GATEWAY_SETTINGS>

export const DEFAULT_GATEWAY: GatewaySettings = GATEWAY_SETTINGS.parse({})

export interface ServicePort {
  /** Empty if it has none. */
  readonly name: string
  readonly port: number
  readonly target?: number | string
}

/** ListenerSets, TLSRoutes and the CORS filter are in the standard channel since then. */
const STANDARD_SINCE = 5

/**
 * Whether the conversion prints Gateways of the Gateway API itself, one for each ingress class, and a namespace's own
 * listeners in ListenerSets (docs/decisions/gateway-api-layout.md).
 */
export function hasListenerSets(options: Pick<ConversionOptions, 'target' | 'gateway' | 'gatewayApi'>): boolean {
  return hasClassGateways(options) && isStandard(options.gatewayApi)
}

/** Whether the conversion prints one Gateway of the Gateway API for each ingress class. */
export function hasClassGateways({ target, gateway }: Pick<ConversionOptions, 'target' | 'gateway'>): boolean {
  return target === 'gateway-api' && gateway.shared === ''
}

/** Whether objects of Istio's own APIs may be printed. */
export function hasIstioApis({ target, gatewayApi }: Pick<ConversionOptions, 'target' | 'gatewayApi'>): boolean {
  return target === 'istio' || (gatewayApi ?? DEFAULT_GATEWAY_API).hasIstioApis
}

/** Whether kinds and filters that joined the standard channel with 1.5 may be printed. */
export function isStandard({ version }: GatewayApiSettings = DEFAULT_GATEWAY_API): boolean {
  return version >= STANDARD_SINCE
}

export interface ConversionOptions {
  readonly target: Target
  /** For target `gateway-api`; undefined for the defaults. */
  readonly gatewayApi?: GatewayApiSettings
  readonly gateway: GatewaySettings
  /** Returns the number of a Service's named port; undefined if the Service or the name does not exist. */
  readonly portNumber: (namespace: string, service: string, portName: string) => number | undefined
  /**
   * Returns the ports of a Service, with `targetPort` as `target`; undefined if the Service does not exist, or if its
   * ports say nothing, as those of an ExternalName.
   */
  readonly servicePorts?: (namespace: string, service: string) => readonly ServicePort[] | undefined
  /** Returns `spec.controller` of an IngressClass; undefined if there is no class of that name. */
  readonly controllerOf: (className: string) => string | undefined
  /** The IngressClass of Ingresses without one; undefined if it is not known. */
  readonly defaultClass?: string | undefined
  /** Returns the Gateways that exist already, as objects; undefined if they are not known. */
  readonly gateways?: () => readonly JsonObject[]
  /** Traefik's Middleware objects, by `namespace-name`; undefined if they are not known. */
  readonly middlewares?: ReadonlyMap<string, JsonObject>
  /** Keys of ingress-nginx' ConfigMap, and its flags; undefined if they are not known. */
  readonly controllerSettings?: ReadonlyMap<string, string>
}
