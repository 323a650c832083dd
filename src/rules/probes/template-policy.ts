/** How much of an object's template may be changed (docs/facts/admission-requests.md#rewritten-templates). */
import { equalJson } from '../../kubernetes/json.ts'
import { annotationsOf, describe, hasController, labelsOf } from '../../kubernetes/object.ts'
import { rawTemplate } from '../../kubernetes/pod-template.ts'
import { TEMPLATES_VALUES } from '../configuration.ts'
import type { Reason } from '../reasons.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting } from '../setting.ts'

const TEMPLATES = 'istio-onramp.io/templates'
const MIRROR = 'kubernetes.io/config.mirror'

/**
 * `all`: any strategy. `clean`: only the `port` strategy, which merges cleanly with a later apply. `merges`: only the
 * removal of an earlier rewrite that a merge put beside a user's handler. `nothing`: no change.
 */
export interface TemplatePolicy {
  readonly extent: 'all' | 'clean' | 'merges' | 'nothing'
  /** Why a probe or hook is left although it would otherwise be rewritten. */
  readonly reason: Reason
  /** Whether a warning says that the pods will differ from the object. */
  readonly announces: boolean
  /** False for a Pod: no pods are created from it. */
  readonly hasPods: boolean
  readonly warnings: readonly string[]
}

/**
 * | object                                        | extent  |
 * |-----------------------------------------------|---------|
 * | Pod on CREATE                                 | all     |
 * | mirror Pod, running Pod                       | nothing |
 * | a controller owns it                          | nothing |
 * | UPDATE that does not change the template      | nothing |
 * | templates: leave                              | merges  |
 * | templates: rewrite                            | all     |
 * | templates: auto, Argo CD tracks it            | merges  |
 * | templates: auto                               | clean   |
 */
export function templatePolicy(request: WriteRequest, context: RuleContext): TemplatePolicy {
  const { object, reference } = request
  if (reference.kind === 'Pod') return podPolicy(request)
  if (hasController(object)) return quiet('nothing', 'controller-owned')
  if (keepsTemplate(request)) return quiet('nothing', 'template-unchanged')
  const { value, warnings } = readSetting(TEMPLATES, TEMPLATES_VALUES, context.configuration.templates, [
    { owner: describe(reference), annotations: annotationsOf(object) },
    { owner: `namespace ${reference.namespace}`, annotations: context.mesh.namespace(reference.namespace).annotations },
  ])
  if (value === 'leave') return { extent: 'merges', reason: 'template-left', announces: true, hasPods: true, warnings }
  if (value === 'rewrite') return { extent: 'all', reason: 'at-pod-creation', announces: true, hasPods: true, warnings }
  if (isTrackedByArgo(request)) return { extent: 'merges', reason: 'argo-cd', announces: true, hasPods: true, warnings }
  return { extent: 'clean', reason: 'at-pod-creation', announces: true, hasPods: true, warnings }
}

function quiet(extent: TemplatePolicy['extent'], reason: Reason, hasPods = true): TemplatePolicy {
  return { extent, reason, announces: false, hasPods, warnings: [] }
}

/** The API server refuses changes to mirror pods and to the probes of a running Pod. */
function podPolicy({ operation, object }: WriteRequest): TemplatePolicy {
  if (annotationsOf(object).has(MIRROR)) return quiet('nothing', 'mirror-pod', false)
  return quiet(operation === 'CREATE' ? 'all' : 'nothing', 'running-pod', false)
}

/** Whether the request is an UPDATE that does not change the template. */
export function keepsTemplate({ operation, reference, object, oldObject }: WriteRequest): boolean {
  if (operation !== 'UPDATE' || oldObject === undefined) return false
  return equalJson(rawTemplate(reference.kind, object), rawTemplate(reference.kind, oldObject))
}

function isTrackedByArgo({ object }: WriteRequest): boolean {
  const annotations = annotationsOf(object)
  return (
    annotations.has('argocd.argoproj.io/tracking-id') ||
    annotations.has('argocd.argoproj.io/instance') ||
    labelsOf(object).has('argocd.argoproj.io/instance')
  )
}
