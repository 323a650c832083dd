/** How the formats that are lists of one-line entries name a finding. */
import { describe } from '../../kubernetes/object.ts'
import { FINDINGS } from '../../readiness/finding-codes.ts'
import type { Finding } from '../../readiness/finding.ts'

/** `Deployment shop/web, container app, livenessProbe, port 8080` */
export function describeFinding({ object, container, slot, port }: Finding): string {
  return [
    describe(object),
    ...(container === undefined ? [] : [`container ${container}`]),
    ...(slot === undefined ? [] : [slot]),
    ...(port === undefined ? [] : [`port ${port}`]),
  ].join(', ')
}

/** The title of the finding's code, which is the same for every object. */
export function titleOf({ code }: Finding): string {
  return FINDINGS[code].title
}
