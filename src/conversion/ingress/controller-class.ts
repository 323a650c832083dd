/**
 * The controller of an Ingress (docs/facts/istio-gateway.md#ingress-class, docs/facts/istio-gateway.md#path-types).
 * `ImplementationSpecific` paths depend on it.
 */
import { classNameOf } from './class-name.ts'
import type { Ingress } from './ingress.ts'

/** `nginx` is ingress-nginx. `f5` is F5's NGINX Ingress Controller, whose classes are also called nginx. */
export type ControllerClass = 'nginx' | 'f5' | 'istio' | 'alb' | 'gce' | 'traefik' | 'kong' | 'unknown'

/** Controller names in IngressClass objects. */
const CONTROLLERS: readonly (readonly [string, ControllerClass])[] = [
  ['k8s.io/ingress-nginx', 'nginx'],
  ['nginx.org/ingress-controller', 'f5'],
  ['ingress-controllers.konghq.com/kong', 'kong'],
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
  [/kong/, 'kong'],
]

/** Annotation prefixes that only one controller reads. */
const ANNOTATIONS: readonly (readonly [string, ControllerClass])[] = [
  ['nginx.ingress.kubernetes.io/', 'nginx'],
  ['alb.ingress.kubernetes.io/', 'alb'],
  ['traefik.ingress.kubernetes.io/', 'traefik'],
  ['konghq.com/', 'kong'],
  ['nginx.org/', 'f5'],
  ['kubernetes.io/ingress.global-static-ip-name', 'gce'],
  ['kubernetes.io/ingress.regional-static-ip-name', 'gce'],
  ['networking.gke.io/', 'gce'],
  ['ingress.gcp.kubernetes.io/', 'gce'],
]

/** `controllerOf` returns the controller of an IngressClass if the cluster has that class. */
export function controllerClass(
  ingress: Ingress,
  controllerOf: (className: string) => string | undefined,
): ControllerClass {
  const name = classNameOf(ingress)
  const controller = name === undefined ? undefined : controllerOf(name)
  const byController = CONTROLLERS.find(([known]) => controller === known)
  if (byController !== undefined) return byController[1]
  const byName = CLASS_NAMES.find(([pattern]) => name !== undefined && pattern.test(name))
  if (byName !== undefined) return byName[1] === 'nginx' && isOfF5(ingress) ? 'f5' : byName[1]
  // If the class name is unknown, annotations that only one controller reads identify it.
  if (controller !== undefined) return 'unknown'
  const keys = [...ingress.annotations.keys()]
  return ANNOTATIONS.find(([prefix]) => keys.some((key) => key.startsWith(prefix)))?.[1] ?? 'unknown'
}

/** Without its IngressClass, the annotations distinguish the two controllers named nginx. */
function isOfF5({ annotations }: Ingress): boolean {
  const keys = [...annotations.keys()]
  const has = (prefix: string) => keys.some((key) => key.startsWith(prefix))
  return (has('nginx.org/') || has('nginx.com/')) && !has('nginx.ingress.kubernetes.io/')
}
