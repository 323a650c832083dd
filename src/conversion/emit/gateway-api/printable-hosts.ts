/** The routes that the Gateway API can express. All later steps see only these. */
import { collect, type Reported, type ReportLine } from '../../model/report.ts'
import type { Route, VirtualHost } from '../../model/virtual-host.ts'
import { apiMatch, needsExpressions, pathProblem } from './route-matches.ts'

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
  const judged = host.routes.map((route) => ({ route, ...judge(route, hasExpressions) }))
  return {
    value: { ...host, routes: judged.filter(({ isPrintable }) => isPrintable).map(({ route }) => route) },
    lines: judged.flatMap(({ line }) => line ?? []),
  }
}

interface Judgement {
  readonly isPrintable: boolean
  readonly line: ReportLine | undefined
}

function judge(route: Route, hasExpressions: boolean): Judgement {
  const { path, difference } = apiMatch(route, hasExpressions)
  const problem = pathProblem(path)
  const line = { ingress: route.ingress, about: `${route.field}.path` }
  if (problem !== undefined) {
    const message = `${path.value} ${problem}; the path is omitted`
    return { isPrintable: false, line: { ...line, level: 'error', outcome: 'unsupported', message } }
  }
  if (difference === undefined) return { isPrintable: true, line: undefined }
  return { isPrintable: true, line: { ...line, level: 'warn', outcome: 'approximate', message: difference } }
}
