/** The formats of `check -o`. Each prints the whole report, so findings and exit code are the same in all of them. */
import { toCsv } from './check-formats/csv.ts'
import { toGithub } from './check-formats/github.ts'
import { toHtml } from './check-formats/html.ts'
import { toJunit } from './check-formats/junit.ts'
import { toMarkdown } from './check-formats/markdown.ts'
import { toOpenReports, toPolicyReports } from './check-formats/policy-reports.ts'
import { toSarif } from './check-formats/sarif.ts'
import type { CheckFormat } from './check-format-names.ts'
import { toJson, type CheckReport } from './check-report.ts'
import { renderReport } from './check-text.ts'
import type { Paint } from './preview-text.ts'

const FORMATS = {
  text: renderReport,
  json: (report) => asJson(toJson(report)),
  junit: toJunit,
  sarif: (report) => asJson(toSarif(report)),
  github: toGithub,
  markdown: toMarkdown,
  csv: toCsv,
  html: toHtml,
  openreports: toOpenReports,
  'policy-report': toPolicyReports,
} as const satisfies Readonly<Record<CheckFormat, (report: CheckReport, paint: Paint) => string>>

/** Ends with a line break, unless the format has nothing to print. */
export function renderAs(format: CheckFormat, report: CheckReport, paint: Paint): string {
  return FORMATS[format](report, paint)
}

function asJson(value: object): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
