/** The route of one path. */
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { isChallengePath } from '../ingress/acme-solver.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import {
  NO_HEADER_CHANGES,
  type BackendAction,
  type HeaderChanges,
  type IngressSettings,
} from '../model/ingress-settings.ts'
import type { Forward, PathMatch, Redirect, Route } from '../model/virtual-host.ts'
import type { HostContext } from './host-rule.ts'
import { matchProblem } from './match-warnings.ts'
import { pathMatch } from './path-matches.ts'
import { pathRewrite } from './path-rewrite.ts'
import { resolveBackend } from './resolve-backend.ts'

export function pathRoute(path: IngressPath, reading: ReadIngress, context: HostContext): Route | Problem {
  const match = pathMatch(path, traitsOf(reading.controller), context.isRegex)
  const problem = matchProblem(path, match, reading) ?? blockedProblem(path, reading) ?? actionProblem(path, reading)
  if (problem !== undefined) return problem
  const action = redirectOf(path, reading, context.host) ?? forwardOf(path, match, reading, context)
  if (isProblem(action)) return action
  return {
    ingress: reading.id,
    field: path.field,
    path: path.path,
    match,
    headers: reading.settings.headerMatches ?? [],
    ...(reading.settings.methods === undefined ? {} : { methods: reading.settings.methods }),
    ...expressionOf(path, reading),
    redirectsToHttps: context.isSecure && !isChallengePath(path.path) && wantsHttps(reading),
    action,
  }
}

function expressionOf(
  { expression }: IngressPath,
  { controller, settings }: ReadIngress,
): Pick<Route, 'expression' | 'isPlaced'> {
  if (expression === undefined) return {}
  const isAsWritten = traitsOf(controller).triesExpressionsAsWritten
  return { expression: { priority: settings.regexPriority ?? 0, isAsWritten }, isPlaced: true }
}

/** Returns the action of a path whose backend names an annotation instead of a Service. */
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

function redirectOf(path: IngressPath, reading: ReadIngress, host: string): Redirect | undefined {
  const action = backendAction(path, reading)
  const { redirect, hostRedirects } = reading.settings
  const target = hostRedirects?.get(host) ?? redirect ?? (action?.kind === 'redirect' ? action.target : undefined)
  return target && { kind: 'redirect', ...target }
}

function forwardOf(
  path: IngressPath,
  match: PathMatch,
  reading: ReadIngress,
  { options }: HostContext,
): Forward | Problem {
  const { settings } = reading
  const backend = resolveBackend(path, reading, options)
  if (isProblem(backend)) return backend
  const rewrite = pathRewrite(path, match, settings, options.target)
  if (isProblem(rewrite)) return rewrite
  return {
    kind: 'forward',
    backends: [backend],
    rewrite,
    authority: settings.authority,
    cors: settings.cors,
    headerChanges: headerChangesOf(settings, rewrite !== undefined),
    retries: settings.retries,
    mirror: settings.mirror,
    isGrpc: settings.isGrpc === true,
  }
}

/** ingress-nginx sends `x-forwarded-prefix` only if it rewrites the path (`buildProxyPass` in its template.go). */
function headerChangesOf({ headerChanges, forwardedPrefix }: IngressSettings, isRewritten: boolean): HeaderChanges {
  const changes = headerChanges ?? NO_HEADER_CHANGES
  if (forwardedPrefix === undefined || !isRewritten) return changes
  const { request } = changes
  return { ...changes, request: { ...request, set: { ...request.set, 'x-forwarded-prefix': forwardedPrefix } } }
}

function wantsHttps({ settings, controller }: ReadIngress): boolean {
  return settings.redirectsToHttps ?? traitsOf(controller).redirectsTlsHosts
}
