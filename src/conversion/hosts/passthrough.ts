/**
 * Hosts whose TLS the gateway passes through. The gateway sees the requests of port 80 only
 * (docs/facts/ingress-nginx.md#tls).
 */
import { isProblem } from '../../kubernetes/problem.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { Route, RouteBackend } from '../model/virtual-host.ts'
import { routesOfHost } from './host-routes.ts'
import type { HostContext, HostRule } from './host-rule.ts'
import { pathMatch } from './path-matches.ts'
import { resolveBackend } from './resolve-backend.ts'

export interface PassedHost {
  readonly backend: RouteBackend | undefined
  /** The routes of port 80. */
  readonly routes: readonly Route[]
}

export function isPassedThrough(rules: readonly HostRule[]): boolean {
  return rules.some(passesThrough)
}

function passesThrough({ reading }: HostRule): boolean {
  return reading.settings.isPassthrough === true
}

/**
 * | request                                             | goes to                                |
 * |-----------------------------------------------------|----------------------------------------|
 * | port 443                                            | the backend of `/`, whatever its path  |
 * | port 80, a path of an Ingress that passes through   | redirect to https if it wants one      |
 * | port 80, a path of another Ingress                  | its backend                            |
 */
export function passedHost(rules: readonly HostRule[], context: HostContext): Reported<PassedHost> {
  const found = rootPath(rules)
  if (found === undefined) return { value: { backend: undefined, routes: [] }, lines: [] }
  const { path, rule } = found
  const backend = resolveBackend(path, rule.reading, context.options)
  if (isProblem(backend)) {
    const { field: about, problem: message } = backend
    const line = { ingress: rule.reading.id, level: 'error', about, outcome: 'unsupported', message } as const
    return { value: { backend: undefined, routes: [] }, lines: [line] }
  }
  const passing = rules.filter(passesThrough)
  const others = routesOfHost(
    rules.filter((one) => !passesThrough(one)),
    context,
  )
  const redirects = passing.filter(({ reading }) => redirectsPlain(reading, context)).flatMap(redirectRoutes)
  return {
    value: { backend, routes: [...others.value, ...redirects] },
    lines: [...passing.flatMap((one) => passedLines(one, path, backend, context)), ...others.lines],
  }
}

/** Returns the path `/`, otherwise the first path of an Ingress that passes TLS through. */
function rootPath(rules: readonly HostRule[]): { readonly path: IngressPath; readonly rule: HostRule } | undefined {
  const paths = [...rules.filter(passesThrough), ...rules].flatMap((rule) =>
    rule.rule.paths.map((path) => ({ path, rule })),
  )
  return paths.find(({ path: { path } }) => path === '/' || path === '') ?? paths[0]
}

/** ingress-nginx redirects hosts with a certificate, and any host with force-ssl-redirect. */
function redirectsPlain({ settings, controller }: HostRule['reading'], { isSecure }: HostContext): boolean {
  const { redirectsTlsHosts, servesPassedHostsPlain } = traitsOf(controller)
  const isWanted = settings.redirectsToHttps ?? redirectsTlsHosts
  return settings.redirectsEveryHost === true || (isWanted && (isSecure || !servesPassedHostsPlain))
}

function redirectRoutes({ reading, rule }: HostRule): readonly Route[] {
  return rule.paths.map((path) => ({
    ingress: reading.id,
    field: path.field,
    path: path.path,
    match: pathMatch(path, traitsOf(reading.controller), false),
    headers: [],
    redirectsToHttps: false,
    action: { kind: 'redirect', scheme: 'https', authority: undefined, path: undefined, code: 308 },
  }))
}

function passedLines(
  { reading, rule, host }: HostRule,
  root: IngressPath,
  { service, port }: RouteBackend,
  context: HostContext,
): readonly ReportLine[] {
  const line = { ingress: reading.id, level: 'info', outcome: 'converted' } as const
  const passed = `TLS of ${host} is passed through to ${service}:${port}`
  return rule.paths.map(({ field, path }) => {
    if (path !== root.path && path !== '' && path !== '/') return voidLine(reading.id, field)
    if (redirectsPlain(reading, context))
      return { ...line, about: field, message: `${passed}; plain requests are redirected (308)` }
    if (!traitsOf(reading.controller).servesPassedHostsPlain) return { ...line, about: field, message: passed }
    const message = `${passed}; ingress-nginx also sends plain requests of port 80 there, over HTTPS, and the gateway does not: with force-ssl-redirect they are redirected`
    return { ...line, level: 'warn', outcome: 'approximate', about: field, message }
  })
}

function voidLine(ingress: string, about: string): ReportLine {
  const message = 'TLS is passed through, so the gateway cannot see paths'
  return { ingress, level: 'warn', about, outcome: 'unsupported', message }
}
