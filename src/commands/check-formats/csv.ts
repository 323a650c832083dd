/** `check -o csv`: a row for each finding, then one for each unknown and each ignored finding (RFC 4180). */
import type { CheckReport, ReportedFinding } from '../check-report.ts'

// prettier-ignore
const COLUMNS = [
  'code', 'severity', 'apiVersion', 'kind', 'namespace', 'name', 'container', 'slot', 'port',
  'message', 'fix', 'file', 'line', 'docs', 'fingerprint',
] as const

type Row = Partial<Readonly<Record<(typeof COLUMNS)[number], string | number | undefined>>>

export function toCsv({ findings, unknown, ignored }: CheckReport): string {
  const rows: readonly Row[] = [
    ...findings.map((finding) => rowOf(finding, finding.severity)),
    ...unknown.map(({ namespace, reason }) => ({
      severity: 'unknown',
      kind: 'Namespace',
      name: namespace,
      message: reason,
    })),
    ...ignored.map((finding) => rowOf(finding, 'ignored')),
  ]
  const lines = [COLUMNS, ...rows.map((row) => COLUMNS.map((column) => row[column]))]
  return lines.map((line) => `${line.map(cell).join(',')}\r\n`).join('')
}

function rowOf(finding: ReportedFinding, severity: string): Row {
  const { apiVersion, kind, namespace, name } = finding.object
  return { ...finding, severity, apiVersion, kind, namespace, name }
}

/** A spreadsheet takes some texts for formulas; those get a quote in front (https://owasp.org/www-community/attacks/CSV_Injection). */
function cell(value: string | number | undefined): string {
  const text = String(value ?? '')
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
