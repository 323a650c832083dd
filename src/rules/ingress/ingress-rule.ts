/** An Ingress in an Istio namespace is denied with the objects to apply in its place. */
import { convertIngress, type ConversionContext } from '../../conversion/convert-ingress.ts'
import type { Rule, RuleContext, RuleResult, WriteRequest } from '../rule.ts'
import { decideIngress } from './decide-ingress.ts'
import { readIngressFacts } from './ingress-facts.ts'
import { denialMessage, warningLines } from './ingress-message.ts'

export const ingressRule: Rule = { name: 'ingress', handles: (kind) => kind === 'Ingress', decide }

function decide(request: WriteRequest, context: RuleContext): RuleResult {
  const facts = readIngressFacts(request, context)
  const { action, reason } = decideIngress(facts)
  const { warnings } = facts
  const doubts = warnings.length === 0 ? [] : (['setting-refused'] as const)
  const result = { decisions: [{ rule: 'ingress', action, reason } as const], operations: [], warnings, doubts }
  if (action === 'allow') return result
  const conversion = convertIngress(facts.ingress, conversionContext(context))
  if (action === 'deny') return { ...result, denial: denialMessage(request.reference, conversion, reason) }
  return { ...result, warnings: [...warnings, ...warningLines(request.reference, conversion, reason)] }
}

function conversionContext({ mesh, configuration }: RuleContext): ConversionContext {
  return {
    gatewaySelector: configuration.gateway.selector,
    gatewayNamespace: configuration.gateway.namespace,
    portNumber: (namespace, service, name) =>
      mesh.service(namespace, service)?.ports.find((port) => port.name === name)?.port,
    controllerOf: (className) => mesh.ingressController(className),
  }
}
