/** The rules of all Ingresses by host, and the hosts that a gateway cannot serve. */
import type { IngressRule } from '../ingress/ingress.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { hostProblem } from '../model/hosts.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { HostRule } from './host-rule.ts'

/** Keyed by `namespace/host`. */
export type HostRules = ReadonlyMap<string, readonly HostRule[]>

export function acceptedRules(readings: readonly ReadIngress[], options: ConversionOptions): Reported<HostRules> {
  const accepted: HostRule[] = []
  const lines: ReportLine[] = []
  for (const reading of readings) {
    lines.push(...hostlessBackendLines(reading, options))
    for (const rule of rulesOf(reading, options)) {
      const problem = ruleProblem(rule, reading, options)
      if (problem === undefined) accepted.push({ reading, rule, host: rule.host === '' ? '*' : rule.host })
      lines.push(...(problem === undefined ? ruleWarnings(rule, reading) : [problem]))
    }
  }
  const value = groupBy(accepted, ({ reading, host }) => `${reading.ingress.namespace}/${host}`)
  return { value, lines }
}

/** A default backend without rules becomes a rule without host, if the configuration allows it. */
function rulesOf({ ingress }: ReadIngress, { gateway }: ConversionOptions): readonly IngressRule[] {
  const isAlone = ingress.rules.length === 0 && ingress.defaultBackend !== undefined && gateway.allowHostless
  return isAlone ? [{ host: '', paths: [], field: 'spec.defaultBackend' }] : ingress.rules
}

function hostlessBackendLines({ ingress, id }: ReadIngress, { gateway }: ConversionOptions): readonly ReportLine[] {
  if (ingress.defaultBackend === undefined || gateway.allowHostless) return []
  if (ingress.rules.some(({ host }) => host !== '')) return []
  const message = 'without a host it would match every host of the gateway. Add a host, or set gateway.allowHostless'
  return [{ ingress: id, level: 'error', about: 'spec.defaultBackend', outcome: 'unsupported', message }]
}

/** Returns why the gateway cannot serve a rule. */
function ruleProblem(
  { host, field }: IngressRule,
  { id }: ReadIngress,
  { gateway, target }: ConversionOptions,
): ReportLine | undefined {
  const line = { ingress: id, level: 'error', outcome: 'unsupported' } as const
  if (host !== '') {
    const problem = hostProblem(host, target)
    return problem === undefined ? undefined : { ...line, about: `${field}.host`, message: `${host} ${problem}` }
  }
  if (gateway.allowHostless) return undefined
  const message =
    'a rule without a host would match every host of the gateway. Add a host, or set gateway.allowHostless'
  return { ...line, about: field, message }
}

function ruleWarnings(
  { host, paths, field }: IngressRule,
  { id, ingress, settings }: ReadIngress,
): readonly ReportLine[] {
  const line = { ingress: id, level: 'warn' } as const
  const warnings: ReportLine[] = []
  if (host === '') {
    const message = 'no host: host * matches every host of the gateway that has no other routes'
    warnings.push({ ...line, about: field, outcome: 'approximate', message })
  }
  if (host.startsWith('*.') && settings.canary === undefined) {
    const message = `${host} matched exactly one label in an Ingress; at the gateway it also matches a.b${host.slice(1)}`
    warnings.push({ ...line, about: `${field}.host`, outcome: 'approximate', message })
  }
  // A path that was refused has a line already.
  const isRefused = ingress.lines.some(({ about }) => about.startsWith(`${field}.http.paths`))
  if (paths.length === 0 && field !== 'spec.defaultBackend' && !isRefused) {
    const message = `the rule for ${host === '' ? '*' : host} has no http.paths, so it routes to the default backend only`
    warnings.push({ ...line, about: field, outcome: 'unsupported', message })
  }
  return warnings
}
