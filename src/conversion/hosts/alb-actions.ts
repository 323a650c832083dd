/** Backends of port `use-annotation`: each is an action of an annotation, and no Service (AWS load balancer controller). */
import type { IngressPath } from '../ingress/ingress.ts'
import type { IngressSettings, RedirectTarget } from '../model/ingress-settings.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { RouteProblem } from './resolve-backend.ts'

/** A redirect to the same address at https would never end behind a load balancer that ends TLS. */
export function isHttpsAction(path: IngressPath, { settings }: ReadIngress): boolean {
  const action = actionOf(path, settings)
  return action?.scheme === 'https' && action.authority === undefined && action.path === undefined
}

/** Undefined for a path that leads to a Service, too. */
export function actionProblem(path: IngressPath, { ingress, settings }: ReadIngress): RouteProblem | undefined {
  const key = actionKey(path)
  if (key === undefined || settings.redirect !== undefined || actionOf(path, settings) !== undefined) return undefined
  const what = ingress.annotations.has(key) ? 'is no redirect' : 'is not there'
  return { field: `${path.field}.backend`, problem: `annotation ${key} ${what}; the path is left out` }
}

export function actionOf(path: IngressPath, { actions }: IngressSettings): RedirectTarget | undefined {
  return actionKey(path) === undefined ? undefined : actions?.get(path.backend?.service ?? '')
}

/** The annotation that holds the action. */
export function actionKey({ backend }: IngressPath): string | undefined {
  return backend?.port === 'use-annotation' ? `alb.ingress.kubernetes.io/actions.${backend.service}` : undefined
}
