/** The facts about an Ingress, read before the decision. */
import { isAcmeSolver } from '../../conversion/ingress/acme-solver.ts'
import { backendsOf, readIngress, type Ingress } from '../../conversion/ingress/ingress.ts'
import { isAmbientNamespace } from '../../istio/ambient.ts'
import { servesIngress } from '../../istio/ingress-class.ts'
import type { Mesh } from '../../istio/mesh.ts'
import { decideSidecar } from '../../istio/sidecar.ts'
import { member, stringMember } from '../../kubernetes/json.ts'
import { annotationsOf, describe, metadataOf } from '../../kubernetes/object.ts'
import { INGRESS_VALUES, type IngressSetting, type RuleConfiguration } from '../configuration.ts'
import { effectiveSetting, type EffectiveSetting } from '../exemption.ts'
import { coded } from '../reasons.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting, type Annotated } from '../setting.ts'
import { isTooBigToConvert } from './conversion-bounds.ts'
import { hasWideningAnnotation } from './route-annotations.ts'
import { trafficChange, type TrafficChange } from './served-traffic.ts'

export interface IngressFacts {
  /** Undefined if it is too big to convert. */
  readonly ingress: Ingress | undefined
  /** Whether a plain pod of the namespace would get a sidecar, or the namespace is in ambient mode. */
  readonly isNamespaceInMesh: boolean
  readonly isNamespaceExempt: boolean
  readonly setting: IngressSetting
  /** Whose annotation loosens the configured setting. */
  readonly exemptedBy: 'object' | 'namespace' | undefined
  /** A finalizer still holds it: `metadata.deletionTimestamp`, which only the API server sets. */
  readonly isBeingDeleted: boolean
  /** Undefined on CREATE. */
  readonly change: TrafficChange | undefined
  readonly isAcmeSolver: boolean
  readonly isServedByIstio: boolean
  readonly leadsToGateway: boolean
  readonly isTrustedUser: boolean
  readonly warnings: readonly string[]
}

export function readIngressFacts(request: WriteRequest, { mesh, configuration }: RuleContext): IngressFacts {
  const { object, oldObject, reference } = request
  const annotations = annotationsOf(object)
  const ingress = isTooBigToConvert(object) ? undefined : readIngress(object, reference.namespace, reference.name)
  const space = mesh.namespace(reference.namespace)
  const setting = readIngressSetting(
    { owner: describe(reference), annotations },
    { owner: `namespace ${reference.namespace}`, annotations: space.annotations },
    configuration,
  )
  return {
    ingress,
    isNamespaceInMesh: isAmbientNamespace(space.labels) || injectsPlainPods(reference.namespace, mesh),
    isNamespaceExempt: configuration.exemptNamespaces.includes(reference.namespace),
    setting: setting.value,
    exemptedBy: setting.exemptedBy,
    isBeingDeleted: oldObject !== undefined && stringMember(metadataOf(oldObject), 'deletionTimestamp') !== undefined,
    change: oldObject === undefined ? undefined : trafficChange(oldObject, object),
    // A solver has one rule.
    isAcmeSolver: ingress !== undefined && isAcmeSolver(object, ingress) && !hasWideningAnnotation(annotations),
    isServedByIstio: servesIngress(mesh, annotations, stringMember(member(object, 'spec'), 'ingressClassName')),
    leadsToGateway:
      isGatewayNamespace(reference.namespace, configuration) && leadsToGateway(request, mesh, configuration),
    isTrustedUser: configuration.trustedIngressUsers.includes(request.user),
    warnings: setting.warnings,
  }
}

const INGRESS = 'istio-onramp.io/ingress'

/** Strictest first. */
const STRICTNESS: readonly IngressSetting[] = ['deny', 'warn', 'allow']

function readIngressSetting(
  object: Annotated,
  namespace: Annotated,
  { ingress, ingressExemptions }: RuleConfiguration,
): EffectiveSetting<IngressSetting> & { readonly warnings: readonly string[] } {
  const own = readSetting(INGRESS, INGRESS_VALUES, undefined, [object])
  const ofNamespace = readSetting(INGRESS, INGRESS_VALUES, undefined, [namespace])
  const effective = effectiveSetting(ingressExemptions, STRICTNESS, {
    configured: ingress,
    namespace: ofNamespace.value,
    object: own.value,
  })
  const owners = { object: object.owner, namespace: namespace.owner }
  const refused = effective.refused.map((who) =>
    coded(
      `${owners[who]}: annotation ${INGRESS} is ignored, because it may only tighten the rule (rules.ingressExemptions is ${ingressExemptions})`,
      'setting-refused',
    ),
  )
  return { ...effective, warnings: [...own.warnings, ...ofNamespace.warnings, ...refused] }
}

function injectsPlainPods(namespace: string, mesh: Mesh): boolean {
  const none = new Map<string, string>()
  const template = { pointer: '', raw: {}, labels: none, annotations: none, spec: {}, containers: [], malformed: [] }
  return decideSidecar({ namespace, template, workloadName: '' }, mesh).state === 'present'
}

/** In other namespaces, any user may name or label a Service like a gateway. */
function isGatewayNamespace(namespace: string, { gateway, controlPlaneNamespaces }: RuleConfiguration): boolean {
  return namespace === gateway.namespace || controlPlaneNamespaces.includes(namespace)
}

/** An Ingress in front of Istio's own gateway routes into the mesh, not around it. */
function leadsToGateway({ object, reference }: WriteRequest, mesh: Mesh, { gateway }: RuleConfiguration): boolean {
  const { namespace, name } = reference
  const backends = backendsOf(readIngress(object, namespace, name))
  return (
    backends.length > 0 &&
    backends.every((backend) => backend !== undefined && isGateway(mesh, namespace, backend.service, gateway.selector))
  )
}

function isGateway(mesh: Mesh, namespace: string, name: string, selector: Readonly<Record<string, string>>): boolean {
  const service = mesh.service(namespace, name)
  if (service === undefined) return false
  const byLabels = Object.entries(selector).every(([key, value]) => service.selector.get(key) === value)
  return byLabels || service.labels.has('gateway.networking.k8s.io/gateway-name')
}
