/** What a conversion is told besides the Ingresses. */
export type Target = 'istio' | 'gateway-api'

export interface GatewaySettings {
  /** Labels of the ingress gateway's pods, for the `selector` of a Gateway. */
  readonly selector: Readonly<Record<string, string>>
  /** Where those pods run, and so where the TLS secrets have to be (spec/ingress.md 3.1). */
  readonly namespace: string
  /** `namespace/name` of a Gateway that all Ingresses share; empty where each gets its own. */
  readonly shared: string
  /** `gatewayClassName` of a Gateway API Gateway. */
  readonly className: string
  /** `meshConfig.defaultConfig.gatewayTopology.numTrustedProxies`: proxies in front whose X-Forwarded headers hold. */
  readonly trustedProxies: number
  /** A rule without a host becomes host `*`, which takes every host of the gateway that nobody else has. */
  readonly allowHostless: boolean
  /** The ClusterIssuer that `kubernetes.io/tls-acme` stands for (cert-manager's --default-issuer-name); empty: none. */
  readonly defaultIssuer: string
  readonly clusterDomain: string
}

export const DEFAULT_GATEWAY: GatewaySettings = {
  selector: { istio: 'ingressgateway' },
  namespace: 'istio-system',
  shared: '',
  className: 'istio',
  trustedProxies: 0,
  allowHostless: false,
  defaultIssuer: '',
  clusterDomain: 'cluster.local',
}

export interface ConversionOptions {
  readonly target: Target
  readonly gateway: GatewaySettings
  /** The number of a Service's named port; undefined where the Service or the name is not there. */
  readonly portNumber: (namespace: string, service: string, portName: string) => number | undefined
  /** `spec.controller` of an IngressClass; undefined where there is none of that name. */
  readonly controllerOf: (className: string) => string | undefined
}
