/** Which Ingresses Istio serves itself (`pilot/pkg/config/kube/ingress/virtualservices.go`). */
import type { Mesh } from './mesh.ts'

/**
 * | annotation kubernetes.io/ingress.class | ingressClassName            | mode    | only Istio serves it |
 * |----------------------------------------|-----------------------------|---------|----------------------|
 * | any                                    | any                         | OFF     | no                   |
 * | equals meshConfig.ingressClass         | absent, or Istio's          | other   | yes                  |
 * | equals meshConfig.ingressClass         | another's, or no such class | other   | no                   |
 * | another value                          | any                         | other   | no                   |
 * | absent                                 | an existing class           | other   | if it is Istio's     |
 * | absent                                 | absent, or no such class    | DEFAULT | yes                  |
 * | absent                                 | absent, or no such class    | STRICT  | no                   |
 *
 * Istio reads the annotation first (https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/, ingressClass),
 * ingress-nginx the field (https://kubernetes.github.io/ingress-nginx/user-guide/multiple-ingress/). If both are set, both
 * controllers may serve the Ingress.
 */
export function servesIngress(
  mesh: Mesh,
  annotations: ReadonlyMap<string, string>,
  className: string | undefined,
): boolean {
  const { ingressClass, ingressControllerMode } = mesh.controlPlane('default')
  if (ingressControllerMode === 'OFF') return false
  const controller = className === undefined ? undefined : mesh.ingressController(className)
  const isIstios = controller === 'istio.io/ingress-controller'
  const annotation = annotations.get('kubernetes.io/ingress.class')
  if (annotation !== undefined) return annotation === ingressClass && (className === undefined || isIstios)
  return controller === undefined ? ingressControllerMode === 'DEFAULT' : isIstios
}
