/** Canary Ingresses of ingress-nginx, put into the routes of the main ones (spec/ingress.md 2.4, row 13). */
import type { HostContext, HostRule } from './host-routes.ts'
import type { Canary } from '../model/ingress-settings.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { nginxRegex, pathMatch } from './path-matches.ts'
import { escapeRegex } from '../model/regular-expression.ts'
import { isRouteProblem, resolveBackend } from './resolve-backend.ts'
import type { Forward, HeaderMatch, Route, RouteBackend } from '../model/virtual-host.ts'

interface CanaryBackend {
  readonly canary: Canary
  readonly backend: RouteBackend
}

export function withCanaries(
  routes: readonly Route[],
  canaries: readonly HostRule[],
  context: HostContext,
): readonly Route[] {
  const found = new Map<string, CanaryBackend>()
  for (const rule of canaries) for (const path of rule.rule.paths) addCanary(path, rule, routes, found, context)
  return routes.flatMap((route) => splitRoute(route, found.get(matchKey(route.match))))
}

function addCanary(
  path: IngressPath,
  { reading, host }: HostRule,
  routes: readonly Route[],
  found: Map<string, CanaryBackend>,
  { isRegex, options }: HostContext,
): void {
  const { remarks, ingress, controller, settings } = reading
  const key = matchKey(isRegex ? nginxRegex(path.path) : pathMatch(path, controller))
  const leaveOut = (about: string, message: string) =>
    void remarks.push({ level: 'error', about, outcome: 'unsupported', message })
  if (!routes.some(({ match, action }) => matchKey(match) === key && action.kind === 'forward'))
    leaveOut(
      path.field,
      `a canary without its main Ingress: none of those given has ${host}${path.path}; give both together`,
    )
  else if (found.has(key)) leaveOut(path.field, 'a second canary of the same path; ingress-nginx takes one')
  else {
    const backend = resolveBackend(path, ingress.namespace, options)
    if (isRouteProblem(backend)) leaveOut(backend.field, backend.problem)
    else if (settings.canary !== undefined) {
      found.set(key, { canary: settings.canary, backend })
      const message = `${host}${path.path} -> ${backend.service}:${backend.port}, beside the main backend`
      remarks.push({ level: 'info', about: path.field, outcome: 'converted', message })
    }
  }
}

function matchKey({ kind, value }: Route['match']): string {
  return `${kind} ${value}`
}

/**
 * | first match wins                       | goes to                      |
 * |----------------------------------------|------------------------------|
 * | header has the value, pattern or always | canary                      |
 * | header is never                        | main                         |
 * | cookie is always                       | canary                       |
 * | cookie is never                        | main                         |
 * | otherwise                              | by weight                    |
 */
function splitRoute(route: Route, found: CanaryBackend | undefined): readonly Route[] {
  const { action } = route
  if (found === undefined || action.kind !== 'forward') return [route]
  const { canary, backend } = found
  const to = (header: HeaderMatch, backends: readonly RouteBackend[]): Route => ({
    ...route,
    headers: [header],
    action: { ...action, backends },
  })
  return [
    ...headerMatches(canary).map(({ isCanary, header }) => to(header, isCanary ? [backend] : action.backends)),
    { ...route, action: weighted(action, canary, backend) },
  ]
}

function headerMatches({
  header,
  cookie,
}: Canary): readonly { readonly isCanary: boolean; readonly header: HeaderMatch }[] {
  const exact = (value: string): HeaderMatch => ({ name: header?.name ?? '', kind: 'exact', value })
  const byCookie = (value: string): HeaderMatch => ({
    name: 'cookie',
    kind: 'regex',
    value: `^(.*?;\\s*)?${escapeRegex(cookie ?? '')}=${value}(;.*)?$`,
  })
  const byHeader: { isCanary: boolean; header: HeaderMatch }[] = []
  if (header?.value !== undefined) byHeader.push({ isCanary: true, header: exact(header.value) })
  else if (header?.pattern !== undefined)
    byHeader.push({ isCanary: true, header: { name: header.name, kind: 'regex', value: header.pattern } })
  else if (header !== undefined)
    byHeader.push({ isCanary: true, header: exact('always') }, { isCanary: false, header: exact('never') })
  if (cookie === undefined) return byHeader
  return [...byHeader, { isCanary: true, header: byCookie('always') }, { isCanary: false, header: byCookie('never') }]
}

function weighted(action: Forward, { weight, weightTotal }: Canary, backend: RouteBackend): Forward {
  if (weight === 0) return action
  if (weight >= weightTotal) return { ...action, backends: [backend] }
  const main = action.backends.map((one) => ({ ...one, weight: weightTotal - weight }))
  return { ...action, backends: [...main, { ...backend, weight }] }
}
