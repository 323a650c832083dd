/**
 * The controller that an Ingress is for (docs/facts/istio-gateway.md#ingress-class,
 * docs/facts/istio-gateway.md#path-types): `ImplementationSpecific` paths depend on it.
 */
import type { Ingress } from './ingress.ts'

export type ControllerClass = 'nginx' | 'istio' | 'alb' | 'gce' | 'traefik' | 'unknown'

/** Controller names of IngressClass objects, by the part that identifies them. */
const CONTROLLERS: readonly (readonly [string, ControllerClass])[] = [
  ['k8s.io/ingress-nginx', 'nginx'],
  ['nginx.org/ingress-controller', 'nginx'],
  ['istio.io/ingress-controller', 'istio'],
  ['ingress.k8s.aws/alb', 'alb'],
  ['k8s.io/ingress-gce', 'gce'],
  ['traefik.io/ingress-controller', 'traefik'],
]

const CLASS_NAMES: readonly (readonly [RegExp, ControllerClass])[] = [
  [/nginx/, 'nginx'],
  [/^istio/, 'istio'],
  [/^alb$/, 'alb'],
  [/^gce/, 'gce'],
  [/traefik/, 'traefik'],
]

/** Annotation prefixes that only one controller reads. */
const ANNOTATIONS: readonly (readonly [string, ControllerClass])[] = [
  ['nginx.ingress.kubernetes.io/', 'nginx'],
  ['alb.ingress.kubernetes.io/', 'alb'],
  ['traefik.ingress.kubernetes.io/', 'traefik'],
  ['kubernetes.io/ingress.global-static-ip-name', 'gce'],
  ['kubernetes.io/ingress.regional-static-ip-name', 'gce'],
  ['networking.gke.io/', 'gce'],
  ['ingress.gcp.kubernetes.io/', 'gce'],
]

/** `controllerOf` gives the controller of an IngressClass where the cluster has that class. */
export function controllerClass(
  ingress: Ingress,
  controllerOf: (className: string) => string | undefined,
): ControllerClass {
  const name = ingress.annotations.get('kubernetes.io/ingress.class') ?? ingress.className
  const controller = name === undefined ? undefined : controllerOf(name)
  const byController = CONTROLLERS.find(([known]) => controller === known)
  if (byController !== undefined) return byController[1]
  const byName = CLASS_NAMES.find(([pattern]) => name !== undefined && pattern.test(name))
  if (byName !== undefined) return byName[1]
  // If the name of the class is not known, annotations that only one controller reads identify it.
  if (controller !== undefined) return 'unknown'
  const keys = [...ingress.annotations.keys()]
  return ANNOTATIONS.find(([prefix]) => keys.some((key) => key.startsWith(prefix)))?.[1] ?? 'unknown'
}
