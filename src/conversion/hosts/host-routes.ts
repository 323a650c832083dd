/** The routes of one host by precedence, with a report line for each path of each Ingress. */
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { collect, type Reported, type ReportLine } from '../model/report.ts'
import type { Forward, Redirect, Route } from '../model/virtual-host.ts'
import { withCanaries } from './canary-routes.ts'
import type { HostContext, HostRule } from './host-rule.ts'
import { implicitRedirects } from './implicit-redirects.ts'
import { matchWarning } from './match-warnings.ts'
import { sortRoutes } from './path-matches.ts'
import { withPathRedirects } from './path-redirects.ts'
import { backendAction, pathRoute } from './path-route.ts'
import { slashRedirects } from './slash-redirects.ts'

export function routesOfHost(rules: readonly HostRule[], context: HostContext): Reported<readonly Route[]> {
  const mains = rules.filter(({ reading }) => reading.settings.canary === undefined)
  const canaries = rules.filter(({ reading }) => reading.settings.canary !== undefined)
  const paths = planPaths(mains, context)
  const fallbacks = collect(firstOfEachIngress(mains).map((rule) => planFallback(rule, context)))
  const [fallback] = fallbacks.value.flat()
  // A fallback is never reached after a path that matches everything, or after the fallback of an older Ingress.
  const isReached = fallback !== undefined && !paths.value.some(takesAll)
  const routes = isReached ? [...paths.value, fallback] : paths.value
  const split = withCanaries(routes, canaries, stickyIngresses(mains), context)
  const implicit = [...implicitRedirects(mains, routes), ...slashRedirects(mains, paths.value)]
  const redirected = withPathRedirects(mains, [...implicit, ...split.value])
  return {
    value: redirected.value,
    lines: [...paths.lines, ...fallbacks.lines, ...split.lines, ...redirected.lines],
  }
}

function stickyIngresses(rules: readonly HostRule[]): ReadonlySet<string> {
  return new Set(
    rules.flatMap(({ reading: { id, settings } }) => (settings.connection?.hash?.kind === 'cookie' ? [id] : [])),
  )
}

/** A route is never reached after another one with the same match; the older Ingress' route stays. */
function planPaths(rules: readonly HostRule[], context: HostContext): Reported<readonly Route[]> {
  const planned = rules.flatMap((rule) => rule.rule.paths.map((path) => planPath(path, rule, context)))
  const sorted = sortRoutes(planned.flatMap(({ route }) => route ?? []))
  const first = new Map(sorted.toReversed().map((route) => [matchKey(route), route]))
  const winnerOf = (route: Route) => first.get(matchKey(route)) ?? route
  return {
    value: sorted.filter((route) => winnerOf(route) === route),
    lines: planned.map(({ route, line }) =>
      route === undefined || winnerOf(route) === route ? line : unreachableLine(route, winnerOf(route)),
    ),
  }
}

function matchKey({ match, headers, methods = [] }: Route): string {
  const conditions = [...headers.map(({ name, kind, value }) => ` ${name} ${kind} ${value}`), ...methods]
  return `${match.kind} ${match.value}${conditions.join('')}`
}

interface PlannedPath {
  /** Undefined if no route would be correct. */
  readonly route: Route | undefined
  readonly line: ReportLine
}

function planPath(path: IngressPath, rule: HostRule, context: HostContext): PlannedPath {
  const route = routeOrLine(path, rule, context)
  if (isLine(route)) return { route: undefined, line: route }
  const message = `${rule.host}${path.path === '' ? '/' : path.path} ${describeAction(route.action)}`
  const warning = matchWarning(path, route.match, rule.reading)
  const line = { ingress: rule.reading.id, level: 'info', about: path.field } as const
  return warning === undefined
    ? { route, line: { ...line, outcome: 'converted', message } }
    : { route, line: { ...line, outcome: 'approximate', message: `${message}; ${warning}` } }
}

/** Returns the route, or a line that says why there is none. */
function routeOrLine(path: IngressPath, rule: HostRule, context: HostContext): Route | ReportLine {
  const action = backendAction(path, rule.reading)
  const { id } = rule.reading
  if (action?.kind === 'elsewhere')
    return { ingress: id, level: 'info', about: path.field, outcome: 'not-needed', message: action.message }
  const route: Route | Problem = pathRoute(path, rule.reading, context)
  if (!isProblem(route)) return route
  return { ingress: id, level: 'error', about: route.field, outcome: 'unsupported', message: route.problem }
}

function isLine(result: Route | ReportLine): result is ReportLine {
  return 'outcome' in result
}

function describeAction(action: Forward | Redirect): string {
  if (action.kind === 'redirect') return `redirects (${action.code})`
  return `-> ${action.backends.map(({ service, port }) => `${service}:${port}`).join(', ')}`
}

function unreachableLine({ ingress, field }: Route, winner: Route): ReportLine {
  const where = winner.ingress === ingress ? winner.field : `${winner.field} of ${winner.ingress}`
  const message = `never reached: ${where} has the same path`
  return { ingress, level: 'warn', about: field, outcome: 'not-needed', message }
}

function firstOfEachIngress(rules: readonly HostRule[]): readonly HostRule[] {
  return rules.filter(({ reading }, index) => rules.findIndex((rule) => rule.reading === reading) === index)
}

/** The default backend serves the remaining paths of its Ingress' own hosts only. It is reported once. */
function planFallback(rule: HostRule, context: HostContext): Reported<readonly Route[]> {
  const { ingress, id } = rule.reading
  const path = ingress.defaultBackend
  if (path === undefined) return { value: [], lines: [] }
  const route = routeOrLine(path, rule, context)
  const isReported = context.reportedFallbacks.has(id)
  if (isLine(route)) return { value: [], lines: isReported ? [route] : [] }
  const message = `applies to ${rule.host} and the other hosts of this Ingress only; the gateway has no catch-all host`
  const line = { ingress: id, level: 'warn', about: path.field, outcome: 'approximate', message } as const
  const match = context.isRegex ? ({ kind: 'regex', value: '/.*' } as const) : EVERYTHING
  return { value: [{ ...route, match }], lines: isReported ? [line] : [] }
}

const EVERYTHING = { kind: 'elements', value: '/' } as const

function takesAll({ match }: Route): boolean {
  return match.value === '/' ? match.kind === 'elements' : match.kind === 'regex' && match.value === '(?i)/.*'
}
