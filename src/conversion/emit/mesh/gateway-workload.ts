import type { JsonObject } from '../../../kubernetes/json.ts'

/** How policies select the pods of a gateway. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` of AuthorizationPolicy and, called `workloadSelector`, of EnvoyFilter; or `targetRefs`. */
  readonly policyTarget: JsonObject
  readonly filterTarget: JsonObject
}
