/**
 * The warnings about an admitted Ingress. Each is a single line, because the API server drops a warning with a line
 * break.
 */
import type { Conversion } from '../../conversion/convert-ingresses.ts'
import { byLevel } from '../../conversion/model/report.ts'
import { describeRoutes } from '../../conversion/model/route-text.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { coded, REASONS, type Reason } from '../reasons.ts'
import { listed } from './message-text.ts'

/** The warning about an Ingress that does not change, or that Istio serves. */
export function keptWarning(
  reference: ObjectReference,
  reason: 'ingress-spec-unchanged' | 'ingress-istio-class',
): string {
  const text =
    reason === 'ingress-spec-unchanged'
      ? `${REASONS['ingress-in-mesh']}; a change to its routes will be denied`
      : `${REASONS[reason]}; a Gateway and a VirtualService can do more`
  return coded(`${describe(reference)}: ${text}`, reason)
}

/** The warning about an Ingress that is too big to convert at admission. */
export function bigWarning(reference: ObjectReference, reason: Reason): string {
  const text = `${REASONS['ingress-in-mesh']}; istio-onramp convert -f FILE prints the objects to apply instead`
  return coded(`${describe(reference)}: ${text}`, reason)
}

export function routeWarnings(reference: ObjectReference, conversion: Conversion, reason: Reason): readonly string[] {
  const name = describe(reference)
  const routes = listed(conversion.hosts.flatMap(describeRoutes), 2, ', ') || 'its routes'
  const [worst] = conversion.report.filter(({ level }) => level !== 'info').toSorted(byLevel)
  return [
    coded(`${name}: ${REASONS['ingress-in-mesh']}; move ${routes} to a VirtualService`, reason),
    ...(worst === undefined
      ? []
      : [coded(`${name}: check before moving it: ${worst.about}: ${worst.message}`, reason)]),
  ]
}
