/** The situation to assess: the cluster, the policies in force, and the namespace in question. */
import { uncapturedBecause } from '../istio/capture.ts'
import {
  ambientModes,
  modeOfPort,
  workloadModes,
  type ModeDecision,
  type WorkloadModes,
} from '../istio/peer-authentication.ts'
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import type { Estate } from './estate.ts'
import type { Unit, Workload } from './workload.ts'

export interface Situation {
  readonly estate: Estate
  readonly policies: PolicyIndex
  readonly configuration: RuleConfiguration
  /** The only namespace to assess; undefined means all. */
  readonly scope: string | undefined
  /** Cache of the modes of units. */
  readonly modes: WeakMap<Unit, WorkloadModes>
}

export function situationOf(
  estate: Estate,
  policies: PolicyIndex,
  configuration: RuleConfiguration,
  scope?: string,
): Situation {
  return { estate, policies, configuration, scope, modes: new WeakMap() }
}

export function workloadsInScope({ estate, scope }: Situation): readonly Workload[] {
  return scope === undefined ? estate.workloads : estate.workloadsOf(scope)
}

export function namespacesInScope({ estate, scope }: Situation): readonly string[] {
  return scope === undefined ? estate.namespaces.map(({ name }) => name) : [scope]
}

/** How a port of a pod treats plain text, and the policy that decides it. */
export type Reception =
  /** Not redirected into a proxy, or outside the mesh: the application receives the traffic itself. */
  | { readonly kind: 'direct'; readonly why: string }
  | { readonly kind: 'open'; readonly decision: ModeDecision }
  | { readonly kind: 'closed'; readonly decision: ModeDecision }

/**
 * | pod                         | port         | mode       | plain text |
 * |-----------------------------|--------------|------------|------------|
 * | outside the mesh            | any          | any        | direct     |
 * | sidecar                     | not captured | any        | direct     |
 * | sidecar                     | captured     | STRICT     | closed     |
 * | sidecar                     | captured     | other      | open       |
 * | ambient                     | any          | STRICT     | closed     |
 * | ambient, inbound bypassed   | any          | any        | direct     |
 */
export function reception(unit: Unit, port: number, situation: Situation): Reception {
  const { mesh } = unit
  if (mesh.kind === 'refused' || mesh.kind === 'outside') return { kind: 'direct', why: mesh.evidence }
  if (mesh.kind === 'ambient' && unit.pod.annotations.get('ambient.istio.io/bypass-inbound-capture') === 'true')
    return { kind: 'direct', why: 'ambient.istio.io/bypass-inbound-capture' }
  const uncaptured = mesh.kind === 'sidecar' ? uncapturedBecause(mesh.sidecar.capture, port) : undefined
  if (uncaptured !== undefined) return { kind: 'direct', why: uncaptured }
  const decision = modeOfPort(modesOf(unit, situation), port)
  return { kind: decision.mode === 'STRICT' ? 'closed' : 'open', decision }
}

export function modesOf(unit: Unit, situation: Situation): WorkloadModes {
  const known = situation.modes.get(unit)
  if (known !== undefined) return known
  const { mesh, namespace, labels } = unit
  const { estate, policies } = situation
  const controlPlane = mesh.kind === 'sidecar' ? mesh.sidecar.controlPlane : estate.inventory.controlPlane('default')
  const identity = { namespace, labels, revision: controlPlane.revision, rootNamespace: controlPlane.rootNamespace }
  const modes = mesh.kind === 'ambient' ? ambientModes(policies, identity) : workloadModes(policies, identity)
  situation.modes.set(unit, modes)
  return modes
}

/** `port 8080 is STRICT by PeerAuthentication shop/default`. */
export function describeReception(port: number, { mode, policy }: ModeDecision): string {
  return `port ${port} is ${mode} by ${policy ?? "Istio's default"}`
}

/** Returns the first port of the workload's pods that `portOf` yields and that refuses plain text. */
export function closedTarget(
  workload: Workload,
  portOf: (unit: Unit) => number | undefined,
  situation: Situation,
): { readonly port: number; readonly decision: ModeDecision } | undefined {
  for (const unit of workload.units) {
    const port = portOf(unit)
    if (port === undefined) continue
    const found = reception(unit, port, situation)
    if (found.kind === 'closed') return { port, decision: found.decision }
  }
  return undefined
}

export function isInMesh({ mesh }: Unit): boolean {
  return mesh.kind === 'sidecar' || mesh.kind === 'ambient'
}
