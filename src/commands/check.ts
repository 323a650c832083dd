/**
 * `istio-onramp check`: whether a namespace can be switched to STRICT, and what would break. It never writes to a
 * cluster.
 */
import { writeFile } from 'node:fs/promises'
import type { ClusterState } from '../cluster/cluster-state.ts'
import type { Configuration } from '../config.ts'
import { InputError, messageOf } from '../errors.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { annotationsOf, describe, type ObjectReference } from '../kubernetes/object.ts'
import { assess, assessInSteps, assumingStrict } from '../readiness/assess.ts'
import { buildEstate, buildEstateInSteps, type Estate } from '../readiness/estate.ts'
import { findingKey, type Finding } from '../readiness/finding.ts'
import { finding as makeFinding } from '../readiness/finding.ts'
import { tabulatePorts } from '../readiness/port-matrix.ts'
import { situationOf } from '../readiness/situation.ts'
import { judgeNamespaces } from '../readiness/verdict.ts'
import { renderAs } from './check-format.ts'
import type { CheckFormat } from './check-format-names.ts'
import { IGNORE, ignoredBy, parseIgnores, readIgnoreFile, type IgnoreEntry } from './check-ignore.ts'
import { readCheckInput, readProposal, type CheckInput } from './check-input.ts'
import { readTraffic, type Traffic } from './check-callers.ts'
import {
  concerns,
  countByNamespace,
  docsOf,
  fingerprintOf,
  readBaseline,
  type CheckReport,
  type CheckResult,
  type IgnoredFinding,
  type ReportedFinding,
} from './check-report.ts'
import type { ClusterFlags } from './load-cluster.ts'
import { createPaint } from './preview-text.ts'
import { finishTelling } from './slow-work.ts'

export const FAIL_ON = ['error', 'warn', 'unknown', 'never'] as const

export interface CheckOutput {
  readonly format: CheckFormat
  /** Undefined for standard output. */
  readonly file: string | undefined
}

export interface CheckOptions {
  readonly cluster: ClusterFlags
  readonly namespaces: readonly string[]
  /** Namespaces, or `*` for the mesh. */
  readonly assumeStrict: readonly string[]
  readonly change: readonly string[]
  readonly remove: readonly string[]
  readonly accessLog: readonly string[]
  /** The URL of a Prometheus. */
  readonly prometheus: string | undefined
  /** Seconds that metrics and live logs cover; undefined for a day of metrics, and all of a log. */
  readonly since: number | undefined
  readonly outputs: readonly CheckOutput[]
  readonly failOn: (typeof FAIL_ON)[number]
  readonly baseline: string | undefined
  readonly failOnNew: boolean
  readonly ignore: string | undefined
  readonly hasColor: boolean
  /** `2026-11-27` */
  readonly today: string
}

/** Throws InputError. Progress goes to `tell`. */
export async function check(
  options: CheckOptions,
  configuration: Configuration,
  tell: (line: string) => void,
): Promise<CheckResult> {
  const exceptions = await readExceptions(options, tell)
  const input = await readCheckInput(options.cluster, options, configuration, tell)
  const traffic = await readTraffic(options, input, tell)
  return await print(makeReport(input, options, configuration, { ...exceptions, traffic }, tell), options)
}

/**
 * The same, again whenever the answer changes, until `signal` is aborted. `show` gets each output. Returns the last
 * result. Throws InputError.
 */
export async function checkWatching(
  options: CheckOptions,
  configuration: Configuration,
  tell: (line: string) => void,
  show: (output: string) => void,
  signal: AbortSignal,
): Promise<CheckResult> {
  const exceptions = { ...(await readExceptions(options, tell)), traffic: undefined }
  const first = await check(options, configuration, tell)
  show(first.output)
  const report = async (state: ClusterState): Promise<CheckResult> => {
    const input = await readProposal(state, options)
    return await print(makeReport(input, options, configuration, exceptions, tell), options)
  }
  const { watchCheck } = await import('./check-watch.ts')
  return await watchCheck(first, { context: options.cluster.context, report, print: show, tell }, configuration, signal)
}

/** What is known besides the cluster: an earlier report, what is ignored, what access logs show. */
interface Knowledge extends Exceptions {
  readonly traffic: Traffic | undefined
}

