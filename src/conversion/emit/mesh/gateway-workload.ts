/** Selects the pods of a gateway in policies. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` of an AuthorizationPolicy, and `workloadSelector` of an EnvoyFilter; or `targetRefs`. */
  readonly policyTarget: PolicyTarget
  readonly filterTarget: FilterTarget
}

export type PolicyTarget = TargetRefs | { readonly selector: { readonly matchLabels: Labels } }

export type FilterTarget = TargetRefs | { readonly workloadSelector: { readonly labels: Labels } }

type Labels = Readonly<Record<string, string>>

type TargetRefs = {
  readonly targetRefs: readonly { readonly group: string; readonly kind: 'Gateway'; readonly name: string }[]
}
