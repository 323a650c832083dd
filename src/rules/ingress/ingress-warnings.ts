/** What the owner of an admitted Ingress is warned of: single lines, as the API server drops one that holds a line break. */
import type { Conversion } from '../../conversion/convert-ingresses.ts'
import { byLevel } from '../../conversion/model/report.ts'
import { describeRoutes } from '../../conversion/model/route-text.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { coded, type Reason } from '../reasons.ts'
import { listed } from './message-text.ts'

export function ingressWarnings(reference: ObjectReference, conversion: Conversion, reason: Reason): readonly string[] {
  const name = describe(reference)
  switch (reason) {
    case 'ingress-spec-unchanged':
      return [coded(`${name}: still an Ingress in an Istio namespace; a change of its spec will be denied`, reason)]
    case 'ingress-istio-class':
      return [coded(`${name}: Istio serves it itself; a Gateway and a VirtualService can do more`, reason)]
    default: {
      const routes = listed(conversion.sites.flatMap(describeRoutes), 2, ', ') || 'its routes'
      const [worst] = conversion.report.filter(({ level }) => level !== 'info').toSorted(byLevel)
      return [
        coded(`${name}: Istio's gateway does not see it; move ${routes} to a VirtualService`, reason),
        ...(worst === undefined
          ? []
          : [coded(`${name}: needs care when it moves: ${worst.about}: ${worst.message}`, reason)]),
      ]
    }
  }
}
