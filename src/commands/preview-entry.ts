/** What admission would say of one manifest, asked of the same code that answers the API server. */
import { admit } from '../admission/admit.ts'
import type { AdmissionRequest } from '../admission/review.ts'
import { allow, type Verdict } from '../admission/verdict.ts'
import { memberAt, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { hasPodTemplate, rawTemplate } from '../kubernetes/pod-template.ts'
import { RULES } from '../rules/rules.ts'
import type { RuleContext } from '../rules/rule.ts'

export interface PreviewEntry {
  readonly reference: ObjectReference
  /** The object as it was given, and as admission would leave it. */
  readonly before: JsonObject
  readonly after: JsonObject
  readonly verdict: Verdict
  /** For a workload: a pod made from the template that admission would store, before and after its own admission. */
  readonly pod: { readonly before: JsonObject; readonly after: JsonObject } | undefined
}

/** An object without a namespace is in `namespace`. */
export function previewObject(object: JsonObject, namespace: string, context: RuleContext): PreviewEntry {
  const reference = referenceTo(object, namespace)
  const verdict = verdictOn(object, reference, context)
  const after = afterVerdict(object, verdict)
  return { reference, before: object, after, verdict, pod: podOf(after, reference, context) }
}

/** Objects that no rule handles are never sent to the webhook. */
function verdictOn(object: JsonObject, reference: ObjectReference, context: RuleContext): Verdict {
  if (!RULES.some((rule) => rule.handles(reference.kind))) return allow('no-rule')
  return admit(createRequest(object, reference), context)
}

/** The request of a `kubectl apply` of a new object. */
export function createRequest(object: JsonObject, reference: ObjectReference): AdmissionRequest {
  const [group = '', version = ''] = reference.apiVersion.includes('/')
    ? reference.apiVersion.split('/')
    : ['', reference.apiVersion]
  return {
    uid: 'preview',
    apiVersion: 'admission.k8s.io/v1',
    operation: 'CREATE',
    kind: reference.kind,
    group,
    version,
    namespace: reference.namespace,
    name: reference.name,
    dryRun: true,
    user: '',
    object,
    oldObject: null,
  }
}

function afterVerdict(object: JsonObject, verdict: Verdict): JsonObject {
  return verdict.kind === 'patch' ? verdict.after : object
}

function podOf(object: JsonObject, reference: ObjectReference, context: RuleContext): PreviewEntry['pod'] {
  if (!hasPodTemplate(reference.kind) || reference.kind === 'Pod') return undefined
  const before = podFromTemplate(object, reference)
  if (before === undefined) return undefined
  const verdict = admit(createRequest(before, referenceTo(before)), context)
  return { before, after: afterVerdict(before, verdict) }
}

/** A pod as the workload's controller makes it. */
export function podFromTemplate(
  object: JsonObject,
  { apiVersion, kind, namespace, name }: ObjectReference,
): JsonObject | undefined {
  const template = rawTemplate(kind, object)
  if (template === undefined) return undefined
  const owner = { apiVersion, kind, name, uid: '00000000-0000-0000-0000-000000000000', controller: true }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(memberAt(template, 'metadata') as JsonObject | undefined),
      generateName: `${name}-`,
      namespace,
      ownerReferences: [owner],
    },
    spec: memberAt(template, 'spec') ?? {},
  }
}
