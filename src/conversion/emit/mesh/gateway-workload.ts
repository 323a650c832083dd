import type { JsonObject } from '../../../kubernetes/json.ts'

/** The pods of a gateway, as policies name them. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` of AuthorizationPolicy and, called `workloadSelector`, of EnvoyFilter; or `targetRefs`. */
  readonly policyTarget: JsonObject
  readonly filterTarget: JsonObject
}
