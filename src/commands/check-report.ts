/** The report of `check`: a value that every format prints. Its JSON is a contract (see `toJson`). */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { InputError, messageOf } from '../errors.ts'
import { arrayMember, isObject, member, stringMember } from '../kubernetes/json.ts'
import type { Severity } from '../readiness/codes/finding-text.ts'
import { FINDING_DOCS } from '../readiness/finding-codes.ts'
import { findingKey, type Finding, type Unknown } from '../readiness/finding.ts'
import type { WorkloadPorts } from '../readiness/port-matrix.ts'
import type { NamespaceVerdict } from '../readiness/verdict.ts'

const REPORT_VERSION = 'istio-onramp.io/v1alpha1'

export interface ReportedFinding extends Finding {
  readonly docs: string
  readonly fingerprint: string
  readonly file: string | undefined
  readonly line: number | undefined
  /** Whether the baseline lacks it; undefined without a baseline. */
  readonly isNew: boolean | undefined
}

export interface IgnoredFinding extends ReportedFinding {
  readonly ignoredBy: string
  readonly until: string | undefined
}

export type Counts = Readonly<Record<Severity | 'unknown' | 'ignored', number>>

export interface ReportedNamespace extends NamespaceVerdict {
  readonly counts: Counts
}

export interface CheckReport {
  readonly namespaces: readonly ReportedNamespace[]
  readonly findings: readonly ReportedFinding[]
  readonly unknown: readonly Unknown[]
  readonly ignored: readonly IgnoredFinding[]
  /** Findings of the baseline that are gone; undefined without a baseline. */
  readonly fixed: number | undefined
  /** The ports of the workloads in the namespaces, only for a format that shows them. */
  readonly workloads: readonly WorkloadPorts[]
}

/** One report, printed. */
export interface CheckResult {
  /** For standard output. */
  readonly output: string
  readonly hasFindings: boolean
}

/** Returns 128 bits of SHA-256 over the finding's key, which contains neither line numbers nor neighbours. */
export function fingerprintOf(finding: Finding): string {
  return createHash('sha256').update(findingKey(finding)).digest('hex').slice(0, 32)
}

export function docsOf({ code }: Finding): string {
  return `${FINDING_DOCS}${code}.md`
}

/** A finding counts for its object's namespace, and for the namespace whose switch it concerns. */
export function concerns({ object, scope }: Finding, namespace: string): boolean {
  return object.namespace === namespace || scope === namespace
}

/** Returns the counts of a namespace. */
export function countByNamespace({
  findings,
  unknown,
  ignored,
}: Pick<CheckReport, 'findings' | 'unknown' | 'ignored'>): (namespace: string) => Counts {
  const counts = new Map<string, Counts>()
  const add = (namespace: string, key: keyof Counts) => {
    const known = counts.get(namespace) ?? NOTHING
    counts.set(namespace, { ...known, [key]: known[key] + 1 })
  }
  for (const finding of findings) for (const namespace of concernedBy(finding)) add(namespace, finding.severity)
  for (const { namespace } of unknown) add(namespace, 'unknown')
  for (const finding of ignored) for (const namespace of concernedBy(finding)) add(namespace, 'ignored')
  return (namespace) => counts.get(namespace) ?? NOTHING
}

const NOTHING: Counts = { error: 0, warn: 0, info: 0, unknown: 0, ignored: 0 }

function concernedBy({ object, scope }: Finding): ReadonlySet<string> {
  return new Set([object.namespace, scope])
}

/** `kind: CheckReport`. Optional keys without a value are omitted. */
export function toJson({ namespaces, findings, unknown, ignored }: CheckReport): object {
  return {
    apiVersion: REPORT_VERSION,
    kind: 'CheckReport',
    namespaces: namespaces.map(({ name, dataplane, mode, verdict, step, next, counts }) => ({
      name,
      dataplane,
      mode,
      verdict,
      step,
      next,
      counts,
    })),
    findings: findings.map(findingJson),
    unknown: unknown.map(({ namespace, reason }) => ({ about: `namespace ${namespace}`, reason })),
    ignored: ignored.map((finding) => ({
      ...findingJson(finding),
      ignoredBy: finding.ignoredBy,
      until: finding.until,
    })),
  }
}

function findingJson(finding: ReportedFinding): object {
  const { code, severity, object, container, slot, port, message, fix, docs, fingerprint, callers, file, line } =
    finding
  const { apiVersion, kind, namespace, name } = object
  return {
    code,
    severity,
    object: { apiVersion, kind, namespace, name },
    container,
    slot,
    port,
    message,
    fix,
    docs,
    fingerprint,
    callers,
    file,
    line,
  }
}

/** Returns the fingerprints of an earlier report. Throws InputError. */
export async function readBaseline(file: string): Promise<ReadonlySet<string>> {
  const refuse = (problem: string): never => {
    throw new InputError('report-invalid', [`${file}: ${problem}`])
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => refuse(messageOf(error)))
  let report: unknown
  try {
    report = JSON.parse(text)
  } catch (error) {
    return refuse(messageOf(error))
  }
  if (!isObject(report) || member(report, 'kind') !== 'CheckReport') return refuse('not a CheckReport')
  if (member(report, 'apiVersion') !== REPORT_VERSION)
    return refuse(`apiVersion is ${JSON.stringify(member(report, 'apiVersion'))}; ${REPORT_VERSION} is expected`)
  if (!Array.isArray(member(report, 'findings'))) return refuse('findings: a list is expected')
  return new Set(arrayMember(report, 'findings').flatMap((finding) => stringMember(finding, 'fingerprint') ?? []))
}
