/** The inputs of a conversion besides the Ingresses. */
import { z } from 'zod'
import type { JsonObject } from '../../kubernetes/json.ts'

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

export interface ConversionOptions {
  readonly target: Target
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
  /** Keys of ingress-nginx' ConfigMap, and its flags; undefined if they are not known. */
  readonly controllerSettings?: ReadonlyMap<string, string>
}
