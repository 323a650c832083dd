/** TLS that the gateway does not end. */
import type { ConversionOptions } from '../model/conversion-options.ts'
import type { HostRule } from './host-routes.ts'
import { isRouteProblem, resolveBackend } from './resolve-backend.ts'
import type { RouteBackend } from '../model/virtual-host.ts'

/** The backend of the first path; in ingress-nginx too, TLS passed through has no paths. */
export function passthroughBackend(rules: readonly HostRule[], options: ConversionOptions): RouteBackend | undefined {
  const rule = rules.find(({ reading }) => reading.settings.isPassthrough === true)
  const path = rule?.rule.paths.find(({ path: text }) => text === '/' || text === '') ?? rule?.rule.paths[0]
  if (rule === undefined || path === undefined) return undefined
  const { remarks, ingress } = rule.reading
  const backend = resolveBackend(path, ingress.namespace, options)
  if (isRouteProblem(backend)) {
    remarks.push({ level: 'error', about: backend.field, outcome: 'unsupported', message: backend.problem })
    return undefined
  }
  const message = `TLS of ${rule.host} is passed through to ${backend.service}:${backend.port}`
  remarks.push({ level: 'info', about: path.field, outcome: 'converted', message })
  for (const other of rules.flatMap(({ rule: { paths } }) => paths).filter((one) => one !== path))
    remarks.push({
      level: 'warn',
      about: other.field,
      outcome: 'unsupported',
      message: 'TLS is passed through, which leaves no paths to tell apart',
    })
  return backend
}
