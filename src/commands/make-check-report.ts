/** Makes the report of `check` of its input: findings, those that are ignored, and the verdict of each namespace. */
import type { Configuration } from '../config.ts'
import { groupBy } from '../kubernetes/group-by.ts'
import { describe, type ObjectReference } from '../kubernetes/object.ts'
import { assess, assessInSteps, assumingStrict } from '../readiness/assess.ts'
import { buildEstate, buildEstateInSteps, type Estate } from '../readiness/estate.ts'
import { findingKey, type Finding } from '../readiness/finding.ts'
import { tabulatePorts } from '../readiness/port-matrix.ts'
import { situationOf } from '../readiness/situation.ts'
import { judgeNamespaces } from '../readiness/verdict.ts'
import { ignoresOf } from './check-annotated-ignores.ts'
import type { Traffic } from './check-callers.ts'
import { ignoredBy, type IgnoreEntry } from './check-ignore.ts'
import type { CheckInput } from './check-input.ts'
import type { CheckOptions } from './check-options.ts'
import {
  concerns,
  countByNamespace,
  docsOf,
  fingerprintOf,
  type CheckReport,
  type IgnoredFinding,
  type ReportedFinding,
} from './check-report.ts'
import { finishTelling } from './slow-work.ts'

/** What is known besides the cluster: an earlier report, what is ignored, what access logs show. */
export interface Knowledge extends Exceptions {
  readonly traffic: Traffic | undefined
}

/** What is known already, and what is ignored. */
export interface Exceptions {
  readonly baseline: ReadonlySet<string> | undefined
  readonly ignores: readonly IgnoreEntry[]
}

export function makeReport(
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
