/**
 * `check -o text`: the verdict for each namespace, the findings by object, one next step each, and the order of the
 * switch.
 */
import { counted } from '../kubernetes/counted.ts'
import { describe, type ObjectReference } from '../kubernetes/object.ts'
import { switchOrder } from '../readiness/switch-order.ts'
import type { CheckReport, ReportedFinding, ReportedNamespace } from './check-report.ts'
import type { Paint } from './preview-text.ts'

const WIDTH = 100

export function renderReport(report: CheckReport, paint: Paint): string {
  const { namespaces, findings, unknown, ignored } = report
  const lines = [
    summary(report),
    '',
    ...namespaces.map((namespace) => verdictLine(namespace, paint)),
    ...groupByObject(findings).flatMap(([object, group]) => ['', ...renderObject(object, group, paint)]),
    ...(unknown.length === 0
      ? []
      : [
          '',
          paint('bold', 'not known'),
          ...unknown.flatMap(({ namespace, reason }) => wrap(`${namespace}: ${reason}`, '  ')),
        ]),
    ...(ignored.length === 0
      ? []
      : [
          '',
          paint('bold', 'ignored'),
          ...ignored.flatMap((finding) =>
            wrap(`${describe(finding.object)} ${finding.code} by ${finding.ignoredBy}`, '  '),
          ),
        ]),
    ...(namespaces.length === 0 ? [] : ['', ...namespaces.map(({ next }) => `${paint('cyan', 'next:')} ${next}`)]),
    ...orderLines(namespaces, paint),
  ]
  return `${lines.join('\n')}\n`
}

function summary({ namespaces, findings, unknown, ignored }: CheckReport): string {
  const of = (severity: string) => findings.filter((finding) => finding.severity === severity).length
  const counts = [
    counted(of('error'), 'error'),
    counted(of('warn'), 'warning'),
    counted(of('info'), 'notice'),
    `${unknown.length} unknown`,
    `${ignored.length} ignored`,
  ]
  return `${counted(namespaces.length, 'namespace')}: ${counts.join(', ')}`
}

/** The verdict with a short reason. */
function verdictLine(namespace: ReportedNamespace, paint: Paint): string {
  const { name, verdict, mode, dataplane } = namespace
  const color = verdict === 'yes' ? 'green' : verdict === 'no' ? 'red' : 'yellow'
  return `${paint(color, verdict.padEnd(8))}${paint('bold', name)}  ${why(namespace)} (${dataplane}, ${mode})`
}

function why({ verdict, findings, unknown, mode }: ReportedNamespace): string {
  if (verdict === 'yes') return mode === 'STRICT' ? 'STRICT, and nothing breaks' : 'nothing breaks under STRICT'
  const broken = findings.filter(({ severity }) => severity === 'error').length
  if (verdict === 'no') return broken === 1 ? 'one thing breaks under STRICT' : `${broken} things break under STRICT`
  return unknown[0]?.brief ?? 'too little is known'
}

function groupByObject(
  findings: readonly ReportedFinding[],
): readonly (readonly [ObjectReference, readonly ReportedFinding[]])[] {
  const groups = new Map<string, [ObjectReference, ReportedFinding[]]>()
  for (const finding of findings) {
    const key = describe(finding.object)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [finding.object, [finding]])
    else group[1].push(finding)
  }
  return [...groups.values()]
}

function renderObject(object: ObjectReference, findings: readonly ReportedFinding[], paint: Paint): readonly string[] {
  const [first] = findings
  const place = first?.file === undefined ? '' : `  ${first.file}:${first.line ?? 1}`
  return [
    `${paint('bold', describe(object))}${paint('dim', place)}`,
    ...findings.flatMap((finding) => renderFinding(finding, paint)),
  ]
}

function renderFinding({ severity, code, message, fix, isNew }: ReportedFinding, paint: Paint): readonly string[] {
  const color = severity === 'error' ? 'red' : severity === 'warn' ? 'yellow' : 'dim'
  return [
    `  ${paint(color, severity.padEnd(5))} ${code}${isNew === true ? ' (new)' : ''}`,
    ...wrap(message, '        '),
    ...wrap(`fix: ${fix}`, '        '),
  ]
}

/** Wraps words at 100 columns, and leaves the YAML after a first line as it is. A longer word gets a line of its own, so that it can be copied. */
function wrap(text: string, indent: string): readonly string[] {
  const [sentence = '', ...block] = text.split('\n')
  return [...wrapWords(sentence, indent), ...block.map((line) => `${indent}${line}`.trimEnd())]
}

function wrapWords(text: string, indent: string): readonly string[] {
  const lines: string[] = []
  let line = indent
  for (const word of text.split(' ')) {
    if (line.length + word.length > WIDTH && line.trim() !== '') {
      lines.push(line.trimEnd())
      line = indent
    }
    line += `${word} `
  }
  return [...lines, line.trimEnd()]
}

function orderLines(namespaces: readonly ReportedNamespace[], paint: Paint): readonly string[] {
  const waves = switchOrder(namespaces)
  if (namespaces.length < 2 || waves.length === 0) return []
  return [
    '',
    paint('bold', 'order'),
    ...waves.flatMap(({ title, namespaces: names, before, wayBack }) => [
      ...wrap(`${title}: ${names.join(', ')}`, '  '),
      ...before.flatMap((command) => wrap(`before: ${command}`, '      ')),
      ...wayBack.flatMap((command) => wrap(`back:   ${command}`, '      ')),
    ]),
  ]
}
