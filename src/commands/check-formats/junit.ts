/**
 * `check -o junit`: a test suite for each namespace, a case for each finding. Errors and warnings fail, notices pass, unknown and
 * ignored ones are skipped (https://github.com/testmoapp/junitxml).
 */
import { groupBy } from '../../kubernetes/group-by.ts'
import type { CheckReport, ReportedFinding } from '../check-report.ts'
import { describeFinding } from './described.ts'

interface Case {
  readonly suite: string
  readonly name: string
  readonly outcome: 'failure' | 'passed' | 'skipped'
  /** Elements within the case. */
  readonly body: string
}

export function toJunit({ findings, unknown, ignored }: CheckReport): string {
  const cases: readonly Case[] = [
    ...findings.map(caseOf),
    ...unknown.map(({ namespace, reason }) => skipped(namespace, `unknown: namespace ${namespace}`, reason)),
    ...ignored.map((finding) => skipped(suiteOf(finding), nameOf(finding), `ignored by ${finding.ignoredBy}`)),
  ]
  const suites = [...groupBy(cases, ({ suite }) => suite)].map(([name, own]) => suiteXml(name, own))
  const attributes = attributesOf({ name: 'istio-onramp check', ...countsOf(cases) })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes}>\n${suites.join('')}</testsuites>\n`
}

function caseOf(finding: ReportedFinding): Case {
  const { severity, code, message, fix, docs } = finding
  const named = { suite: suiteOf(finding), name: nameOf(finding) }
  if (severity === 'info')
    return { ...named, outcome: 'passed', body: `<system-out>${escapeXml(message)}</system-out>` }
  const attributes = attributesOf({ message, type: `${severity} ${code}` })
  const body = `<failure${attributes}>${escapeXml(`${message}\nfix: ${fix}\n${docs}`)}</failure>`
  return { ...named, outcome: 'failure', body }
}

function skipped(suite: string, name: string, reason: string): Case {
  return { suite, name, outcome: 'skipped', body: `<skipped${attributesOf({ message: reason })}/>` }
}

function suiteOf({ object, scope }: ReportedFinding): string {
  return object.namespace === '' ? scope : object.namespace
}

function nameOf(finding: ReportedFinding): string {
  return `${finding.code}: ${describeFinding(finding)}`
}

function countsOf(cases: readonly Case[]) {
  const of = (outcome: Case['outcome']) => cases.filter((one) => one.outcome === outcome).length
  return { tests: cases.length, failures: of('failure'), errors: 0, skipped: of('skipped') }
}

function suiteXml(name: string, cases: readonly Case[]): string {
  const lines = cases.map(
    (one) => `    <testcase${attributesOf({ classname: name, name: one.name })}>${one.body}</testcase>\n`,
  )
  return `  <testsuite${attributesOf({ name, ...countsOf(cases) })}>\n${lines.join('')}  </testsuite>\n`
}

function attributesOf(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeXml(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('')
}

// https://www.w3.org/TR/xml/#charsets: other control characters cannot be written at all.
const UNWRITABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu

function escapeXml(text: string): string {
  return text
    .replaceAll(UNWRITABLE, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
