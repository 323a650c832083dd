/**
 * PeerAuthentications without effect: an older one hides them, they select nothing, or they name ports of no container.
 */
import type { PeerAuthentication } from '../../istio/declared-policy.ts'
import { finding, type Finding } from '../finding.ts'
import type { Estate } from '../estate.ts'
import { containerPorts, targetPort } from '../container-port.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { namespacesInScope, type Situation } from '../situation.ts'
import type { Workload } from '../workload.ts'

export function* findUnusedPolicies(situation: Situation): Iterable<readonly Finding[]> {
  for (const namespace of namespacesInScope(situation)) {
    const known = situation.policies.get(namespace)
    if (known === undefined) continue
    const selecting = [...known.byLabel.values()]
      .flat()
      .toSorted((left, right) => left.rank - right.rank)
      .map(({ policy }) => policy)
    yield shadowed(
      known.withoutSelector.map(({ policy }) => policy),
      () => '',
      'namespace',
    )
    yield shadowed(selecting, ({ matchLabels }) => JSON.stringify([...matchLabels].toSorted()), 'selector')
    for (const policy of selecting) yield judgeSelector(policy, situation.estate)
  }
}

function shadowed(
  policies: readonly PeerAuthentication[],
  keyOf: (policy: PeerAuthentication) => string,
  what: string,
): readonly Finding[] {
  const groups = groupBy(policies, (policy) => `${policy.revision ?? ''} ${keyOf(policy)}`)
  return [...groups.values()].flatMap(([oldest, ...rest]) =>
    rest.map((policy) =>
      finding('policy-shadowed', {
        object: referenceOf(policy),
        message: `It has no effect: PeerAuthentication ${policy.namespace}/${oldest?.name ?? ''} has the same ${what} and is older (or its name comes first).`,
        fix: `Move its settings to PeerAuthentication ${policy.namespace}/${oldest?.name ?? ''}, then run: kubectl -n ${policy.namespace} delete peerauthentication ${policy.name}`,
        scope: policy.namespace,
      }),
    ),
  )
}

function judgeSelector(policy: PeerAuthentication, estate: Estate): readonly Finding[] {
  const shared = { object: referenceOf(policy), scope: policy.namespace }
  if (policy.namespace === estate.rootNamespace) return []
  const selected = estate.workloadsWith(policy.namespace, policy.matchLabels)
  if (selected.length === 0)
    return [
      finding('policy-selects-nothing', {
        ...shared,
        message: `No workload in namespace ${policy.namespace} has the labels ${[...policy.matchLabels].map(([key, value]) => `${key}=${value}`).join(',')}.`,
        fix: 'Correct spec.selector.matchLabels, or delete the policy.',
      }),
    ]
  const ports = portsOf(selected)
  return [...policy.portLevel.keys()]
    .filter((port) => ports.size > 0 && !ports.has(port))
    .map((port) => {
      const target = behindServicePort(port, selected, estate)
      return finding('port-level-unused', {
        ...shared,
        port,
        message:
          target === undefined
            ? `portLevelMtls names port ${port}, which no container of the selected workloads declares.`
            : `portLevelMtls names ${port}, which is the port of a Service; the container port is ${target}.`,
        fix: target === undefined ? 'Use the container port.' : `Write "${target}" instead of "${port}".`,
      })
    })
}

function referenceOf({ namespace, name }: PeerAuthentication) {
  return { apiVersion: 'security.istio.io/v1', kind: 'PeerAuthentication', namespace, name }
}

const PORTS = new WeakMap<readonly Workload[], ReadonlySet<number>>()

/** Policies with equal selectors have the same list of workloads. */
function portsOf(workloads: readonly Workload[]): ReadonlySet<number> {
  const known = PORTS.get(workloads)
  if (known !== undefined) return known
  const ports = new Set(
    workloads.flatMap(({ units }) =>
      units.flatMap(({ pod }) => [...containerPorts(pod).map(({ number }) => number), ...probePorts(pod)]),
    ),
  )
  PORTS.set(workloads, ports)
  return ports
}

/** A port that a probe names counts as a container port, declared or not. */
function probePorts(pod: Workload['units'][number]['pod']): readonly number[] {
  return pod.containers.flatMap(({ checks }) =>
    checks.flatMap(({ handler }) => ('port' in handler && typeof handler.port === 'number' ? [handler.port] : [])),
  )
}

function behindServicePort(port: number, workloads: readonly Workload[], estate: Estate): number | undefined {
  for (const workload of workloads)
    for (const service of estate.servicesSelecting(workload))
      for (const entry of service.ports) {
        const [unit] = workload.units
        const target = entry.port === port && unit !== undefined ? targetPort(entry, unit) : undefined
        if (target !== undefined && target !== port) return target
      }
  return undefined
}
