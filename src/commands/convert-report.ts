/** The report of a conversion for people: by Ingress, losses first, successes on one line. */
import { oneLine } from '../kubernetes/yaml-text.ts'
import { byLevel, needsAttention, type Outcome, type ReportLine } from '../conversion/model/report.ts'
import { listed } from '../rules/ingress/message-text.ts'

const WORDS: Readonly<Record<Outcome, string>> = {
  converted: 'converted',
  'not-needed': 'not needed',
  'platform-step': 'step for the platform team',
  approximate: 'differs',
  unsupported: 'not converted',
  foreign: 'not read by a controller',
}

const MOST_NAMES = 20

/**
 * `places` maps `namespace/name` to the file and line of the Ingress. Returns an empty text if there is nothing to
 * report.
 */
export function renderReport(report: readonly ReportLine[], places: ReadonlyMap<string, string>): string {
  const ingresses = new Map<string, ReportLine[]>()
  for (const line of report) ingresses.set(line.ingress, [...(ingresses.get(line.ingress) ?? []), line])
  const sections = [...ingresses].map(([name, lines]) => renderIngress(name, places.get(name), lines))
  return sections.length === 0 ? '' : `${[...sections, summary(report)].join('\n\n')}\n`
}

function renderIngress(name: string, place: string | undefined, lines: readonly ReportLine[]): string {
  const urgent = lines.filter(needsAttention).toSorted(byLevel)
  const calm = lines.filter((line) => !needsAttention(line))
  return [
    oneLine(`Ingress ${name}${place === undefined ? '' : ` (${place})`}`),
    ...urgent.map(fullLine),
    ...calm.filter(({ outcome }) => outcome === 'approximate').map(fullLine),
    ...(['converted', 'not-needed', 'foreign'] as const).flatMap((outcome) => calmLine(outcome, calm)),
  ].join('\n')
}

function fullLine({ level, about, outcome, message }: ReportLine): string {
  return `  ${labelOf(level, outcome)} ${about}: ${WORDS[outcome]}: ${message}`
}

function labelOf(level: ReportLine['level'], outcome: Outcome): string {
  return (outcome === 'platform-step' && level === 'info' ? 'step' : level).padEnd(5)
}

/** Expected outcomes are named without explanation; `-o json` has the sentences. */
function calmLine(outcome: Outcome, lines: readonly ReportLine[]): readonly string[] {
  const abouts = lines.filter((line) => line.outcome === outcome).map(({ about }) => about)
  return abouts.length === 0 ? [] : [`  ${WORDS[outcome]}: ${listed(abouts, MOST_NAMES, ', ')}`]
}

function summary(report: readonly ReportLine[]): string {
  const count = (level: ReportLine['level']) => report.filter((line) => line.level === level).length
  const steps = report.filter(({ outcome }) => outcome === 'platform-step').length
  const ingresses = new Set(report.map(({ ingress }) => ingress)).size
  const parts = [
    counted(ingresses, 'Ingress', 'es'),
    counted(count('error'), 'error'),
    counted(count('warn'), 'warning'),
    counted(steps, 'step'),
  ]
  return `${parts.join(', ')} for the platform team`
}

function counted(count: number, word: string, plural = 's'): string {
  return `${count} ${word}${count === 1 ? '' : plural}`
}
