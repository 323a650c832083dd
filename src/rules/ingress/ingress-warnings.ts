/** What the owner of an admitted Ingress is warned of: single lines, as the API server drops one that holds a line break. */
import type { Conversion } from '../../conversion/convert-ingresses.ts'
import { byLevel } from '../../conversion/report.ts'
import { describeRoutes } from '../../conversion/route-text.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import type { Reason } from '../reasons.ts'
import { listed } from './message-text.ts'

export function ingressWarnings(reference: ObjectReference, conversion: Conversion, reason: Reason): readonly string[] {
  const name = describe(reference)
  const code = `[istio-onramp/${reason}]`
  switch (reason) {
    case 'ingress-spec-unchanged':
      return [`${name}: still an Ingress in an Istio namespace; a change of its spec will be denied ${code}`]
    case 'ingress-istio-class':
      return [`${name}: Istio serves it itself; a Gateway and a VirtualService can do more ${code}`]
    default: {
      const routes = listed(conversion.sites.flatMap(describeRoutes), 2, ', ') || 'its routes'
      const [worst] = conversion.report.filter(({ level }) => level !== 'info').toSorted(byLevel)
      return [
        `${name}: Istio's gateway does not see it; move ${routes} to a VirtualService ${code}`,
        ...(worst === undefined ? [] : [`${name}: needs care when it moves: ${worst.about}: ${worst.message} ${code}`]),
      ]
    }
  }
}
