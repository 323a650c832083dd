/** The order in which to switch several namespaces: waves that break no caller, with the steps to take before each. */
import type { FindingCode } from './finding-codes.ts'
import type { Finding } from './finding.ts'
import type { NamespaceVerdict } from './verdict.ts'

export interface Wave {
  readonly title: string
  readonly namespaces: readonly string[]
  /** Workloads to restart or recreate first. */
  readonly before: readonly string[]
  /** Commands that undo the switch. */
  readonly wayBack: readonly string[]
}

/** Findings that a restart of the workload fixes. */
const FIXED_BY_RESTART: ReadonlySet<FindingCode> = new Set<FindingCode>(['probe-fails-until-recreated'])

/**
 * | namespace, not STRICT yet                                  | wave                                            |
 * |------------------------------------------------------------|-------------------------------------------------|
 * | nothing breaks, every caller is known                      | first                                           |
 * | restarts fix all errors: of its pods or of its callers     | next: a caller's namespace before those it calls |
 * | unknown callers or probes may break                        | after a review                                  |
 * | anything else breaks                                       | last, once it is fixed                          |
 *
 * After a caller's namespace has had its wave, its pods have sidecars, and what it calls needs only its own restarts. A
 * circle of callers is one wave.
 */
export function switchOrder(namespaces: readonly NamespaceVerdict[]): readonly Wave[] {
  const open = namespaces.filter(({ mode, dataplane }) => mode !== 'STRICT' && dataplane !== 'none')
  const restartable = new Set(
    namespaces.flatMap(({ findings }) =>
      findings.filter(({ code }) => code === 'sidecar-missing').map(({ object }) => keyOf(object)),
    ),
  )
  const ready = open.filter(({ verdict }) => verdict === 'yes')
  const restarts = open.filter((entry) => entry.verdict === 'no' && blockers(entry, restartable).length === 0)
  const unclear = open.filter(({ verdict }) => verdict === 'unknown')
  const blocked = open.filter((entry) => entry.verdict === 'no' && blockers(entry, restartable).length > 0)
  return [
    wave('now', ready, []),
    ...restartWaves(restarts, restartable),
    wave('after a review of the unknowns', unclear, []),
    { ...wave('blocked until the errors are fixed', blocked, []), wayBack: [] },
  ].filter((entry) => entry.namespaces.length > 0)
}

/** Each wave lists the restarts that no wave before it has listed. */
function restartWaves(entries: readonly NamespaceVerdict[], restartable: ReadonlySet<string>): readonly Wave[] {
  const levels = levelsOf(entries, restartable)
  const done = new Set<string>()
  return [...new Set(levels.values())]
    .toSorted((left, right) => left - right)
    .map((level) => {
      const own = entries.filter(({ name }) => levels.get(name) === level)
      const before = own.flatMap((entry) => restartsFor(entry, restartable)).filter((command) => !done.has(command))
      for (const command of before) done.add(command)
      return wave('after restarts', own, before)
    })
}

/** A namespace comes one level after the latest of its callers' namespaces, unless they call each other in a circle. */
function levelsOf(entries: readonly NamespaceVerdict[], restartable: ReadonlySet<string>): ReadonlyMap<string, number> {
  const levels = new Map(entries.map(({ name }) => [name, 0]))
  const callers = entries.map((entry) => ({
    name: entry.name,
    from: callersOf(entry, restartable).filter((name) => levels.has(name)),
  }))
  // A chain without a circle settles after as many rounds as there are namespaces; a circle stops at the same bound.
  for (let round = 1; round < entries.length; round += 1) {
    let hasChanged = false
    for (const { name, from } of callers) {
      const level = Math.max(0, ...from.map((caller) => (levels.get(caller) ?? 0) + 1))
      if (level === levels.get(name) || level >= entries.length) continue
      levels.set(name, level)
      hasChanged = true
    }
    if (!hasChanged) break
  }
  return levels
}

function callersOf({ name, findings }: NamespaceVerdict, restartable: ReadonlySet<string>): readonly string[] {
  const from = findings.filter((found) => isFixedCaller(found, restartable)).map(({ object }) => object.namespace)
  return [...new Set(from)].filter((namespace) => namespace !== name)
}

/** Whether the finding is about a caller that gets a sidecar by a restart. */
function isFixedCaller({ code, object }: Finding, restartable: ReadonlySet<string>): boolean {
  return code === 'plaintext-caller' && restartable.has(keyOf(object))
}

function keyOf({ kind, namespace, name }: Finding['object']): string {
  return `${kind}/${namespace}/${name}`
}

function wave(title: string, entries: readonly NamespaceVerdict[], before: readonly string[]): Wave {
  const wayBack = entries.map(back)
  return { title, namespaces: entries.map(({ name }) => name), before: [...new Set(before)], wayBack }
}

/** Undoes what `next` of a namespace applies: the policy that was there gets its mode back, a new one goes. */
function back({ name, policy, mode }: NamespaceVerdict): string {
  if (policy === undefined) return `kubectl -n ${name} delete peerauthentication default`
  return `kubectl -n ${name} patch peerauthentication ${policy} --type=merge -p '{"spec":{"mtls":{"mode":"${mode}"}}}'`
}

function blockers({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>): readonly Finding[] {
  return findings.filter(
    (found) => found.severity === 'error' && !FIXED_BY_RESTART.has(found.code) && !isFixedCaller(found, restartable),
  )
}

function restartsFor({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>): readonly string[] {
  return findings
    .filter((found) => FIXED_BY_RESTART.has(found.code) || isFixedCaller(found, restartable))
    .map(({ object: { kind, namespace, name } }) =>
      ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
        ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
        : `recreate the pods of ${kind} ${namespace}/${name}`,
    )
}
