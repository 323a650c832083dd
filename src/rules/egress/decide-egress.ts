/** Decides whether a pod gets its namespace's outbound ranges. */
import type { Action } from '../rule.ts'
import type { Reason } from '../reasons.ts'
import type { EgressFacts } from './egress-facts.ts'

export interface EgressDecision {
  readonly action: Extract<Action, 'annotate' | 'warn' | 'leave'>
  readonly reason: Reason
  readonly evidence: string
}

/**
 * | first match wins                                          | action, reason                     |
 * |-----------------------------------------------------------|------------------------------------|
 * | the namespace is exempt, the pod has ranges of its own    | leave                              |
 * | no sidecar, or Istio has injected it already              | leave                              |
 * | Istio would refuse a pod with the value                   | warn, egress-refused-by-istio      |
 * | the ranges leave out an address of a Service              | annotate, egress-without-services  |
 * | otherwise                                                 | annotate, egress-ip-ranges         |
 */
export function decideEgress({ ranges, isValid, exempt, serviceLeftOut }: EgressFacts): EgressDecision {
  if (exempt !== undefined) return { action: 'leave', ...exempt }
  const evidence = JSON.stringify(ranges)
  if (!isValid) return { action: 'warn', reason: 'egress-refused-by-istio', evidence }
  if (serviceLeftOut !== undefined) return { action: 'annotate', reason: 'egress-without-services', evidence }
  return { action: 'annotate', reason: 'egress-ip-ranges', evidence }
}
