/**
 * Backends of port `use-annotation`: the AWS Load Balancer Controller reads their action from an annotation
 * (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#actions).
 */
import type { Ingress, IngressPath } from '../ingress/ingress.ts'
import type { BackendAction, RedirectTarget } from '../model/ingress-settings.ts'

/** `redirects` are the successfully read actions by name. */
export function backendActions(
  { rules, defaultBackend, annotations }: Ingress,
  redirects: ReadonlyMap<string, RedirectTarget> = new Map(),
): ReadonlyMap<string, BackendAction> {
  const actions = new Map<string, BackendAction>()
  const read = (path: IngressPath) => {
    const name = actionName(path)
    if (name !== undefined) actions.set(path.field, actionOf(name, redirects.get(name), annotations))
  }
  for (const { paths } of rules) paths.forEach(read)
  if (defaultBackend !== undefined) read(defaultBackend)
  return actions
}

function actionName({ backend }: IngressPath): string | undefined {
  return backend?.port === 'use-annotation' ? backend.service : undefined
}

function actionOf(
  name: string,
  target: RedirectTarget | undefined,
  annotations: ReadonlyMap<string, string>,
): BackendAction {
  const key = `alb.ingress.kubernetes.io/actions.${name}`
  if (target === undefined) {
    const what = annotations.has(key) ? 'is not a redirect' : 'is missing'
    return { kind: 'problem', problem: `annotation ${key} ${what}; the path is omitted` }
  }
  if (isToHttps(target)) return { kind: 'elsewhere', message: `the load balancer redirects to HTTPS, as ${key} says` }
  return { kind: 'redirect', target }
}

/** Whether a redirect only changes the scheme to https. Behind a load balancer that ends TLS, it would never end. */
export function isToHttps({ scheme, authority, path }: RedirectTarget): boolean {
  return scheme === 'https' && authority === undefined && path === undefined
}
