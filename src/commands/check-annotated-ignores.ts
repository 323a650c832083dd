/** Findings that annotations of objects and namespaces ignore. */
import { annotationsOf } from '../kubernetes/object.ts'
import type { Estate } from '../readiness/estate.ts'
import { finding as makeFinding, type Finding } from '../readiness/finding.ts'
import { IGNORE, parseIgnores, type IgnoreEntry } from './check-ignore.ts'
import type { CheckInput } from './check-input.ts'

/** Returns the entries in annotations of objects and their namespaces, and a finding for each invalid entry. */
export function ignoresOf(findings: readonly Finding[], input: CheckInput, estate: Estate) {
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
