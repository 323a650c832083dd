/** `check -o markdown`: for a pull request. The verdicts as a table, then each finding with its remedy. */
import { counted } from '../../kubernetes/counted.ts'
import type { CheckReport, ReportedFinding } from '../check-report.ts'
import { describeFinding } from './described.ts'

const MARKS = { error: '🛑', warn: '⚠️', info: 'ℹ️' } as const

export function toMarkdown({ namespaces, findings, unknown, ignored }: CheckReport): string {
  const parts = [
    '## May the namespace be STRICT?',
    table(
      ['Namespace', 'STRICT?', 'Mode', 'Errors', 'Warnings', 'Next'],
      namespaces.map(({ name, verdict, mode, counts, next }) => {
        const strict = verdict === 'no' ? '**no**' : verdict
        return [code(name), strict, mode, String(counts.error), String(counts.warn), code(next)]
      }),
    ),
    ...section(counted(findings.length, 'finding'), findings.map(item)),
    ...section(
      'Not known',
      unknown.map(({ namespace, reason }) => `- ${code(namespace)}: ${escape(reason)}`),
    ),
    ...section(
      'Ignored',
      ignored.map((finding) => `- ${described(finding)}, by ${escape(finding.ignoredBy)}`),
    ),
  ]
  return `${parts.join('\n\n')}\n`
}

function section(title: string, items: readonly string[]): readonly string[] {
  return items.length === 0 ? [] : [`### ${title}`, items.join('\n')]
}

function item(finding: ReportedFinding): string {
  const { severity, message, fix, file, line, isNew } = finding
  const place = file === undefined ? '' : `, ${code(`${file}:${line ?? 1}`)}`
  const mark = isNew === true ? ' **new**' : ''
  return `- ${MARKS[severity]} ${described(finding)}${place}${mark}<br>${escape(message)}<br>Fix: ${escape(fix)}`
}

function described(finding: ReportedFinding): string {
  return `[${finding.code}](${finding.docs}) ${code(describeFinding(finding))}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** In a span of code, with more backticks around it than within; a pipe would end a table's cell. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  const pad = longest > 0 ? ' ' : ''
  return `${fence}${pad}${text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|')}${pad}${fence}`
}

function escape(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|#]/g, '\\$&').replaceAll('\n', '<br>')
}
