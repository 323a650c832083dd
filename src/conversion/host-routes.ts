/** The routes of one host, in the order of precedence, each path of each Ingress accounted for. */
import { isChallengePath } from './acme-solver.ts'
import type { ConversionOptions } from './conversion-options.ts'
import { withCanaries } from './canary-routes.ts'
import type { IngressPath, IngressRule } from './ingress.ts'
import { byPrecedence, nginxRegex, pathMatch } from './path-matches.ts'
import { pathRewrite } from './path-rewrite.ts'
import type { ReadIngress } from './read-ingresses.ts'
import { regexProblem } from './regular-expression.ts'
import type { Remark } from './report.ts'
import { headRoutes } from './head-routes.ts'
import { isBackendProblem, resolveBackend, type BackendProblem } from './resolve-backend.ts'
import type { Forward, PathMatch, Redirect, Route } from './site.ts'

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
  const fallbacks = withoutRepeats(mains.map(({ reading }) => reading)).flatMap(
    (reading) => fallbackOf(reading, mains, context) ?? [],
  )
  const sorted = withoutUnreachable([...paths.toSorted(byPrecedence), ...fallbacks], mains)
  return [...headRoutes(mains, sorted), ...withCanaries(sorted, canaries, context)]
}

export interface HostContext {
  readonly isRegex: boolean
  readonly isSecure: boolean
  readonly options: ConversionOptions
}

/** `use-regex` or `rewrite-target` on any Ingress of the host makes all of its paths expressions. */
function isRegexHost(rules: readonly HostRule[]): boolean {
  return rules.some(
    ({ reading: { settings, controller } }) =>
      (controller === 'nginx' || controller === 'unknown') &&
      (settings.usesRegex === true || settings.rewriteTarget !== undefined),
  )
}

/** Undefined, with a remark, where no route can be printed that would be right. */
export function routeOf(path: IngressPath, { reading, host }: HostRule, context: HostContext): Route | undefined {
  const match = matchOf(path, reading, context)
  const problem = matchProblem(path, match) ?? blockade(reading)
  if (problem !== undefined) {
    leaveOut(reading, problem.about ?? path.field, problem.message)
    return undefined
  }
  const action = redirectOf(path, reading) ?? forwardOf(path, match, reading, context)
  if ('problem' in action) {
    leaveOut(reading, action.field, action.problem)
    return undefined
  }
  const message = `${host}${path.path === '' ? '/' : path.path} ${describeAction(action)}`
  const note = prefixNote(match, reading)
  if (note === undefined) say(reading, { level: 'info', about: path.field, outcome: 'converted', message })
  else say(reading, { level: 'info', about: path.field, outcome: 'approximate', message: `${message}; ${note}` })
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

/** `/foo.*` says any continuation; Istio's own controller nevertheless matches whole elements (spec/ingress.md 1.4). */
function prefixNote({ kind, value }: PathMatch, { controller }: ReadIngress): string | undefined {
  if (kind !== 'prefix' || controller !== 'istio') return undefined
  return `${value}x is matched as well, as the path says; Istio's own controller takes whole path elements only`
}

interface LeftOut {
  readonly about?: string
  readonly message: string
}

function matchProblem({ path, field }: IngressPath, { kind, value }: PathMatch): LeftOut | undefined {
  const about = `${field}.path`
  if (kind === 'regex') {
    const problem = regexProblem(value)
    return problem === undefined ? undefined : { about, message: `${path} ${problem}; the path is left out` }
  }
  return value.startsWith('/') ? undefined : { about, message: `${path} has to start with /; the path is left out` }
}

function blockade({ settings }: ReadIngress): LeftOut | undefined {
  return settings.blockedBy === undefined
    ? undefined
    : { message: `left out, as ${settings.blockedBy} cannot be converted` }
}

function leaveOut({ remarks }: ReadIngress, about: string, message: string): void {
  remarks.push({ level: 'error', about, outcome: 'unsupported', message })
}

function say({ remarks }: ReadIngress, remark: Remark): void {
  remarks.push(remark)
}

function redirectOf({ backend }: IngressPath, { settings }: ReadIngress): Redirect | undefined {
  const action = backend?.port === 'use-annotation' ? settings.actions?.get(backend.service) : undefined
  const target = settings.redirect ?? action
  return target && { kind: 'redirect', ...target }
}

function forwardOf(
  path: IngressPath,
  match: PathMatch,
  reading: ReadIngress,
  { options }: HostContext,
): Forward | BackendProblem {
  const { settings, ingress } = reading
  const backend = resolveBackend(path, ingress.namespace, options)
  if (isBackendProblem(backend)) return backend
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

/** ingress-nginx redirects hosts with TLS, but for ACME's paths, unless it is told not to; the others only where they are told to. */
function wantsHttps({ settings, controller }: ReadIngress): boolean {
  return settings.redirectsToHttps ?? controller === 'nginx'
}

/** The default backend is served behind every path of the Ingress' own hosts, and nowhere else. */
function fallbackOf(reading: ReadIngress, mains: readonly HostRule[], context: HostContext): Route | undefined {
  const path = reading.ingress.defaultBackend
  const rule = mains.find((main) => main.reading === reading)
  if (path === undefined || rule === undefined) return undefined
  const plain = { ...rule, reading: { ...reading, remarks: [] as Remark[] } }
  const route = routeOf(path, plain, { ...context, isRegex: false })
  if (route === undefined) {
    if (!reading.remarks.some(({ about }) => about.startsWith(path.field)))
      reading.remarks.push(...plain.reading.remarks)
    return undefined
  }
  const message = `applied to ${rule.host} and the other hosts of this Ingress only; no other host is caught`
  if (!reading.remarks.some(({ about }) => about === path.field))
    say(reading, { level: 'warn', about: path.field, outcome: 'approximate', message })
  return { ...route, match: context.isRegex ? { kind: 'regex', value: '/.*' } : route.match }
}

function withoutRepeats<Value>(values: readonly Value[]): readonly Value[] {
  return [...new Set(values)]
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
