/**
 * The effective mutual TLS mode of a workload's ports (docs/facts/mtls-modes.md#which-policies-are-read,
 * docs/facts/mtls-modes.md#effective-mode; `pilot/pkg/security/authn/policy_applier.go` ComposePeerAuthentication,
 * `pilot/pkg/model/authentication.go`).
 *
 * DestinationRules play no part: they set what clients send, never what a server accepts.
 */
import type { Mode, PeerAuthentication } from './declared-policy.ts'
import { labelPairs, type PolicyIndex, type Ranked } from './policy-index.ts'

/** A mode and the object that sets it. `policy` is absent if Istio's default, PERMISSIVE, applies. */
export interface ModeDecision {
  readonly mode: Mode
  readonly policy?: string
}

export interface WorkloadModes {
  readonly workload: ModeDecision
  readonly ports: ReadonlyMap<number, ModeDecision>
}

export interface WorkloadIdentity {
  readonly namespace: string
  /** The labels of the running pod, including the injector's. */
  readonly labels: ReadonlyMap<string, string>
  readonly revision: string
  readonly rootNamespace: string
}

/**
 * The modes of one workload:
 *
 * | step | from                                                                  | unless it is UNSET    |
 * |------|-----------------------------------------------------------------------|-----------------------|
 * | 1    | Istio's default                                                       | PERMISSIVE            |
 * | 2    | oldest policy without selector in the root namespace                  | its mode              |
 * | 3    | oldest policy without selector in the workload's namespace            | its mode              |
 * | 4    | oldest policy whose selector matches, workload's namespace, not root  | its mode              |
 * | 5    | the ports of the policy of step 4, and of no other                    | per port              |
 *
 * `assumeStrict` computes the modes as if the namespace were STRICT: it replaces step 3.
 */
export function workloadModes(index: PolicyIndex, workload: WorkloadIdentity, assumeStrict = false): WorkloadModes {
  const { namespace, rootNamespace, revision } = workload
  const mesh = oldestWithoutSelector(index, rootNamespace, revision)
  const own = namespace === rootNamespace ? undefined : oldestWithoutSelector(index, namespace, revision)
  const selected = namespace === rootNamespace ? undefined : oldestSelecting(index, workload)
  const inherited = assumeStrict
    ? ({ mode: 'STRICT', policy: `namespace ${namespace}, prepared for STRICT` } as const)
    : declared(own, declared(mesh, { mode: 'PERMISSIVE' }))
  const mode = declared(selected, inherited)
  return { workload: mode, ports: portModes(selected, mode) }
}

export function modeOfPort(modes: WorkloadModes, port: number): ModeDecision {
  return modes.ports.get(port) ?? modes.workload
}

function oldestWithoutSelector(
  index: PolicyIndex,
  namespace: string,
  revision: string,
): PeerAuthentication | undefined {
  return index.get(namespace)?.withoutSelector.find(({ policy }) => isVisible(policy, revision))?.policy
}

function isVisible(policy: PeerAuthentication, revision: string): boolean {
  return policy.revision === undefined || revision === '' || policy.revision === revision
}

/** Returns the policy of step 4, without the exception of the root namespace. */
export function oldestSelecting(index: PolicyIndex, workload: WorkloadIdentity): PeerAuthentication | undefined {
  const byLabel = index.get(workload.namespace)?.byLabel
  if (byLabel === undefined || byLabel.size === 0) return undefined
  let oldest: Ranked | undefined
  for (const pair of labelPairs(workload.labels)) {
    const found = byLabel.get(pair)?.find(({ policy }) => selects(policy, workload))
    if (found !== undefined && (oldest === undefined || found.rank < oldest.rank)) oldest = found
  }
  return oldest?.policy
}

function selects(policy: PeerAuthentication, { labels, revision }: WorkloadIdentity): boolean {
  return isVisible(policy, revision) && [...policy.matchLabels].every(([key, value]) => labels.get(key) === value)
}

function declared(policy: PeerAuthentication | undefined, inherited: ModeDecision): ModeDecision {
  if (policy === undefined || policy.mode === 'UNSET') return inherited
  return { mode: policy.mode, policy: describePolicy(policy) }
}

function portModes(policy: PeerAuthentication | undefined, inherited: ModeDecision): WorkloadModes['ports'] {
  const ports = new Map<number, ModeDecision>()
  if (policy === undefined) return ports
  for (const [port, mode] of policy.portLevel)
    ports.set(port, mode === 'UNSET' ? inherited : { mode, policy: `${describePolicy(policy)} port ${port}` })
  return ports
}

function describePolicy({ namespace, name }: PeerAuthentication): string {
  return `PeerAuthentication ${namespace}/${name}`
}

/**
 * Returns the modes that ztunnel enforces for the same policies (docs/facts/mtls-modes.md#ambient-modes). DISABLE is
 * not supported and acts as PERMISSIVE. Under an inherited STRICT, ztunnel ignores a port's DISABLE but not its
 * PERMISSIVE.
 */
export function ambientModes(index: PolicyIndex, workload: WorkloadIdentity): WorkloadModes {
  const modes = workloadModes(index, workload)
  const selected = workload.namespace === workload.rootNamespace ? undefined : oldestSelecting(index, workload)
  const isInheritedStrict = modes.workload.mode === 'STRICT' && selected?.mode === 'UNSET'
  const ports = new Map<number, ModeDecision>()
  for (const [port, decision] of modes.ports)
    ports.set(port, decision.mode === 'DISABLE' && isInheritedStrict ? modes.workload : withoutDisable(decision))
  return { workload: withoutDisable(modes.workload), ports }
}

function withoutDisable(decision: ModeDecision): ModeDecision {
  return decision.mode === 'DISABLE' ? { ...decision, mode: 'PERMISSIVE' } : decision
}
