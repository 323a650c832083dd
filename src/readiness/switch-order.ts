/** In which order to switch several namespaces: waves of which each breaks nobody, with what has to happen before. */
import type { FindingCode } from './finding-codes.ts'
import type { NamespaceVerdict } from './verdict.ts'

export interface Wave {
  readonly title: string
  readonly namespaces: readonly string[]
  /** Workloads to restart or recreate first. */
  readonly before: readonly string[]
  /** How to take the switch back. */
  readonly wayBack: readonly string[]
}

/** Findings that a restart of the workload mends. */
const MENDED_BY_RESTART: ReadonlySet<FindingCode> = new Set<FindingCode>(['probe-fails-until-recreated'])

/**
 * | namespace, not STRICT yet                                  | wave                    |
 * |------------------------------------------------------------|-------------------------|
 * | nothing breaks, every caller known                         | first                   |
 * | only restarts are missing: of its pods, or of its callers' | second, after them      |
 * | what is not known may break                                | third, after evidence   |
 * | anything else breaks                                       | not before it is mended |
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
    wave('after looking at what is not known', unclear, []),
    { ...wave('not before the errors are mended', blocked, []), wayBack: [] },
  ].filter((entry) => entry.namespaces.length > 0)
}

function wave(title: string, entries: readonly NamespaceVerdict[], before: readonly string[]): Wave {
  const wayBack = entries.map(
    ({ name }) =>
      `kubectl -n ${name} patch peerauthentication default --type=merge -p '{"spec":{"mtls":{"mode":"PERMISSIVE"}}}'`,
  )
  return { title, namespaces: entries.map(({ name }) => name), before: [...new Set(before)], wayBack }
}

function blockers({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>) {
  return findings.filter(
    ({ severity, code, object }) =>
      severity === 'error' &&
      !MENDED_BY_RESTART.has(code) &&
      !(code === 'plaintext-caller' && restartable.has(`${object.kind}/${object.namespace}/${object.name}`)),
  )
}

function restartsFor({ findings }: NamespaceVerdict, restartable: ReadonlySet<string>): readonly string[] {
  return findings
    .filter(
      ({ code, object }) =>
        MENDED_BY_RESTART.has(code) ||
        (code === 'plaintext-caller' && restartable.has(`${object.kind}/${object.namespace}/${object.name}`)),
    )
    .map(
      ({ object: { kind, namespace, name } }) =>
        `kubectl -n ${namespace} rollout restart ${kind.toLowerCase()}/${name}`,
    )
}
