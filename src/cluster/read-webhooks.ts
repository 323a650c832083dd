/** Istio's injection webhooks among the cluster's MutatingWebhookConfigurations (spec/istio.md 3.3). */
import { arrayMember, member, memberAt, stringMember, type Json, type JsonObject } from '../kubernetes/json.ts'
import { parseSelector } from '../kubernetes/label-selector.ts'
import { labelsOf, metadataOf } from '../kubernetes/object.ts'
import type { InjectionWebhook } from '../istio/injection-webhook.ts'
import type { FieldProblem } from './field-problem.ts'

const SUFFIX = 'sidecar-injector.istio.io'

/** Empty for a configuration that is not Istio's. */
export function readInjectionWebhooks(object: JsonObject): readonly InjectionWebhook[] | FieldProblem {
  const configuration = stringMember(metadataOf(object), 'name') ?? ''
  const webhooks: InjectionWebhook[] = []
  for (const [index, entry] of arrayMember(object, 'webhooks').entries()) {
    const name = stringMember(entry, 'name') ?? ''
    if (!name.endsWith(SUFFIX)) continue
    const namespaceSelector = parseSelector(member(entry, 'namespaceSelector'))
    if ('error' in namespaceSelector) return problem(index, 'namespaceSelector', namespaceSelector.error)
    const objectSelector = parseSelector(member(entry, 'objectSelector'))
    if ('error' in objectSelector) return problem(index, 'objectSelector', objectSelector.error)
    webhooks.push({ configuration, name, revision: revisionOf(object, entry), namespaceSelector, objectSelector })
  }
  return webhooks
}

function problem(index: number, field: string, text: string): FieldProblem {
  return { field: `webhooks[${index}].${field}`, problem: text }
}

/** The configuration's label; else the istiod Service it calls, `istiod[-rev]`. */
function revisionOf(object: JsonObject, entry: Json): string {
  const label = labelsOf(object).get('istio.io/rev')
  if (label !== undefined && label !== '') return label
  const service = memberAt(entry, 'clientConfig', 'service', 'name')
  return typeof service === 'string' && service.startsWith('istiod-') ? service.slice('istiod-'.length) : 'default'
}
