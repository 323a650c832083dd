/**
 * `check -o openreports` and `-o policy-report`: a report for each object, as objects that kubectl applies and that dashboards
 * read. `policy-report` is for clusters that have the older group only
 * (https://github.com/openreports/reports-api, https://github.com/kubernetes-sigs/wg-policy-prototypes).
 */
import { createHash } from 'node:crypto'
import { groupBy } from '../../kubernetes/group-by.ts'
import { describe, type ObjectReference } from '../../kubernetes/object.ts'
import { trimEnd } from '../../kubernetes/trim-characters.ts'
import { FINDINGS } from '../../readiness/finding-codes.ts'
import type { Unknown } from '../../readiness/finding.ts'
import type { CheckReport, IgnoredFinding, ReportedFinding } from '../check-report.ts'

interface Dialect {
  readonly apiVersion: string
  readonly kind: string
  /** Of a result: the field for its text. */
  readonly text: 'description' | 'message'
}

const OPEN_REPORTS: Dialect = { apiVersion: 'openreports.io/v1alpha1', kind: 'Report', text: 'description' }
const POLICY_REPORTS: Dialect = { apiVersion: 'wgpolicyk8s.io/v1alpha2', kind: 'PolicyReport', text: 'message' }

export function toOpenReports(report: CheckReport): string {
  return printed(report, OPEN_REPORTS)
}

export function toPolicyReports(report: CheckReport): string {
  return printed(report, POLICY_REPORTS)
}

type Result = 'fail' | 'warn' | 'pass' | 'error' | 'skip'

interface Entry {
  readonly object: ObjectReference
  readonly result: Result
  readonly rule: string
  readonly category: string
  readonly severity: 'high' | 'medium' | 'info'
  readonly text: string
  readonly properties: Readonly<Record<string, string>>
}

const OUTCOMES = {
  error: { result: 'fail', severity: 'high' },
  warn: { result: 'warn', severity: 'medium' },
  info: { result: 'pass', severity: 'info' },
} as const

/** A List in JSON, which is YAML as well. */
function printed({ findings, unknown, ignored }: CheckReport, dialect: Dialect): string {
  const entries: readonly Entry[] = [
    ...findings.map((finding) => ({ ...entryOf(finding), ...OUTCOMES[finding.severity] })),
    ...unknown.map(unknownEntry),
    ...ignored.map(ignoredEntry),
  ]
  const reports = [...groupBy(entries, ({ object }) => describe(object)).values()].map((own) => reportOf(own, dialect))
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: reports }, null, 2)}\n`
}

function entryOf(finding: ReportedFinding): Omit<Entry, 'result' | 'severity'> {
  const { object, code, message, fix, docs, fingerprint, container, slot, port } = finding
  const optional = { container, slot, port: port === undefined ? undefined : String(port) }
  const given = Object.entries(optional).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]))
  const properties = { fix, docs, fingerprint, ...Object.fromEntries(given) }
  return { object, rule: code, category: FINDINGS[code].area, text: message, properties }
}

function unknownEntry({ namespace, reason }: Unknown): Entry {
  const object = { apiVersion: 'v1', kind: 'Namespace', namespace: '', name: namespace }
  return {
    object,
    result: 'error',
    severity: 'info',
    rule: 'unknown',
    category: 'strict',
    text: reason,
    properties: {},
  }
}

function ignoredEntry(finding: IgnoredFinding): Entry {
  const entry = entryOf(finding)
  const properties = { ...entry.properties, ignoredBy: finding.ignoredBy }
  return { ...entry, result: 'skip', severity: 'info', properties }
}

function reportOf(entries: readonly Entry[], { apiVersion, kind, text }: Dialect): object {
  const [first] = entries
  const { namespace, ...reference } = first?.object ?? { apiVersion: '', kind: '', namespace: '', name: '' }
  const isClusterScoped = namespace === ''
  const of = (result: Result) => entries.filter((entry) => entry.result === result).length
  return {
    apiVersion,
    kind: isClusterScoped ? `Cluster${kind}` : kind,
    metadata: {
      name: nameOf(reference.kind, reference.name),
      ...(isClusterScoped ? {} : { namespace }),
      labels: { 'app.kubernetes.io/managed-by': 'istio-onramp' },
    },
    scope: { ...reference, ...(isClusterScoped ? {} : { namespace }) },
    summary: { pass: of('pass'), fail: of('fail'), warn: of('warn'), error: of('error'), skip: of('skip') },
    results: entries.map((entry) => ({
      source: 'istio-onramp',
      policy: 'istio-onramp-check',
      rule: entry.rule,
      category: entry.category,
      severity: entry.severity,
      result: entry.result,
      scored: entry.result !== 'skip',
      [text]: entry.text,
      properties: entry.properties,
    })),
  }
}

/** A name of an object: lower case, at most 253 characters, and different for different objects. */
function nameOf(kind: string, name: string): string {
  const whole = `istio-onramp-${kind}-${name}`.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '-')
  if (whole.length <= 253 && whole.endsWith(name)) return whole
  const hash = createHash('sha256').update(`${kind}/${name}`).digest('hex').slice(0, 10)
  return `${trimEnd(whole.slice(0, 240), '.-')}-${hash}`
}
