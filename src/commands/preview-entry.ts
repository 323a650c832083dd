/** Admission's answer to one manifest, from the same code that answers the API server. */
import { admit } from '../admission/admit.ts'
import type { AdmissionRequest } from '../admission/review.ts'
import { allow, type Verdict } from '../admission/verdict.ts'
import { groupOf, isClusterScoped } from '../kubernetes/cluster-scoped.ts'
import { memberAt, type JsonObject } from '../kubernetes/json.ts'
import { referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { rawTemplate } from '../kubernetes/pod-template.ts'
import { RULES } from '../rules/rules.ts'
import type { Decision, RuleContext } from '../rules/rule.ts'
import { foreignTemplate, isReviewed, makesPods, sharesKindName } from './preview-kinds.ts'

export interface PreviewEntry {
  readonly reference: ObjectReference
  /** The object as given, and after admission. */
  readonly before: JsonObject
  readonly after: JsonObject
  readonly verdict: Verdict
  /** A pod of a workload whose pods are rewritten, before and after its own admission. */
  readonly pod: PodChange | undefined
  /**
   * How the webhook sees the object: it reviews it, or only its pods (from a template that is read here, or not), or
   * not at all, although it reviews a kind of the same name in another API.
   */
  readonly role: 'reviewed' | 'pods-shown' | 'pods-unread' | 'namesake' | 'none'
}

export interface PodChange {
  readonly before: JsonObject
  readonly after: JsonObject
}

/**
 * An object without a namespace is in `namespace`, unless its kind is cluster-scoped. `needsPods` is false if the pods
 * of workloads are not needed, because each costs another decision.
 */
export function previewObject(
  object: JsonObject,
  namespace: string,
  context: RuleContext,
  needsPods = true,
): PreviewEntry {
  const reference = scopedReference(object, namespace)
  if (isReviewed(reference)) {
    const verdict = verdictOn(object, reference, context)
    const after = afterVerdict(object, verdict)
    const isLeftToPods = needsPods && verdict.decisions.some(({ cause }) => cause !== undefined)
    const pod = isLeftToPods ? podOf(rawTemplate(reference.kind, after), reference, context)?.pod : undefined
    return { reference, before: object, after, verdict, pod, role: 'reviewed' }
  }
  const made = podOf(foreignTemplate(reference, object), reference, context)
  const common = { reference, before: object, after: object }
  if (made !== undefined) return { ...common, verdict: leftToPods(made.verdict), pod: made.pod, role: 'pods-shown' }
  const isNamesake = sharesKindName(reference)
  const role = makesPods(reference, object) ? 'pods-unread' : isNamesake ? 'namesake' : 'none'
  return { ...common, verdict: allow('no-rule'), pod: undefined, role }
}

function scopedReference(object: JsonObject, namespace: string): ObjectReference {
  const reference = referenceTo(object, namespace)
  const isScoped = isClusterScoped(groupOf(reference.apiVersion), reference.kind)
  return isScoped ? { ...reference, namespace: '' } : reference
}

/** Objects that no rule handles are never sent to the webhook. */
function verdictOn(object: JsonObject, reference: ObjectReference, context: RuleContext): Verdict {
  if (!RULES.some((rule) => rule.handles(reference.kind))) return allow('no-rule')
  return admit(createRequest(object, reference), context)
}

/** Attributes a pod's decisions to the workload that creates it. */
function leftToPods({ decisions }: Verdict): Verdict {
  const postponed = decisions.map((decision): Decision => {
    if (decision.action !== 'rewrite' && decision.action !== 'annotate') return decision
    return { ...decision, action: 'leave', reason: 'at-pod-creation', cause: decision.reason }
  })
  return allow(postponed.some(({ cause }) => cause !== undefined) ? 'at-pod-creation' : 'no-rule', {
    decisions: postponed,
  })
}

/** Returns the request of a `kubectl apply` of a new object. */
function createRequest(object: JsonObject, reference: ObjectReference): AdmissionRequest {
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

function podOf(
  template: JsonObject | undefined,
  reference: ObjectReference,
  context: RuleContext,
): { readonly pod: NonNullable<PreviewEntry['pod']>; readonly verdict: Verdict } | undefined {
  if (template === undefined || reference.kind === 'Pod') return undefined
  const before = podFrom(template, reference)
  const verdict = admit(createRequest(before, referenceTo(before)), context)
  return { pod: { before, after: afterVerdict(before, verdict) }, verdict }
}

/** Returns a pod as the workload's controller creates it. */
export function podFromTemplate(object: JsonObject, reference: ObjectReference): JsonObject | undefined {
  const template = rawTemplate(reference.kind, object)
  return template === undefined ? undefined : podFrom(template, reference)
}

function podFrom(template: JsonObject, { apiVersion, kind, namespace, name }: ObjectReference): JsonObject {
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