/** What is known already, and what is ignored. */
interface Exceptions {
  readonly baseline: ReadonlySet<string> | undefined
  readonly ignores: readonly IgnoreEntry[]
}

async function readExceptions({ baseline, ignore }: CheckOptions, tell: (line: string) => void): Promise<Exceptions> {
  return {
    baseline: baseline === undefined ? undefined : await readBaseline(baseline),
    ignores: ignore === undefined ? [] : await readIgnoreFile(ignore, tell),
  }
}

async function print(report: CheckReport, options: CheckOptions): Promise<CheckResult> {
  let output = ''
  for (const { format, file } of options.outputs) {
    const text = renderAs(format, report, createPaint(options.hasColor && file === undefined))
    if (file === undefined) output += text
    else await write(file, text)
  }
  return { output, hasFindings: fails(report, options) }
}

function makeReport(
  input: CheckInput,
  options: CheckOptions,
  configuration: Configuration,
  { baseline, ignores, traffic }: Knowledge,
  tell: (line: string) => void,
): CheckReport {
  const built = finishTelling('reading the mesh', buildEstateInSteps(input.after), tell)
  const joined = traffic?.join(built)
  const estate = joined?.estate ?? built
  const wanted = (namespace: string) => options.namespaces.length === 0 || options.namespaces.includes(namespace)
  const isWanted = (finding: Finding) => wanted(finding.object.namespace) || wanted(finding.scope)
  for (const name of unknownNamespaces(options, estate))
    tell(`namespace ${name}: the input has neither this namespace nor an object in it`)
  const found = [
    ...listedFindings(input, estate, { ...options, traffic }, configuration, tell).filter(isWanted),
    ...(joined?.findings ?? []).filter((one) => one.scope === '' || isWanted(one)),
  ]
  const ignoring = ignoresOf(found, input, estate)
  const all = [...found, ...ignoring.invalid.filter(isWanted)].map((finding) => reported(finding, input, baseline))
  const findings: ReportedFinding[] = []
  const ignored: IgnoredFinding[] = []
  for (const finding of all) {
    const by = ignoredBy(finding, [...ignores, ...ignoring.entriesFor(finding)], options.today)
    if (by === undefined) findings.push(finding)
    else ignored.push({ ...finding, ignoredBy: by.by, until: by.until })
  }
  const judging = judgeNamespaces(estate, input.after.policies, configuration.rules, wanted)
  const verdicts = finishTelling('checking each namespace', judging, tell)
  const unknown = verdicts.flatMap((verdict) => verdict.unknown)
  const parts = {
    findings,
    unknown,
    ignored,
    fixed: baseline && countFixed(baseline, all),
    workloads: options.outputs.some(({ format }) => format === 'html')
      ? tabulatePorts(estate, input.after.policies, configuration.rules, wanted, portsOf(findings))
      : [],
  }
  const countFor = countByNamespace(parts)
  return { ...parts, namespaces: verdicts.map((verdict) => ({ ...verdict, counts: countFor(verdict.name) })) }
}

/** A misspelt name would otherwise look like a namespace without findings. */
function unknownNamespaces({ namespaces, assumeStrict }: CheckOptions, estate: Estate): readonly string[] {
  const known = new Set(estate.namespaces.map(({ name }) => name))
  return [...new Set([...namespaces, ...assumeStrict])].filter((name) => name !== '*' && !known.has(name))
}

function countFixed(baseline: ReadonlySet<string>, found: readonly ReportedFinding[]): number {
  const left = new Set(found.map(({ fingerprint }) => fingerprint))
  return [...baseline].filter((fingerprint) => !left.has(fingerprint)).length
}

/** Returns the ports that findings name, by object. */
function portsOf(findings: readonly Finding[]): (object: ObjectReference) => readonly number[] {
  const byObject = groupBy(
    findings.filter(({ port }) => port !== undefined),
    ({ object }) => describe(object),
  )
  return (object) => (byObject.get(describe(object)) ?? []).flatMap(({ port }) => port ?? [])
}

/**
 * | flags              | findings listed                                                            |
 * |--------------------|----------------------------------------------------------------------------|
 * | none               | those under the modes in force                                             |
 * | --assume-strict    | those of the namespaces assumed STRICT, and new ones elsewhere             |
 * | --change, --remove | new ones                                                                   |
 */
