/** Selects the pods of a gateway in policies. */
export interface GatewayWorkload {
  readonly namespace: string
  /** `selector` or `targetRefs` of an AuthorizationPolicy. */
  readonly policyTarget: PolicyTarget
}

export type PolicyTarget = TargetRefs | { readonly selector: { readonly matchLabels: Labels } }

type Labels = Readonly<Record<string, string>>

type TargetRefs = {
  readonly targetRefs: readonly { readonly group: string; readonly kind: 'Gateway'; readonly name: string }[]
}
