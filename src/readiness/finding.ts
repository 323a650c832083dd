/** What the engine reports: findings, and what it could not know. Both are values; only commands print them. */
import type { Slot } from '../kubernetes/container.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import { FINDINGS, type FindingCode, type Severity } from './finding-codes.ts'

/** Who calls: a workload or a node, or an address that belongs to nothing known. */
export type Caller =
  { readonly kind: string; readonly namespace: string; readonly name: string } | { readonly address: string }

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** The object to change; its namespace is empty for a cluster-scoped one. */
  readonly object: ObjectReference
  readonly container?: string
  readonly slot?: Slot
  readonly port?: number
  /** One sentence: what happens. */
  readonly message: string
  /** One sentence, or a command or YAML, that mends it. */
  readonly fix: string
  readonly callers?: readonly Caller[]
  /** Tells two findings of one code about one object apart, such as the Service that is called. */
  readonly about?: string
  /** The namespace whose switch to STRICT it concerns. */
  readonly scope: string
}

/** What cannot be known, and why. */
export interface Unknown {
  readonly namespace: string
  readonly reason: string
}

/** A finding with the severity of its code, unless `fields` says otherwise. */
export function finding(
  code: FindingCode,
  fields: Omit<Finding, 'code' | 'severity'> & { readonly severity?: Severity },
): Finding {
  return { severity: FINDINGS[code].severity, ...fields, code }
}

/** What stays the same when lines move or neighbours change; unique in a report (`withoutDuplicates`). */
export function findingKey({ code, object, container, slot, port, about }: Finding): string {
  const { kind, namespace, name } = object
  return [code, kind, namespace, name, container ?? '', slot ?? '', port ?? '', about ?? ''].join('|')
}

/** One finding for each key: pods of one workload repeat each other. The callers of repeats are joined. */
export function withoutDuplicates(findings: readonly Finding[]): readonly Finding[] {
  const byKey = new Map<string, Finding>()
  for (const one of findings) {
    const key = findingKey(one)
    const known = byKey.get(key)
    byKey.set(key, known === undefined ? one : joined(known, one))
  }
  return [...byKey.values()]
}

function joined(first: Finding, second: Finding): Finding {
  if (second.callers === undefined) return first
  const callers = new Map(
    [...(first.callers ?? []), ...second.callers].map((caller) => [JSON.stringify(caller), caller]),
  )
  return { ...first, callers: [...callers.values()] }
}
