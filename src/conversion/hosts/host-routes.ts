/** The routes of one host, in the order of precedence, each path of each Ingress accounted for. */
import { isChallengePath } from '../ingress/acme-solver.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { BackendAction } from '../model/ingress-settings.ts'
import { withCanaries } from './canary-routes.ts'
import type { IngressPath, IngressRule } from '../ingress/ingress.ts'
import { matchNote, matchProblem } from './match-warnings.ts'
import { byPrecedence, nginxRegex, pathMatch } from './path-matches.ts'
import { pathRewrite } from './path-rewrite.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Remark } from '../model/report.ts'
import { headRoutes } from './implicit-redirects.ts'
import { isRouteProblem, resolveBackend, type RouteProblem } from './resolve-backend.ts'
import type { Forward, PathMatch, Redirect, Route } from '../model/virtual-host.ts'

/** A rule with its Ingress; `host` is `*` where it names none. */
export interface HostRule {
  readonly reading: ReadIngress
  readonly rule: IngressRule
  readonly host: string
}

/** `isSecure`: the host has TLS at the gateway. */
export function routesOfHost(
  rules: readonly HostRule[],
  isSecure: boolean,
  options: ConversionOptions,
): readonly Route[] {
  const context = { isRegex: isRegexHost(rules), isSecure, options }
  const mains = rules.filter(({ reading }) => reading.settings.canary === undefined)
  const canaries = rules.filter(({ reading }) => reading.settings.canary !== undefined)
  const paths = mains.flatMap((rule) => rule.rule.paths.flatMap((path) => routeOf(path, rule, context) ?? []))
  const fallbacks = withoutRepeats(mains).flatMap((rule) => fallbackOf(rule, context) ?? [])
  const reached = withoutUnreachable(paths.toSorted(byPrecedence), mains)
  // Behind a path that takes everything, or behind the fallback of an older Ingress, no fallback is reached.
  const sorted = reached.some(takesAll) ? reached : [...reached, ...fallbacks.slice(0, 1)]
  return [...headRoutes(mains, sorted), ...withCanaries(sorted, canaries, context)]
}

export interface HostContext {
  readonly isRegex: boolean
  readonly isSecure: boolean
  readonly options: ConversionOptions
}

/** `use-regex` or `rewrite-target` on any Ingress of the host makes all of its paths expressions. */
function isRegexHost(rules: readonly HostRule[]): boolean {
  return rules.some(({ reading: { settings } }) => settings.usesRegex === true)
}

/** Undefined, with a remark, where no route can be printed that would be right. */
function routeOf(path: IngressPath, rule: HostRule, context: HostContext): Route | undefined {
  const { remarks } = rule.reading
  const action = actionOf(path, rule.reading)
  if (action?.kind === 'elsewhere') {
    remarks.push(elsewhereRemark(path, action.message))
    return undefined
  }
  const route = buildRoute(path, rule, context)
  if (isRouteProblem(route)) {
    remarks.push({ level: 'error', about: route.field, outcome: 'unsupported', message: route.problem })
    return undefined
  }
  const message = `${rule.host}${path.path === '' ? '/' : path.path} ${describeAction(route.action)}`
  const note = matchNote(path, route.match, rule.reading)
  if (note === undefined) remarks.push({ level: 'info', about: path.field, outcome: 'converted', message })
  else remarks.push({ level: 'info', about: path.field, outcome: 'approximate', message: `${message}; ${note}` })
  return route
}

function actionOf({ field }: IngressPath, { settings }: ReadIngress): BackendAction | undefined {
  return settings.backendActions?.get(field)
}

function actionProblem(path: IngressPath, reading: ReadIngress): RouteProblem | undefined {
  const action = actionOf(path, reading)
  if (action?.kind !== 'problem' || reading.settings.redirect !== undefined) return undefined
  return { field: `${path.field}.backend`, problem: action.problem }
}

function elsewhereRemark(path: IngressPath, message: string): Remark {
  return { level: 'info', about: path.field, outcome: 'not-needed', message }
}

