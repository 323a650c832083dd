import type { JsonObject } from '../../../kubernetes/json.ts'

/** Selects the pods of a gateway in policies. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` of an AuthorizationPolicy, and `workloadSelector` of an EnvoyFilter; or `targetRefs`. */
  readonly policyTarget: JsonObject
  readonly filterTarget: JsonObject
}
