/** The verdict on an object that was not read because it is beyond what any valid object has. */
import { coded, type Reason } from '../rules/reasons.ts'
import type { RuleContext } from '../rules/rule.ts'
import { admit, nameOf } from './admit.ts'
import type { AdmissionRequest } from './review.ts'
import { failOpen, type Verdict } from './verdict.ts'

/**
 * | kind                   | verdict                                                                        |
 * |------------------------|--------------------------------------------------------------------------------|
 * | Ingress                | decided as an empty Ingress, by the namespace and the configuration            |
 * | every other kind       | admitted unchanged, with a warning                                             |
 */
export function admitUnread(request: AdmissionRequest, why: Reason, context: RuleContext): Verdict {
  if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return admit(request, context)
  if (request.kind !== 'Ingress') return failOpen(nameOf(request), why)
  const { group, version, namespace, name } = request
  const object = { apiVersion: `${group}/${version}`, kind: 'Ingress', metadata: { name, namespace }, spec: {} }
  const verdict = admit({ ...request, operation: 'CREATE', object, oldObject: null }, context)
  if (verdict.kind !== 'deny') return verdict
  const text = `${nameOf(request)} is denied: namespace ${namespace} is in the Istio mesh, and the object is too large to convert`
  return { ...verdict, message: coded(text, verdict.reason) }
}
