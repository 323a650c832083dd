/** The report of a conversion as a file: an estate view (.html), .md, .csv or .json, by its ending. */
import { writeFile } from 'node:fs/promises'
import type { Conversion } from '../conversion/convert-ingresses.ts'
import { needsAttention, type Note, type ReportLine } from '../conversion/model/report.ts'
import { InputError, messageOf } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { countOf, estateOf, type EstateIngress } from './convert-estate.ts'
import { renderHtml } from './convert-html.ts'

/** `objects` are the input. Throws InputError. */
export async function writeReport(file: string, conversion: Conversion, objects: readonly JsonObject[]): Promise<void> {
  try {
    await writeFile(file, reportText(file, conversion, objects))
  } catch (error) {
    throw new InputError('output-unwritable', [`--report ${file}: ${messageOf(error)}`])
  }
}

function reportText(file: string, conversion: Conversion, objects: readonly JsonObject[]): string {
  if (file.endsWith('.html')) return renderHtml(conversion, objects)
  if (file.endsWith('.md')) return renderMarkdown(conversion)
  const lines = allLines(conversion)
  return file.endsWith('.csv') ? renderCsv(lines) : `${JSON.stringify(lines, null, 2)}\n`
}

/** Lines about the whole conversion come last and have an empty Ingress. */
function allLines({ report, notes }: Conversion): readonly ReportLine[] {
  return [...report, ...notes.map((note) => ({ ingress: '', ...note }))]
}

function renderCsv(lines: readonly ReportLine[]): string {
  const rows = lines.map(({ ingress, level, outcome, about, message }) => {
    const [namespace = '', name = ''] = ingress.split('/')
    return [namespace, name, level, outcome, about, message]
  })
  return [['namespace', 'ingress', 'level', 'outcome', 'about', 'message'], ...rows]
    .map((row) => `${row.map(csvCell).join(',')}\r\n`)
    .join('')
}

/** A spreadsheet would run a cell that begins like a formula (https://owasp.org/www-community/attacks/CSV_Injection). */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Counts first, then what is lost, then each Ingress that needs attention. */
function renderMarkdown(conversion: Conversion): string {
  const { ingresses, namespaces, losses, shared } = estateOf(conversion)
  const urgent = ingresses.filter(({ verdict }) => verdict !== 'exactly')
  return [
    '# Conversion of Ingresses\n',
    table(
      ['Namespace', 'Ingresses', 'exactly', 'approximately', 'not'],
      [...[...namespaces].map(([name, group]) => countRow(name, group)), countRow('all', ingresses)],
    ),
    ...(losses.length === 0
      ? []
      : [
          '\n## Not converted\n',
          table(
            ['Field', 'Ingresses', 'Namespaces'],
            losses.map(({ about, count, namespaces: where }) => [
              code(about),
              String(count),
              where.map(text).join(', '),
            ]),
          ),
        ]),
    ...(shared.length === 0
      ? []
      : [
          '\n## Hosts of several namespaces\n',
          table(
            ['Host', 'Namespaces'],
            shared.map(({ host, namespaces: where }) => [code(host), where.map(text).join(', ')]),
          ),
        ]),
    ...(conversion.notes.length === 0 ? [] : ['\n## All Ingresses\n', lineTable(conversion.notes)]),
    ...urgent.flatMap(({ id, verdict, lines }) => [
      `\n## ${text(id)}: ${verdict === 'not' ? 'not converted whole' : verdict}\n`,
      lineTable(lines.filter((line) => needsAttention(line) || line.outcome === 'approximate')),
    ]),
  ].join('\n')
}

function countRow(name: string, group: readonly EstateIngress[]): readonly string[] {
  const counts = (['exactly', 'approximately', 'not'] as const).map((verdict) => String(countOf(group, verdict)))
  return [text(name), String(group.length), ...counts]
}

function lineTable(lines: readonly Note[]): string {
  const rows = lines.map(({ level, outcome, about, message }) => [level, outcome, code(about), text(message)])
  return table(['Level', 'Outcome', 'About', 'Message'], rows)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')
}

/** Escapes what Markdown or HTML would read as markup. */
function text(value: string): string {
  return value
    .replaceAll(/[\\`*_{}[\]()#+!|~-]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
}

function code(value: string): string {
  return /[`|<&]/.test(value) ? text(value) : `\`${value}\``
}
