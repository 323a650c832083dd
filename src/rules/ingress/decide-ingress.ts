/**
 * The decision about an Ingress (docs/facts/istio-gateway.md#ingresses-that-must-pass: Ingresses that must never be
 * denied).
 */
import type { Action } from '../rule.ts'
import type { Reason } from '../reasons.ts'
import type { IngressFacts } from './ingress-facts.ts'

export interface IngressDecision {
  readonly action: Extract<Action, 'allow' | 'warn' | 'deny'>
  readonly reason: Reason
}

/**
 * | first match wins                                        | answer                        |
 * |---------------------------------------------------------|-------------------------------|
 * | being deleted, and the traffic stays the same           | allow                         |
 * | namespace exempt, or not in the mesh                    | allow                         |
 * | an ACME solver                                          | allow                         |
 * | setting allow                                           | allow                         |
 * | UPDATE with the same traffic / only ACME paths differ   | warn / allow                  |
 * | Istio's own class                                       | warn                          |
 * | routes to the ingress gateway                           | allow                         |
 * | setting warn, or a trusted user writes it               | warn                          |
 * | otherwise                                               | deny                          |
 */
export function decideIngress(facts: IngressFacts): IngressDecision {
  if (facts.isBeingDeleted && facts.change === 'none') return { action: 'allow', reason: 'ingress-being-deleted' }
  if (facts.isNamespaceExempt) return { action: 'allow', reason: 'exempt-namespace' }
  if (!facts.isNamespaceInMesh) return { action: 'allow', reason: 'not-in-mesh' }
  if (facts.isAcmeSolver) return { action: 'allow', reason: 'ingress-acme-solver' }
  if (facts.setting === 'allow') return { action: 'allow', reason: 'ingress-allowed' }
  if (facts.change === 'none') return { action: 'warn', reason: 'ingress-spec-unchanged' }
  if (facts.change === 'acme-challenges') return { action: 'allow', reason: 'ingress-acme-paths-only' }
  if (facts.isServedByIstio) return { action: 'warn', reason: 'ingress-istio-class' }
  if (facts.leadsToGateway) return { action: 'allow', reason: 'ingress-to-gateway' }
  if (facts.isTrustedUser) return { action: 'warn', reason: 'ingress-trusted-user' }
  if (facts.setting === 'warn') return { action: 'warn', reason: 'ingress-in-mesh' }
  return { action: 'deny', reason: 'ingress-in-mesh' }
}
