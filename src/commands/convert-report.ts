/** The report of a conversion for people: the counts, then each Ingress with what is lost first, and successes on one line. */
import { counted } from '../kubernetes/counted.ts'
import { oneLine } from '../kubernetes/yaml-text.ts'
import { byLevel, needsAttention, type Note, type Outcome, type ReportLine } from '../conversion/model/report.ts'
import { groupBy } from '../kubernetes/group-by.ts'
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

export interface ReportText {
  readonly report: readonly ReportLine[]
  readonly notes: readonly Note[]
  /** The file and line of each Ingress, by `namespace/name`. */
  readonly places: ReadonlyMap<string, string>
  /** Longer lines are broken at blanks; undefined for no limit. */
  readonly width: number | undefined
}

/** Returns an empty text if there is nothing to report. */
export function renderReport({ report, notes, places, width }: ReportText): string {
  const ingresses = [...groupBy(report, ({ ingress }) => ingress)].toSorted(byGravity)
  const sections = [
    summary(report, notes),
    ...(notes.length === 0 ? [] : [renderNotes(notes)]),
    ...ingresses.map(([name, lines]) => renderIngress(name, places.get(name), lines)),
  ]
  if (ingresses.length === 0 && notes.length === 0) return ''
  return `${sections.map((section) => wrapped(section, width)).join('\n\n')}\n`
}

/** Ingresses with losses first; otherwise in the order of the input. */
function byGravity([, left]: Section, [, right]: Section): number {
  return gravity(left) - gravity(right)
}

type Section = readonly [string, readonly ReportLine[]]

function gravity(lines: readonly ReportLine[]): number {
  return lines.some(({ level }) => level === 'error') ? 0 : lines.some(({ level }) => level === 'warn') ? 1 : 2
}

function renderNotes(notes: readonly Note[]): string {
  return ['All Ingresses', ...notes.toSorted(byLevel).map(fullLine)].join('\n')
}

function renderIngress(name: string, place: string | undefined, lines: readonly ReportLine[]): string {
  const urgent = lines.filter(needsAttention).toSorted(byLevel)
  const explained = lines.filter((line) => !needsAttention(line) && line.outcome === 'approximate')
  // A field has one outcome: one that is explained above is not also listed as converted.
  const told = new Set([...urgent, ...explained].map(({ about }) => about))
  const calm = lines.filter((line) => !needsAttention(line) && !told.has(line.about))
  return [
    oneLine(`Ingress ${name}${place === undefined ? '' : ` (${place})`}`),
    ...urgent.map(fullLine),
    ...explained.map(fullLine),
    ...(['converted', 'not-needed', 'foreign'] as const).flatMap((outcome) => calmLine(outcome, calm)),
  ].join('\n')
}

function fullLine({ level, about, outcome, message }: Note): string {
  const text = message.startsWith(`${WORDS[outcome]}: `) ? message : `${WORDS[outcome]}: ${message}`
  return `  ${labelOf(level, outcome)} ${about}: ${text}`
}

function labelOf(level: ReportLine['level'], outcome: Outcome): string {
  return (outcome === 'platform-step' && level === 'info' ? 'step' : level).padEnd(5)
}

/** Names the fields without explaining them; `-o json` includes the sentences. */
function calmLine(outcome: Outcome, lines: readonly ReportLine[]): readonly string[] {
  const abouts = [...new Set(lines.filter((line) => line.outcome === outcome).map(({ about }) => about))]
  return abouts.length === 0 ? [] : [`  ${WORDS[outcome]}: ${listed(abouts, MOST_NAMES, ', ')}`]
}

function summary(report: readonly ReportLine[], notes: readonly Note[]): string {
  const count = (level: ReportLine['level']) => [...report, ...notes].filter((line) => line.level === level).length
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

/** Breaks lines at blanks. A word that is longer than a line stays whole, so that it can be copied. */
function wrapped(text: string, width: number | undefined): string {
  if (width === undefined) return text
  return text
    .split('\n')
    .flatMap((line) => wrappedLine(line, width))
    .join('\n')
}

const INDENT = '        '

function wrappedLine(line: string, width: number): readonly string[] {
  const [start = ''] = /^\s*/.exec(line) ?? []
  const lines: string[] = []
  let current = start
  let isFirst = true
  for (const word of line.slice(start.length).split(' ')) {
    if (!isFirst && current.length + 1 + word.length > width) {
      lines.push(current)
      current = `${INDENT}${word}`
    } else current = isFirst ? `${current}${word}` : `${current} ${word}`
    isFirst = false
  }
  return [...lines, current]
}
