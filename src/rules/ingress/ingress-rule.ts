/** An Ingress in an Istio namespace is denied with the objects to apply in its place. */
import { convertRead } from '../../conversion/convert-ingresses.ts'
import { NO_OPINION, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { conversionLookups } from './conversion-lookups.ts'
import { decideIngress } from './decide-ingress.ts'
import { readIngressFacts } from './ingress-facts.ts'
import { denialMessage } from './ingress-message.ts'
import { ingressWarnings } from './ingress-warnings.ts'

export const ingressRule: Rule = { name: 'ingress', handles: (kind) => kind === 'Ingress', apply: guardIngress }

function guardIngress(request: WriteRequest, context: RuleContext): RuleResult {
  const facts = readIngressFacts(request, context)
  const { action, reason } = decideIngress(facts)
  const { warnings } = facts
  const result: RuleResult = {
    ...NO_OPINION,
    decisions: [{ rule: 'ingress', action, reason }],
    warnings,
    refusedSettings: warnings.length === 0 ? [] : ['setting-refused'],
  }
  if (action === 'allow') return result
  const { gateway } = context.configuration
  const conversion = convertRead([facts.ingress], { target: 'istio', gateway, ...conversionLookups(context.mesh) })
  if (action === 'deny') return { ...result, denial: denialMessage(request.reference, conversion, reason) }
  return { ...result, warnings: [...warnings, ...ingressWarnings(request.reference, conversion, reason)] }
}
