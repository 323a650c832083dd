/** What the owner of an admitted Ingress is warned of: single lines, as the API server drops one that holds a line break. */
import type { Conversion } from '../../conversion/convert-ingresses.ts'
import { byLevel } from '../../conversion/model/report.ts'
import { describeRoutes } from '../../conversion/model/route-text.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { coded, type Reason } from '../reasons.ts'
import { listed } from './message-text.ts'

/** Of an Ingress that stays what it was, or that Istio serves. */
export function keptWarning(
  reference: ObjectReference,
  reason: 'ingress-spec-unchanged' | 'ingress-istio-class',
): string {
  const text =
    reason === 'ingress-spec-unchanged'
      ? 'still an Ingress in an Istio namespace; a change of what it serves will be denied'
      : 'Istio serves it itself; a Gateway and a VirtualService can do more'
  return coded(`${describe(reference)}: ${text}`, reason)
}

/** Of an Ingress that admission does not convert for its size. */
export function bigWarning(reference: ObjectReference, reason: Reason): string {
  const text = "Istio's gateway does not see it; istio-onramp convert -f FILE prints what to apply instead"
  return coded(`${describe(reference)}: ${text}`, reason)
}

export function routeWarnings(reference: ObjectReference, conversion: Conversion, reason: Reason): readonly string[] {
  const name = describe(reference)
  const routes = listed(conversion.hosts.flatMap(describeRoutes), 2, ', ') || 'its routes'
  const [worst] = conversion.report.filter(({ level }) => level !== 'info').toSorted(byLevel)
  return [
    coded(`${name}: Istio's gateway does not see it; move ${routes} to a VirtualService`, reason),
    ...(worst === undefined
      ? []
      : [coded(`${name}: needs care when it moves: ${worst.about}: ${worst.message}`, reason)]),
  ]
}
