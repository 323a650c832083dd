/** Denies an Ingress in an Istio namespace and prints the objects to apply instead. */
import { convertParsed, type Conversion } from '../../conversion/convert-ingresses.ts'
import type { Ingress } from '../../conversion/ingress/ingress.ts'
import type { Reason } from '../reasons.ts'
import { NO_OPINION, type Exemption, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { conversionLookups } from './conversion-lookups.ts'
import { decideIngress } from './decide-ingress.ts'
import { readIngressFacts, type IngressFacts } from './ingress-facts.ts'
import { bigDenialMessage, denialMessage } from './ingress-message.ts'
import { bigWarning, keptWarning, routeWarnings } from './ingress-warnings.ts'

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
    exemptions: exemptionsOf(facts, reason),
  }
  if (action === 'allow') return result
  if (action === 'deny') return { ...result, denial: denialOf(request, facts, reason, context) }
  return { ...result, warnings: [...warnings, ...warningsOf(request, facts, reason, context)] }
}

function denialOf(request: WriteRequest, { ingress }: IngressFacts, reason: Reason, context: RuleContext): string {
  const denial = { reason, exemptions: context.configuration.ingressExemptions }
  if (ingress === undefined) return bigDenialMessage(request.reference, denial)
  return denialMessage(request.reference, convert(ingress, context), denial)
}

function warningsOf(
  { reference }: WriteRequest,
  { ingress }: IngressFacts,
  reason: Reason,
  context: RuleContext,
): readonly string[] {
  if (reason === 'ingress-spec-unchanged' || reason === 'ingress-istio-class') return [keptWarning(reference, reason)]
  if (ingress === undefined) return [bigWarning(reference, reason)]
  return routeWarnings(reference, convert(ingress, context), reason)
}

function convert(ingress: Ingress, { mesh, configuration }: RuleContext): Conversion {
  return convertParsed([ingress], {
    target: 'istio',
    gateway: configuration.gateway,
    gateways: () => mesh.istioGateways() ?? [],
    ...conversionLookups(mesh),
  })
}

/** An exemption counts only if it decided. For an Ingress that is admitted anyway, the annotation has no effect. */
function exemptionsOf({ exemptedBy, setting }: IngressFacts, reason: Reason): readonly Exemption[] {
  const decided = reason === 'ingress-allowed' || (reason === 'ingress-in-mesh' && setting === 'warn')
  return exemptedBy === undefined || !decided ? [] : [{ rule: 'ingress', by: exemptedBy, setting }]
}
