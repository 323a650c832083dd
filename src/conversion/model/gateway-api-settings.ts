/** What the cluster's Gateway API has. */
export interface GatewayApiSettings {
  /** The minor version of 1.x, such as 6. */
  readonly version: number
  /** Whether Istio's own APIs (networking.istio.io, security.istio.io) exist beside it. */
  readonly hasIstioApis: boolean
  /** Whether its experimental channel is installed. */
  readonly isExperimental: boolean
}

export const DEFAULT_GATEWAY_API: GatewayApiSettings = { version: 6, hasIstioApis: true, isExperimental: false }
