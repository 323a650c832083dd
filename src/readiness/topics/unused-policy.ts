/**
 * PeerAuthentications without effect: an older one hides them, they select nothing, or they name ports of no container.
 */
import type { PeerAuthentication } from '../../istio/declared-policy.ts'
import type { PolicyIndex } from '../../istio/policy-index.ts'
import { finding, type Finding } from '../finding.ts'
import type { Estate } from '../estate.ts'
import { containerPorts, targetPort } from '../container-port.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { namespacesInScope, selectingPolicy, type Situation } from '../situation.ts'
import { describe } from '../../kubernetes/object.ts'
import type { Workload } from '../workload.ts'

export function* findUnusedPolicies(situation: Situation): Iterable<readonly Finding[]> {
  const { rootNamespace } = situation.estate
  for (const namespace of namespacesInScope(situation)) {
    const known = situation.policies.get(namespace)
    if (known === undefined) continue
    yield shadowedForNamespace(known.withoutSelector.map(({ policy }) => policy))
    const selecting = [...known.byLabel.values()]
      .flat()
      .toSorted((left, right) => left.rank - right.rank)
      .map(({ policy }) => policy)
    if (namespace === rootNamespace) yield selecting.map(ignoredInRoot)
    else for (const policy of selecting) yield judgeSelector(policy, situation)
  }
}

/** Istio uses the oldest policy without a selector, of each revision. */
function shadowedForNamespace(policies: readonly PeerAuthentication[]): readonly Finding[] {
  return [...groupBy(policies, ({ revision }) => revision ?? '').values()].flatMap(([oldest, ...rest]) =>
    oldest === undefined
      ? []
      : rest.map((policy) => shadowed(policy, oldest, `It has no effect: ${nameOf(oldest)} has the same namespace`)),
  )
}

function shadowed(policy: PeerAuthentication, older: PeerAuthentication, what: string): Finding {
  return finding('policy-shadowed', {
    object: referenceOf(policy),
    message: `${what} and is older (or its name comes first).`,
    fix: `Move its settings to ${nameOf(older)}, then run: kubectl -n ${policy.namespace} delete peerauthentication ${policy.name}`,
    scope: policy.namespace,
  })
}

/** Its selector is ignored everywhere (`pilot/pkg/security/authn/policy_applier.go`). */
function ignoredInRoot(policy: PeerAuthentication): Finding {
  return finding('policy-selects-nothing', {
    object: referenceOf(policy),
    message: `It has no effect: Istio ignores PeerAuthentications with a selector in the root namespace ${policy.namespace}.`,
    fix: "Move it to the workloads' namespace, or remove its selector.",
    scope: policy.namespace,
  })
}

function judgeSelector(policy: PeerAuthentication, situation: Situation): readonly Finding[] {
  const { estate } = situation
  const shared = { object: referenceOf(policy), scope: policy.namespace }
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
  return [...shadowedForWorkloads(policy, selected, situation), ...unusedPorts(policy, selected, ports, estate)]
}

/** Of the policies that select a workload, Istio uses the oldest alone. */
function shadowedForWorkloads(
  policy: PeerAuthentication,
  selected: readonly Workload[],
  situation: Situation,
): readonly Finding[] {
  const { policies, counts } = policiesInForce(selected, situation)
  const count = counts.get(policy) ?? 0
  if (count === selected.length) return []
  const at = policies.findIndex((known) => known !== undefined && known !== policy)
  const [older, example] = [policies[at], selected[at]]
  // A younger one is in force where this one belongs to another revision of Istio.
  if (older === undefined || example === undefined || !isOlder(older, policy)) return []
  const what =
    count === 0
      ? `It has no effect: ${nameOf(older)} selects the same workloads`
      : `It has no effect on ${selected.length - count} of ${selected.length} workloads, such as ${describe(example.reference)}: ${nameOf(older)} selects them as well`
  return [shadowed(policy, older, what)]
}

function isOlder(one: PeerAuthentication, other: PeerAuthentication): boolean {
  return one.createdAt < other.createdAt || (one.createdAt === other.createdAt && one.name < other.name)
}

interface InForce {
  /** For each workload of the list, in its order. */
  readonly policies: readonly (PeerAuthentication | undefined)[]
  readonly counts: ReadonlyMap<PeerAuthentication | undefined, number>
}

const IN_FORCE = new WeakMap<PolicyIndex, WeakMap<readonly Workload[], InForce>>()

/** Policies with equal selectors have the same list of workloads, which is read once. */
function policiesInForce(selected: readonly Workload[], situation: Situation): InForce {
  const lists = IN_FORCE.get(situation.policies) ?? new WeakMap<readonly Workload[], InForce>()
  IN_FORCE.set(situation.policies, lists)
  const known = lists.get(selected)
  if (known !== undefined) return known
  const policies = selected.map((workload) => selectingPolicy(workload, situation))
  const counts = new Map<PeerAuthentication | undefined, number>()
  for (const policy of policies) counts.set(policy, (counts.get(policy) ?? 0) + 1)
  lists.set(selected, { policies, counts })
  return { policies, counts }
}

function unusedPorts(
  policy: PeerAuthentication,
  selected: readonly Workload[],
  ports: ReadonlySet<number>,
  estate: Estate,
): readonly Finding[] {
  return [...policy.portLevel.keys()]
    .filter((port) => ports.size > 0 && !ports.has(port))
    .map((port) => {
      const target = behindServicePort(port, selected, estate)
      return finding('port-level-unused', {
        object: referenceOf(policy),
        scope: policy.namespace,
        port,
        message:
          target === undefined
            ? `portLevelMtls names port ${port}, which no container of the selected workloads declares.`
            : `portLevelMtls names ${port}, which is the port of a Service; the container port is ${target}.`,
        fix: target === undefined ? 'Use the container port.' : `Write "${target}" instead of "${port}".`,
      })
    })
}

function nameOf({ namespace, name }: PeerAuthentication): string {
  return `PeerAuthentication ${namespace}/${name}`
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
