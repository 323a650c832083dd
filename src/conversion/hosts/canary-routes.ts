/** Merges the canary Ingresses of ingress-nginx into the main routes (docs/facts/ingress-nginx.md). */
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { HostContext, HostRule } from './host-rule.ts'
import { isIdle, type Canary, type HeaderMatch } from '../model/ingress-settings.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { IngressPath } from '../ingress/ingress.ts'
import { pathMatch } from './path-matches.ts'
import { escapeRegex } from '../model/regular-expression.ts'
import { resolveBackend } from './resolve-backend.ts'
import type { Forward, Route, RouteBackend } from '../model/virtual-host.ts'

interface CanaryBackend {
  readonly canary: Canary
  readonly backend: RouteBackend
}

/** `sticky` are the Ingresses with cookie affinity. */
export function withCanaries(
  routes: readonly Route[],
  canaries: readonly HostRule[],
  sticky: ReadonlySet<string>,
  context: HostContext,
): Reported<readonly Route[]> {
  const found = new Map<string, CanaryBackend>()
  const lines: ReportLine[] = []
  for (const rule of canaries)
    for (const path of rule.rule.paths) {
      const key = matchKey(pathMatch(path, traitsOf(rule.reading.controller), context.isRegex))
      const isMain = ({ match, action }: Route) => matchKey(match) === key && action.kind === 'forward'
      const backend = canaryBackend(path, rule, { hasMain: routes.some(isMain), hasCanary: found.has(key) }, context)
      const { settings } = rule.reading
      if (!isProblem(backend) && settings.canary !== undefined) found.set(key, { canary: settings.canary, backend })
      lines.push(
        canaryLine(
          path,
          rule,
          backend,
          routes.some((route) => isMain(route) && sticky.has(route.ingress)),
        ),
      )
    }
  return { value: routes.flatMap((route) => splitRoute(route, found.get(matchKey(route.match)))), lines }
}

function canaryBackend(
  path: IngressPath,
  { reading, host }: HostRule,
  { hasMain, hasCanary }: { readonly hasMain: boolean; readonly hasCanary: boolean },
  { options }: HostContext,
): RouteBackend | Problem {
  if (!hasMain) {
    const problem = `a canary without its main Ingress: no other Ingress in the input has ${host}${path.path}. Convert both together`
    return { field: path.field, problem }
  }
  if (hasCanary) return { field: path.field, problem: 'a second canary for the same path; ingress-nginx uses only one' }
  return resolveBackend(path, reading, options)
}

function canaryLine(
  { path, field }: IngressPath,
  { reading: { id, settings }, host }: HostRule,
  backend: RouteBackend | Problem,
  isSticky: boolean,
): ReportLine {
  if (isProblem(backend))
    return { ingress: id, level: 'error', about: backend.field, outcome: 'unsupported', message: backend.problem }
  if (settings.canary === undefined || isIdle(settings.canary)) {
    const message = `no request for ${host}${path} reaches the canary, as in ingress-nginx`
    return { ingress: id, level: 'info', about: field, outcome: 'not-needed', message }
  }
  if (isSticky && settings.canary.weight > 0) {
    const message = `${host}${path} -> ${backend.service}:${backend.port}, as a canary of the main backend; the weight applies to each request, but the affinity of ingress-nginx keeps a client on its side`
    return { ingress: id, level: 'warn', about: field, outcome: 'approximate', message }
  }
  const message = `${host}${path} -> ${backend.service}:${backend.port}, as a canary of the main backend`
  return { ingress: id, level: 'info', about: field, outcome: 'converted', message }
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
