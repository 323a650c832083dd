/** The engine's output: findings, and facts that it could not determine. Both are values; only commands print them. */
import type { Slot } from '../kubernetes/container.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import type { Severity } from './codes/finding-text.ts'
import { FINDINGS, type FindingCode } from './finding-codes.ts'

/** The caller: a workload, a node, or an address that matches neither. */
export type Caller =
  { readonly kind: string; readonly namespace: string; readonly name: string } | { readonly address: string }

export function callerOf({ kind, namespace, name }: ObjectReference): Caller {
  return { kind, namespace, name }
}

export interface Finding {
  readonly code: FindingCode
  readonly severity: Severity
  /** The object to change. Its namespace is empty if it is cluster-scoped. */
  readonly object: ObjectReference
  readonly container?: string
  readonly slot?: Slot
  readonly port?: number
  /** What happens, in one sentence. */
  readonly message: string
  /** The remedy: one sentence, a command or YAML. */
  readonly fix: string
  readonly callers?: readonly Caller[]
  /** Distinguishes findings of one code about one object, for example by the called Service. */
  readonly about?: string
  /** The namespace whose switch to STRICT is concerned. */
  readonly scope: string
}

/** A fact that cannot be determined, and why. */
export interface Unknown {
  readonly namespace: string
  readonly reason: string
  /** The reason in five words, for a line of its own. */
  readonly brief: string
}

/** Returns a finding with the severity of its code, unless `fields` sets another. */
export function finding(
  code: FindingCode,
  fields: Omit<Finding, 'code' | 'severity'> & { readonly severity?: Severity },
): Finding {
  return { severity: FINDINGS[code].severity, ...fields, code }
}

/**
 * Identifies a finding across edits: the key ignores line numbers and neighbours. Unique in a report
 * (`collectFindings`).
 */
export function findingKey({ code, object, container, slot, port, about }: Finding): string {
  const { kind, namespace, name } = object
  return [code, kind, namespace, name, container ?? '', slot ?? '', port ?? '', about ?? ''].join('|')
}

/**
 * Collects one finding for each key, because pods of one workload repeat each other. The callers of duplicates are
 * merged.
 */
export function collectFindings(): { add(one: Finding): void; all(): readonly Finding[] } {
  const byKey = new Map<string, Finding>()
  return {
    add(one) {
      const key = findingKey(one)
      const known = byKey.get(key)
      byKey.set(key, known === undefined ? one : joined(known, one))
    },
    all: () => [...byKey.values()],
  }
}

function joined(first: Finding, second: Finding): Finding {
  if (second.callers === undefined) return first
  const callers = new Map(
    [...(first.callers ?? []), ...second.callers].map((caller) => [JSON.stringify(caller), caller]),
  )
  return { ...first, callers: [...callers.values()] }
}