function listedFindings(
  input: CheckInput,
  estate: Estate,
  options: CheckOptions & { readonly traffic: Traffic | undefined },
  { rules }: Configuration,
  tell: (line: string) => void,
): readonly Finding[] {
  const { assumeStrict } = options
  const hasProposal = options.change.length > 0 || options.remove.length > 0
  const isMesh = assumeStrict.includes('*')
  const names = isMesh ? [...assumeStrict.filter((name) => name !== '*'), estate.rootNamespace] : assumeStrict
  const policies = names.reduce(assumingStrict, input.after.policies)
  const after = finishTelling('checking', assessInSteps(situationOf(estate, policies, rules)), tell)
  if (isMesh || (!hasProposal && names.length === 0)) return after
  const formerly = input.before === input.after ? undefined : buildEstate(input.before)
  const former = formerly === undefined ? estate : (options.traffic?.join(formerly).estate ?? formerly)
  const known = new Set(assess(situationOf(former, input.before.policies, rules)).map(findingKey))
  const isAsked = (finding: Finding) => names.some((name) => concerns(finding, name))
  return after.filter((finding) => isAsked(finding) || !known.has(findingKey(finding)))
}

function reported(finding: Finding, input: CheckInput, baseline: ReadonlySet<string> | undefined): ReportedFinding {
  const source = input.source(finding.object)
  const fingerprint = fingerprintOf(finding)
  return {
    ...finding,
    docs: docsOf(finding),
    fingerprint,
    file: source?.file,
    line: source?.line,
    isNew: baseline === undefined ? undefined : !baseline.has(fingerprint),
  }
}

/** Returns the entries in annotations of objects and their namespaces, and a finding for each invalid entry. */
function ignoresOf(findings: readonly Finding[], input: CheckInput, estate: Estate) {
  const live = new Map(
    estate.inventory.list('workloads').map(({ object }) => [keyOf(object), annotationsOf(object).get(IGNORE)]),
  )
  const invalid: Finding[] = []
  const parsed = new Map<string, readonly IgnoreEntry[]>()
  const read = (by: string, text: string | undefined, finding: Finding): readonly IgnoreEntry[] => {
    const known = parsed.get(by)
    if (known !== undefined || text === undefined) return known ?? []
    const { entries, problems } = parseIgnores(text, by)
    parsed.set(by, entries)
    for (const problem of problems)
      invalid.push(
        makeFinding('ignore-invalid', {
          object: finding.object,
          about: problem,
          message: `Annotation ${IGNORE} of ${by}: ${problem}.`,
          fix: `Write ${IGNORE}: "CODE[@SLOT]=REASON[; until=2027-01-31]".`,
          scope: finding.scope,
        }),
      )
    return entries
  }
  const entriesFor = (finding: Finding): readonly IgnoreEntry[] => {
    const { kind, namespace, name } = finding.object
    const own = input.annotations(finding.object).get(IGNORE) ?? live.get(`${kind}/${namespace}/${name}`)
    const space = namespace === '' ? undefined : estate.inventory.namespace(namespace).annotations.get(IGNORE)
    return [...read(`${kind} ${namespace}/${name}`, own, finding), ...read(`namespace ${namespace}`, space, finding)]
  }
  for (const finding of findings) entriesFor(finding)
  return { entriesFor, invalid }
}

function keyOf(object: Parameters<typeof annotationsOf>[0]): string {
  const { kind, metadata } = object as { kind?: string; metadata?: { namespace?: string; name?: string } }
  return `${kind ?? ''}/${metadata?.namespace ?? 'default'}/${metadata?.name ?? ''}`
}

async function write(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: unknown) => {
    throw new InputError('output-unwritable', [`${file}: ${messageOf(error)}`])
  })
}

/** The exit code does not depend on the formats. */
function fails({ findings, unknown }: CheckReport, { failOn, failOnNew }: CheckOptions): boolean {
  const counted = failOnNew ? findings.filter(({ isNew }) => isNew !== false) : findings
  const has = (severity: string) => counted.some((finding) => finding.severity === severity)
  switch (failOn) {
    case 'never':
      return false
    case 'error':
      return has('error')
    case 'warn':
      return has('error') || has('warn')
    case 'unknown':
      return has('error') || has('warn') || unknown.length > 0
  }
}
