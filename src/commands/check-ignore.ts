/**
 * Findings that a user ignores: annotation `istio-onramp.io/ignore` on the object or its namespace, or a line of the
 * `--ignore` file: `CODE[@SLOT]=REASON[; until=2027-01-31]`. A line of the file may name an object after the code:
 * `CODE Deployment/shop/web=REASON`. An entry without a reason ignores nothing; after its date the finding returns.
 */
import { readFile } from 'node:fs/promises'
import { InputError, messageOf } from '../errors.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import { isFindingCode, type FindingCode } from '../readiness/finding-codes.ts'
import type { Finding } from '../readiness/finding.ts'

export const IGNORE = 'istio-onramp.io/ignore'

export interface IgnoreEntry {
  readonly code: FindingCode
  readonly slot: string | undefined
  /** `Kind/namespace/name`; undefined for every object. */
  readonly object: string | undefined
  readonly reason: string
  /** `2027-01-31`, the last day. */
  readonly until: string | undefined
  readonly by: string
}

export interface Ignored {
  readonly by: string
  readonly until: string | undefined
}

/** Parses one entry per line. Lines that do not parse are returned as problems, one sentence each. */
export function parseIgnores(
  text: string,
  by: string,
): { readonly entries: readonly IgnoreEntry[]; readonly problems: readonly string[] } {
  const entries: IgnoreEntry[] = []
  const problems: string[] = []
  for (const line of text.split('\n').map((part) => part.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const entry = parseEntry(line, by)
    if (typeof entry === 'string') problems.push(entry)
    else entries.push(entry)
  }
  return { entries, problems }
}

function parseEntry(line: string, by: string): IgnoreEntry | string {
  const equals = line.indexOf('=')
  const [selector = '', object] = (equals === -1 ? line : line.slice(0, equals)).trim().split(/\s+/)
  const [code = '', slot] = selector.split('@')
  if (!isFindingCode(code)) return `${JSON.stringify(code)} is not a code; istio-onramp check --explain lists them`
  const [reason = '', ...options] = (equals === -1 ? '' : line.slice(equals + 1)).split(';').map((part) => part.trim())
  if (reason === '') return `${code} has no reason, so it is not ignored: write ${code}=REASON`
  const until = options
    .find((option) => option.startsWith('until='))
    ?.slice('until='.length)
    .trim()
  if (until !== undefined && Number.isNaN(Date.parse(until))) return `until=${until} is not a date such as 2027-01-31`
  return { code, slot, object, reason, until, by }
}

/** Throws InputError for an unknown code or an invalid date. A line without a reason is reported and skipped. */
export async function readIgnoreFile(file: string, tell: (line: string) => void): Promise<readonly IgnoreEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new InputError('ignore-invalid', [`${file}: ${messageOf(error)}`])
  })
  const lines = text.split('\n')
  return lines.flatMap((line, index) => {
    const { entries, problems } = parseIgnores(line, `${file}, line ${index + 1}`)
    for (const problem of problems) {
      if (!problem.includes('no reason'))
        throw new InputError('ignore-invalid', [`${file}, line ${index + 1}: ${problem}`])
      tell(`${file}, line ${index + 1}: ${problem}`)
    }
    return entries
  })
}

/** Returns the entry that ignores the finding; `today` is a date such as `2026-11-27`. */
export function ignoredBy(finding: Finding, entries: readonly IgnoreEntry[], today: string): Ignored | undefined {
  const entry = entries.find(
    ({ code, slot, object, until }) =>
      code === finding.code &&
      (slot === undefined || slot === finding.slot) &&
      (object === undefined || object === keyOf(finding.object)) &&
      (until === undefined || until >= today),
  )
  return entry && { by: `${entry.by}: ${entry.reason}`, until: entry.until }
}

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return namespace === '' ? `${kind}/${name}` : `${kind}/${namespace}/${name}`
}
