/** The routes that the Gateway API can express. All later steps see only these. */
import { collect, type Reported, type ReportLine } from '../../model/report.ts'
import type { Route, VirtualHost } from '../../model/virtual-host.ts'
import { apiMatch, needsExpressions, pathProblem } from './route-matches.ts'
import { precedenceLines } from './route-precedence.ts'

/** Omits routes with a path that the CRD refuses, and reports routes that match differently. */
export function printableHosts(hosts: readonly VirtualHost[]): Reported<readonly VirtualHost[]> {
  const printed = collect(hosts.map(printableHost))
  // An alias repeats the routes of its host, and a canary splits one path into several routes.
  const lines = new Map(printed.lines.toReversed().map((line) => [`${line.ingress} ${line.about}`, line]))
  return {
    value: printed.value,
    lines: printed.lines.filter((line) => lines.get(`${line.ingress} ${line.about}`) === line),
  }
}

function printableHost(host: VirtualHost): Reported<VirtualHost> {
  const hasExpressions = needsExpressions(host.routes)
  const exact = new Set(host.routes.filter(({ match }) => match.kind === 'exact').map(({ match }) => match.value))
  const judged = host.routes.map((route) => ({ route, ...judge(route, hasExpressions, exact) }))
  return {
    value: { ...host, routes: judged.filter(({ isPrintable }) => isPrintable).map(({ route }) => route) },
    lines: [...judged.flatMap(({ line }) => line ?? []), ...precedenceLines(host.routes, hasExpressions)],
  }
}

interface Judgement {
  readonly isPrintable: boolean
  readonly line: ReportLine | undefined
}

/** `exact` are the paths that routes of the host match exactly. */
function judge(route: Route, hasExpressions: boolean, exact: ReadonlySet<string>): Judgement {
  const { path, difference: found } = apiMatch(route, hasExpressions)
  // A PathPrefix with a slash at the end differs only for the path without it.
  const isAlone = route.match.kind === 'prefix' && path.value.endsWith('/') && exact.has(path.value.slice(0, -1))
  const difference = isAlone ? undefined : found
  const problem = pathProblem(path)
  const line = { ingress: route.ingress, about: `${route.field}.path` }
  if (problem !== undefined) {
    const message = `${path.value} ${problem}; the path is omitted`
    return { isPrintable: false, line: { ...line, level: 'error', outcome: 'unsupported', message } }
  }
  if (difference === undefined) return { isPrintable: true, line: undefined }
  return { isPrintable: true, line: { ...line, level: 'warn', outcome: 'approximate', message: difference } }
}
