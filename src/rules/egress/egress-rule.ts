/**
 * Copies the outbound ranges of a namespace to its pods, as annotation `traffic.sidecar.istio.io/includeOutboundIPRanges`.
 * Only pods are patched: their templates stay as the user wrote them.
 */
import { INCLUDE_OUTBOUND_IP_RANGES } from '../../istio/annotations.ts'
import { isObject, memberAt } from '../../kubernetes/json.ts'
import { pointer, setEntries, type Operation } from '../../kubernetes/json-pointer.ts'
import { hasController } from '../../kubernetes/object.ts'
import { hasPodTemplate, readPodTemplate, type PodTemplate } from '../../kubernetes/pod-template.ts'
import { isProblem } from '../../kubernetes/problem.ts'
import { coded, type Reason } from '../reasons.ts'
import { NO_OPINION, type Decision, type Rule, type RuleContext, type RuleResult, type WriteRequest } from '../rule.ts'
import { decideEgress, type EgressDecision } from './decide-egress.ts'
import { EGRESS_IP_RANGES, readEgressFacts, type EgressFacts } from './egress-facts.ts'

export const egressRule: Rule = { name: 'egress', handles: hasPodTemplate, apply: applyRanges }

function applyRanges(request: WriteRequest, context: RuleContext): RuleResult {
  // Nothing can be changed in the annotations that Istio has read, and owned templates are their owner's.
  if (request.operation === 'UPDATE' && request.reference.kind === 'Pod') return NO_OPINION
  if (request.reference.kind !== 'Pod' && hasController(request.object)) return NO_OPINION
  const template = readPodTemplate(request.reference.kind, request.object)
  const facts = isProblem(template) ? undefined : readEgressFacts(request, template, context)
  if (isProblem(template) || facts === undefined) return NO_OPINION
  const decision = decideEgress(facts)
  const isPod = request.reference.kind === 'Pod'
  return {
    ...NO_OPINION,
    decisions: [isPod || decision.action !== 'annotate' ? { rule: 'egress', ...decision } : atPodCreation(decision)],
    operations: isPod && decision.action === 'annotate' ? rangesPatch(template, facts.ranges) : [],
    warnings: warningsFor(decision, facts, request),
    refusedSettings: decision.action === 'warn' ? ['setting-refused'] : [],
  }
}

/** A template is left to its pods. */
function atPodCreation({ reason, evidence }: EgressDecision): Decision {
  const later: Reason = 'at-pod-creation'
  return { rule: 'egress', action: 'leave', reason: later, cause: reason, evidence }
}

function rangesPatch({ raw, pointer: at }: PodTemplate, ranges: string): readonly Operation[] {
  const wanted = { [INCLUDE_OUTBOUND_IP_RANGES]: ranges }
  const metadata = memberAt(raw, 'metadata')
  const present = memberAt(raw, 'metadata', 'annotations')
  if (!isObject(metadata)) return [{ op: 'add', path: pointer(at, 'metadata'), value: { annotations: wanted } }]
  return setEntries(pointer(at, 'metadata', 'annotations'), isObject(present) ? present : undefined, wanted)
}

/** One line each: whoever applies a workload reads it once, not for each pod. */
function warningsFor(
  { action, reason }: EgressDecision,
  { ranges, serviceLeftOut }: EgressFacts,
  { reference: { namespace } }: WriteRequest,
): readonly string[] {
  const shown = ranges.length > LONGEST_SHOWN ? `${ranges.slice(0, LONGEST_SHOWN)}...` : ranges
  const setting = `namespace ${namespace}: ${EGRESS_IP_RANGES} ${JSON.stringify(shown)}`
  if (action === 'warn')
    return [
      coded(
        `${setting} is ignored, because Istio would refuse the pods: write *, nothing, or CIDRs joined by commas without spaces`,
        'egress-refused-by-istio',
      ),
    ]
  if (action !== 'annotate' || reason !== 'egress-without-services') return []
  return [
    coded(
      `${setting} leaves out Service address ${serviceLeftOut ?? ''}: calls to Services bypass the sidecar in plain text; add the Service range`,
      'egress-without-services',
    ),
  ]
}

/** Characters; a warning is cut at 256 with its code. */
const LONGEST_SHOWN = 40
