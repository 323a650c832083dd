/** TLS that the gateway passes through. */
import { isProblem } from '../../kubernetes/problem.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { RouteBackend } from '../model/virtual-host.ts'
import type { HostRule } from './host-rule.ts'
import { resolveBackend } from './resolve-backend.ts'

/** Returns the backend of the path `/`, otherwise of the first path, because TLS passthrough ignores paths. */
export function passthroughBackend(
  rules: readonly HostRule[],
  options: ConversionOptions,
): Reported<RouteBackend | undefined> {
  const rule = rules.find(({ reading }) => reading.settings.isPassthrough === true)
  const path = rule?.rule.paths.find(({ path: text }) => text === '/' || text === '') ?? rule?.rule.paths[0]
  if (rule === undefined || path === undefined) return { value: undefined, lines: [] }
  const { id } = rule.reading
  const backend = resolveBackend(path, rule.reading, options)
  if (isProblem(backend)) {
    const { field: about, problem: message } = backend
    return { value: undefined, lines: [{ ingress: id, level: 'error', about, outcome: 'unsupported', message }] }
  }
  const message = `TLS of ${rule.host} is passed through to ${backend.service}:${backend.port}`
  const line = { ingress: id, level: 'info', about: path.field, outcome: 'converted', message } as const
  const others = rules.flatMap(({ rule: { paths } }) => paths).filter((one) => one !== path)
  return { value: backend, lines: [line, ...others.map(({ field }) => voidLine(id, field))] }
}

function voidLine(ingress: string, about: string): ReportLine {
  const message = 'TLS is passed through, so the gateway cannot see paths'
  return { ingress, level: 'warn', about, outcome: 'unsupported', message }
}
