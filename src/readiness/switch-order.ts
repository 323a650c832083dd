/** The order in which to switch several namespaces: waves that break no caller, with the steps to take before each. */
import type { FindingCode } from './finding-codes.ts'
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
 * | namespace, not STRICT yet                                  | wave                    |
 * |------------------------------------------------------------|-------------------------|
 * | nothing breaks, every caller is known                      | first                   |
 * | restarts fix all errors: of its pods or of its callers     | second, after them      |
 * | unknown callers or probes may break                        | third, after a review   |
 * | anything else breaks                                       | last, once it is fixed  |
 */
export function switchOrder(namespaces: readonly NamespaceVerdict[]): readonly Wave[] {
  const open = namespaces.filter(({ mode, dataplane }) => mode !== 'STRICT' && dataplane !== 'none')
  const restartable = new Set(
    namespaces.flatMap(({ findings }) =>
      findings
        .filter(({ code }) => code === 'sidecar-missing')
        .map(({ object }) => `${object.kind}/${object.namespace}/${object.name}`),
    ),
  )
  const ready = open.filter(({ verdict }) => verdict === 'yes')
  const restarts = open.filter((entry) => entry.verdict === 'no' && blockers(entry, restartable).length === 0)
  const unclear = open.filter(({ verdict }) => verdict === 'unknown')
  const blocked = open.filter((entry) => entry.verdict === 'no' && blockers(entry, restartable).length > 0)
  return [
    wave('now', ready, []),
    wave(
      'after restarts',
      restarts,
      restarts.flatMap((entry) => restartsFor(entry, restartable)),
    ),
    wave('after a review of the unknowns', unclear, []),
    { ...wave('blocked until the errors are fixed', blocked, []), wayBack: [] },
  ].filter((entry) => entry.namespaces.length > 0)
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

function blockers({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>) {
  return findings.filter(
    ({ severity, code, object }) =>
      severity === 'error' &&
      !FIXED_BY_RESTART.has(code) &&
      !(code === 'plaintext-caller' && restartable.has(`${object.kind}/${object.namespace}/${object.name}`)),
  )
}

function restartsFor({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>): readonly string[] {
  return findings
    .filter(
      ({ code, object }) =>
        FIXED_BY_RESTART.has(code) ||
        (code === 'plaintext-caller' && restartable.has(`${object.kind}/${object.namespace}/${object.name}`)),
    )
    .map(({ object: { kind, namespace, name } }) =>
      ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind)
        ? `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`
        : `recreate the pods of ${kind} ${namespace}/${name}`,
    )
}