function buildRoute(path: IngressPath, { reading }: HostRule, context: HostContext): Route | RouteProblem {
  const match = matchOf(path, reading, context)
  const problem = matchProblem(path, match, reading) ?? blockade(path, reading) ?? actionProblem(path, reading)
  if (problem !== undefined) return problem
  const action = redirectOf(path, reading) ?? forwardOf(path, match, reading, context)
  if (isRouteProblem(action)) return action
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

function matchOf(path: IngressPath, { controller }: ReadIngress, { isRegex }: HostContext): PathMatch {
  return isRegex && (controller === 'nginx' || controller === 'unknown')
    ? nginxRegex(path.path)
    : pathMatch(path, controller)
}

function blockade({ field }: IngressPath, { settings }: ReadIngress): RouteProblem | undefined {
  if (settings.blockedBy === undefined) return undefined
  return { field, problem: `left out, as ${settings.blockedBy} cannot be converted` }
}

function redirectOf(path: IngressPath, reading: ReadIngress): Redirect | undefined {
  const action = actionOf(path, reading)
  const target = reading.settings.redirect ?? (action?.kind === 'redirect' ? action.target : undefined)
  return target && { kind: 'redirect', ...target }
}

function forwardOf(
  path: IngressPath,
  match: PathMatch,
  reading: ReadIngress,
  { options }: HostContext,
): Forward | RouteProblem {
  const { settings, ingress } = reading
  const backend = resolveBackend(path, ingress.namespace, options)
  if (isRouteProblem(backend)) return backend
  const rewrite = pathRewrite(path.path, match, settings.rewriteTarget, options.target)
  if (rewrite !== undefined && 'problem' in rewrite) return { field: `${path.field}.path`, problem: rewrite.problem }
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

function describeAction(action: Forward | Redirect): string {
  if (action.kind === 'redirect') return `redirects (${action.code})`
  return `-> ${action.backends.map(({ service, port }) => `${service}:${port}`).join(', ')}`
}

/** ingress-nginx redirects hosts with TLS, but for ACME's paths, unless told not to; the others only where told to. */
function wantsHttps({ settings, controller }: ReadIngress): boolean {
  return settings.redirectsToHttps ?? controller === 'nginx'
}

/** The default backend is served behind every path of the Ingress' own hosts, and nowhere else; told once. */
function fallbackOf(rule: HostRule, context: HostContext): Route | undefined {
  const { ingress, remarks } = rule.reading
  const path = ingress.defaultBackend
  if (path === undefined) return undefined
  const isSaid = remarks.some(({ about }) => about.startsWith(path.field))
  const action = actionOf(path, rule.reading)
  if (action?.kind === 'elsewhere') {
    if (!isSaid) remarks.push(elsewhereRemark(path, action.message))
    return undefined
  }
  const route = buildRoute(path, rule, context)
  if (isRouteProblem(route)) {
    if (!isSaid) remarks.push({ level: 'error', about: route.field, outcome: 'unsupported', message: route.problem })
    return undefined
  }
  const message = `applied to ${rule.host} and the other hosts of this Ingress only; no other host is caught`
  if (!isSaid) remarks.push({ level: 'warn', about: path.field, outcome: 'approximate', message })
  return { ...route, match: context.isRegex ? { kind: 'regex', value: '/.*' } : { kind: 'elements', value: '/' } }
}

function takesAll({ match }: Route): boolean {
  return match.value === '/' ? match.kind === 'elements' : match.kind === 'regex' && match.value === '(?i)/.*'
}

function withoutRepeats(rules: readonly HostRule[]): readonly HostRule[] {
  return rules.filter(({ reading }, index) => rules.findIndex((rule) => rule.reading === reading) === index)
}

/** A route behind one with the same match is never reached; the one of the older Ingress stands. */
function withoutUnreachable(routes: readonly Route[], rules: readonly HostRule[]): readonly Route[] {
  const first = new Map<string, Route>()
  return routes.filter((route) => {
    const key = `${route.match.kind} ${route.match.value}`
    const before = first.get(key)
    if (before === undefined) first.set(key, route)
    else remarkUnreachable(route, before, rules)
    return before === undefined
  })
}

function remarkUnreachable(route: Route, before: Route, rules: readonly HostRule[]): void {
  const reading = rules.find(({ reading: { id } }) => id === route.ingress)?.reading
  if (reading === undefined) return
  const where = before.ingress === route.ingress ? before.field : `${before.field} of ${before.ingress}`
  const index = reading.remarks.findIndex(({ about }) => about === route.field)
  const remark: Remark = {
    level: 'warn',
    about: route.field,
    outcome: 'not-needed',
    message: `never reached: ${where} has the same path`,
  }
  if (index < 0) reading.remarks.push(remark)
  else reading.remarks[index] = remark
}
