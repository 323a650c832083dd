/** The route of one path. */
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { isChallengePath } from '../ingress/acme-solver.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { BackendAction } from '../model/ingress-settings.ts'
import type { Forward, PathMatch, Redirect, Route } from '../model/virtual-host.ts'
import type { HostContext } from './host-rule.ts'
import { matchProblem } from './match-warnings.ts'
import { pathMatch } from './path-matches.ts'
import { pathRewrite } from './path-rewrite.ts'
import { resolveBackend } from './resolve-backend.ts'

export function pathRoute(path: IngressPath, reading: ReadIngress, context: HostContext): Route | Problem {
  const match = pathMatch(path, reading.controller, context.isRegex)
  const problem = matchProblem(path, match, reading) ?? blockedProblem(path, reading) ?? actionProblem(path, reading)
  if (problem !== undefined) return problem
  const action = redirectOf(path, reading) ?? forwardOf(path, match, reading, context)
  if (isProblem(action)) return action
  return {
    ingress: reading.id,
    field: path.field,
    path: path.path,
    match,
    headers: [],
    redirectsToHttps: context.isSecure && !isChallengePath(path.path) && wantsHttps(reading),
    action,
  }
}

/** What the path does where its backend names an annotation instead of a Service. */
export function backendAction({ field }: IngressPath, { settings }: ReadIngress): BackendAction | undefined {
  return settings.backendActions?.get(field)
}

function blockedProblem({ field }: IngressPath, { settings }: ReadIngress): Problem | undefined {
  if (settings.blockedBy === undefined) return undefined
  return { field, problem: `omitted, because ${settings.blockedBy} cannot be converted` }
}

function actionProblem(path: IngressPath, reading: ReadIngress): Problem | undefined {
  const action = backendAction(path, reading)
  if (action?.kind !== 'problem' || reading.settings.redirect !== undefined) return undefined
  return { field: `${path.field}.backend`, problem: action.problem }
}

function redirectOf(path: IngressPath, reading: ReadIngress): Redirect | undefined {
  const action = backendAction(path, reading)
  const target = reading.settings.redirect ?? (action?.kind === 'redirect' ? action.target : undefined)
  return target && { kind: 'redirect', ...target }
}

function forwardOf(
  path: IngressPath,
  match: PathMatch,
  { settings, ingress }: ReadIngress,
  { options }: HostContext,
): Forward | Problem {
  const backend = resolveBackend(path, ingress.namespace, options)
  if (isProblem(backend)) return backend
  const rewrite = pathRewrite(path, match, settings.rewriteTarget, options.target)
  if (isProblem(rewrite)) return rewrite
  return {
    kind: 'forward',
    backends: [backend],
    rewrite,
    authority: settings.authority,
    cors: settings.cors,
    headerChanges: settings.headerChanges ?? { request: {}, response: {} },
    retries: settings.retries,
    mirror: settings.mirror,
    isGrpc: settings.isGrpc === true,
  }
}

/**
 * ingress-nginx redirects hosts with TLS unless an annotation says otherwise, the other controllers only where one asks
 * for it (https://kubernetes.github.io/ingress-nginx/user-guide/tls/#server-side-https-enforcement-through-redirect).
 */
function wantsHttps({ settings, controller }: ReadIngress): boolean {
  return settings.redirectsToHttps ?? controller === 'nginx'
}
