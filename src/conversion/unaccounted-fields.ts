/** Fields of an Ingress without a report line. Each gets one, so that nothing is lost silently. */
import { ingressId, type Ingress } from './ingress/ingress.ts'
import type { ReportLine } from './model/report.ts'

/** `lines` are the lines about the Ingress. */
export function unaccountedFields(ingress: Ingress, lines: readonly ReportLine[]): readonly ReportLine[] {
  const isMissing = ({ field }: { readonly field: string }) =>
    !lines.some(({ about }) => about === field || about.startsWith(`${field}.`))
  const isRefused = (field: string) =>
    lines.some(({ about, outcome }) => outcome === 'unsupported' && [field, `${field}.host`].includes(about))
  const id = ingressId(ingress)
  const { tls, rules, defaultBackend } = ingress
  const paths = rules.filter(({ field }) => !isRefused(field)).flatMap((rule) => rule.paths)
  const fallbacks = defaultBackend === undefined ? [] : [defaultBackend]
  return [
    ...tls.filter(isMissing).map(({ field }) => unusedTls(id, field)),
    ...rules.filter((rule) => rule.paths.length === 0 && isMissing(rule)).map(({ field }) => unroutedPath(id, field)),
    ...paths.filter(isMissing).map(({ field }) => unroutedPath(id, field)),
    ...fallbacks.filter(isMissing).map(({ field }) => unusedBackend(id, field)),
  ]
}

function unusedTls(ingress: string, about: string): ReportLine {
  return { ingress, level: 'info', about, outcome: 'not-needed', message: 'none of its hosts has a route' }
}

function unroutedPath(ingress: string, about: string): ReportLine {
  return { ingress, level: 'error', about, outcome: 'unsupported', message: 'no route was generated for it' }
}

function unusedBackend(ingress: string, about: string): ReportLine {
  return { ingress, level: 'warn', about, outcome: 'unsupported', message: 'it has no host to serve' }
}
