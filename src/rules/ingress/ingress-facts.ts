/** What is known of an Ingress before it is judged. Has no opinion. */
import { isAcmeSolver, isChallengePath } from '../../conversion/ingress/acme-solver.ts'
import { backendsOf, readIngress, type Ingress } from '../../conversion/ingress/ingress.ts'
import { isAmbientNamespace } from '../../istio/ambient.ts'
import type { Mesh } from '../../istio/mesh.ts'
import { decideSidecar } from '../../istio/sidecar.ts'
import {
  arrayMember,
  equalJson,
  isObject,
  member,
  stringMember,
  type Json,
  type JsonObject,
} from '../../kubernetes/json.ts'
import { annotationsOf, describe, metadataOf } from '../../kubernetes/object.ts'
import { INGRESS_VALUES, type IngressSetting } from '../configuration.ts'
import type { RuleContext, WriteRequest } from '../rule.ts'
import { readSetting } from '../setting.ts'

export interface IngressFacts {
  readonly ingress: Ingress
  /** A plain pod of the namespace would get a sidecar, or the namespace is in ambient mode. */
  readonly isNamespaceInMesh: boolean
  readonly isNamespaceExempt: boolean
  readonly setting: IngressSetting
  readonly isBeingDeleted: boolean
  readonly isSpecUnchanged: boolean
  readonly changesOnlyAcmePaths: boolean
  readonly isAcmeSolver: boolean
  readonly isServedByIstio: boolean
  readonly leadsToGateway: boolean
  readonly isTrustedUser: boolean
  readonly warnings: readonly string[]
}

export function readIngressFacts(request: WriteRequest, { mesh, configuration }: RuleContext): IngressFacts {
  const { object, oldObject, reference } = request
  const ingress = readIngress(object, reference.namespace, reference.name)
  const space = mesh.namespace(reference.namespace)
  const setting = readSetting('istio-onramp.io/ingress', INGRESS_VALUES, configuration.ingress, [
    { owner: describe(reference), annotations: annotationsOf(object) },
    { owner: `namespace ${reference.namespace}`, annotations: space.annotations },
  ])
  return {
    ingress,
    isNamespaceInMesh: isAmbientNamespace(space.labels) || injectsPlainPods(reference.namespace, mesh),
    isNamespaceExempt: configuration.exemptNamespaces.includes(reference.namespace),
    setting: setting.value,
    isBeingDeleted: member(metadataOf(object), 'deletionTimestamp') !== undefined,
    isSpecUnchanged: oldObject !== undefined && equalJson(member(object, 'spec'), member(oldObject, 'spec')),
    changesOnlyAcmePaths: oldObject !== undefined && equalJson(withoutAcmePaths(object), withoutAcmePaths(oldObject)),
    isAcmeSolver: isAcmeSolver(object, ingress),
    isServedByIstio: isServedByIstio(ingress, mesh),
    leadsToGateway: leadsToGateway(ingress, mesh, configuration.gateway.selector),
    isTrustedUser: configuration.trustedIngressUsers.includes(request.user),
    warnings: setting.warnings,
  }
}

function injectsPlainPods(namespace: string, mesh: Mesh): boolean {
  const none = new Map<string, string>()
  const template = { pointer: '', raw: {}, labels: none, annotations: none, spec: {}, containers: [], malformed: [] }
  return decideSidecar({ namespace, template, workloadName: '' }, mesh).state === 'present'
}

/** cert-manager's edit-in-place adds and removes such paths on the user's own Ingress (spec/ingress.md 3.4). */
function withoutAcmePaths(object: JsonObject): Json {
  const spec = member(object, 'spec')
  if (!isObject(spec)) return null
  const rules = arrayMember(spec, 'rules').map((rule) => ({
    host: member(rule, 'host') ?? null,
    paths: arrayMember(member(rule, 'http'), 'paths').filter(
      (path) => !isChallengePath(stringMember(path, 'path') ?? ''),
    ),
  }))
  return { ...(spec as Record<string, Json>), rules: rules.filter(({ paths }) => paths.length > 0) }
}

/**
 * | annotation kubernetes.io/ingress.class | ingressClassName           | mode    | Istio serves it                     |
 * |----------------------------------------|----------------------------|---------|-------------------------------------|
 * | any                                    | any                        | OFF     | no                                  |
 * | present                                | any                        | other   | iff it equals meshConfig.ingressClass |
 * | absent                                 | of an existing class       | other   | iff its controller is Istio's       |
 * | absent                                 | absent, or no such class   | DEFAULT | yes                                 |
 * | absent                                 | absent, or no such class   | STRICT  | no                                  |
 */
function isServedByIstio(ingress: Ingress, mesh: Mesh): boolean {
  const { ingressClass, ingressControllerMode } = mesh.controlPlane('default')
  if (ingressControllerMode === 'OFF') return false
  const annotation = ingress.annotations.get('kubernetes.io/ingress.class')
  if (annotation !== undefined) return annotation === ingressClass
  const controller = ingress.className === undefined ? undefined : mesh.ingressController(ingress.className)
  if (controller !== undefined) return controller === 'istio.io/ingress-controller'
  return ingressControllerMode === 'DEFAULT'
}

/** An Ingress in front of Istio's own gateway is the load balancer of the mesh, not a way around it. */
function leadsToGateway(ingress: Ingress, mesh: Mesh, selector: Readonly<Record<string, string>>): boolean {
  const backends = backendsOf(ingress)
  return (
    backends.length > 0 &&
    backends.every((backend) => backend !== undefined && isGateway(mesh, ingress.namespace, backend.service, selector))
  )
}

function isGateway(mesh: Mesh, namespace: string, name: string, selector: Readonly<Record<string, string>>): boolean {
  const service = mesh.service(namespace, name)
  if (service === undefined) return false
  const byLabels = Object.entries(selector).every(([key, value]) => service.selector.get(key) === value)
  return byLabels || service.labels.has('gateway.networking.k8s.io/gateway-name')
}
