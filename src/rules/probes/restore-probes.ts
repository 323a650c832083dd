/** Undoes a rewrite: restores the probes of a receipt and removes the prober from the pod (`restore`). */
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import { isObject, member, memberAt, type Json, ownEntry } from '../../kubernetes/json.ts'
import { pointer, setEntries, type Operation } from '../../kubernetes/json-pointer.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { readCheckFacts, type CheckFacts } from './check-facts.ts'
import { removeProber } from './prober-delivery.ts'
import { parseReceipt, RECEIPT, type ReceiptEntry } from './receipt.ts'

/** Returns no operations if the template has no receipt. A probe or hook that has changed since is left unchanged. */
export function restoreProbes(template: PodTemplate): readonly Operation[] {
  const receipt = parseReceipt(template.annotations)
  if (receipt === undefined) return []
  const entries = template.containers.flatMap((container) =>
    container.checks.flatMap((check) => {
      const entry = receipt.get(container.name)?.get(check.slot)
      return entry === undefined ? [] : [{ facts: readCheckFacts(container, check), entry }]
    }),
  )
  return [
    ...entries.flatMap(({ facts, entry }) => restoreCheck(facts, entry)),
    ...restoreAnnotations(
      template,
      entries.map(({ entry }) => entry),
    ),
    ...removeProber(template, receipt),
  ]
}

function restoreCheck({ check, prober }: CheckFacts, { original, strategy }: ReceiptEntry): readonly Operation[] {
  const at = check.pointer
  const handlers = Object.entries(original) as readonly (readonly [string, Json])[]
  if (strategy === 'exec' && prober === 'beside') return [{ op: 'remove', path: pointer(at, 'exec') }]
  if (strategy === 'exec' && prober === 'alone')
    return [
      { op: 'remove', path: pointer(at, 'exec') },
      ...handlers.map(([kind, value]): Operation => ({ op: 'add', path: pointer(at, kind), value })),
    ]
  if (strategy === 'port')
    return handlers.flatMap(([kind, value]): readonly Operation[] =>
      isObject(member(check.raw, kind)) ? [{ op: 'replace', path: pointer(at, kind), value }] : [],
    )
  return []
}

/** Removes the annotations map as well if it would become empty. */
function restoreAnnotations(template: PodTemplate, entries: readonly ReceiptEntry[]): readonly Operation[] {
  const present = memberAt(template.raw, 'metadata', 'annotations')
  if (!isObject(present)) return []
  const agent = entries.find(({ strategy }) => strategy === 'agent')
  const wanted: Record<string, string | undefined> = { [RECEIPT]: undefined }
  if (agent !== undefined) wanted[REWRITE_PROBES] = agent.annotation ?? undefined
  const at = pointer(template.pointer, 'metadata', 'annotations')
  const isAllOurs = Object.keys(present).every(
    (key) => Object.hasOwn(wanted, key) && ownEntry(wanted, key) === undefined,
  )
  return isAllOurs ? [{ op: 'remove', path: at }] : setEntries(at, present, wanted)
}
