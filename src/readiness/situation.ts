/** The situation to assess: the cluster, the policies in force, and the namespace in question. */
import { uncapturedBecause } from '../istio/capture.ts'
import {
  ambientModes,
  modeOfPort,
  oldestSelecting,
  workloadModes,
  type ModeDecision,
  type WorkloadIdentity,
  type WorkloadModes,
} from '../istio/peer-authentication.ts'
import type { PeerAuthentication } from '../istio/declared-policy.ts'
import type { PolicyIndex } from '../istio/policy-index.ts'
import type { RuleConfiguration } from '../rules/configuration.ts'
import type { probesRule } from '../rules/probes/probes-rule.ts'
import { portNumber } from './container-port.ts'
import type { Estate } from './estate.ts'
import type { ExposedService, ServicePort } from './service.ts'
import type { Unit, Workload } from './workload.ts'

export interface Situation {
  readonly estate: Estate
  readonly policies: PolicyIndex
  readonly configuration: RuleConfiguration
  /** The only namespace to assess; undefined means all. */
  readonly scope: string | undefined
  readonly known: KnownAnswers
}

export type ProbeDecisions = ReturnType<typeof probesRule.apply>['decisions']

/** Answers that several topics need, each computed on first use. */
interface KnownAnswers {
  readonly modes: WeakMap<Unit, WorkloadModes>
  /** What our webhook decides on the probes of a pod to be created. */
  readonly rewrites: WeakMap<Unit, ProbeDecisions>
  readonly closed: WeakMap<readonly Workload[], Map<number | string, ClosedTarget | undefined>>
}

export function situationOf(
  estate: Estate,
  policies: PolicyIndex,
  configuration: RuleConfiguration,
  scope?: string,
): Situation {
  return {
    estate,
    policies,
    configuration,
    scope,
    known: { modes: new WeakMap(), rewrites: new WeakMap(), closed: new WeakMap() },
  }
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
  const known = situation.known.modes.get(unit)
  if (known !== undefined) return known
  const { policies } = situation
  const identity = identityOf(unit, situation)
  const modes = unit.mesh.kind === 'ambient' ? ambientModes(policies, identity) : workloadModes(policies, identity)
  situation.known.modes.set(unit, modes)
  return modes
}

function identityOf({ mesh, namespace, labels }: Unit, { estate }: Situation): WorkloadIdentity {
  const controlPlane = mesh.kind === 'sidecar' ? mesh.sidecar.controlPlane : estate.inventory.controlPlane('default')
  return { namespace, labels, revision: controlPlane.revision, rootNamespace: controlPlane.rootNamespace }
}

/** Returns the PeerAuthentication with a selector that is in force for all pods of the workload; undefined if none is. */
export function selectingPolicy({ units }: Workload, situation: Situation): PeerAuthentication | undefined {
  const [first, ...others] = units.map((unit) => oldestSelecting(situation.policies, identityOf(unit, situation)))
  return others.every((policy) => policy === first) ? first : undefined
}

/** `port 8080 is STRICT by PeerAuthentication shop/default`. */
export function describeReception(port: number, { mode, policy }: ModeDecision): string {
  return `port ${port} is ${mode} by ${policy ?? "Istio's default"}`
}

/** A port that refuses plain text, of the first workload that has one. */
export interface ClosedTarget {
  readonly workload: Workload
  readonly port: number
  readonly decision: ModeDecision
}

/** Returns where plain text to a port of the Service is refused. */
export function closedBehind(
  service: ExposedService,
  { target }: ServicePort,
  situation: Situation,
): ClosedTarget | undefined {
  return closedAmong(situation.estate.selectedBy(service), target, situation)
}

/** Returns the port of the workload, by number or by name, if it refuses plain text. */
export function closedTarget(
  workload: Workload,
  port: number | string,
  situation: Situation,
): ClosedTarget | undefined {
  return searchClosed([workload], port, situation)
}

/**
 * Returns the first workload whose port, by number or by name, refuses plain text. Hundreds of Services may select the
 * same thousands of pods, so each list of workloads is searched once for each port.
 */
export function closedAmong(
  workloads: readonly Workload[],
  target: number | string,
  situation: Situation,
): ClosedTarget | undefined {
  const { closed } = situation.known
  const known = closed.get(workloads) ?? new Map<number | string, ClosedTarget | undefined>()
  closed.set(workloads, known)
  if (known.has(target)) return known.get(target)
  const found = searchClosed(workloads, target, situation)
  known.set(target, found)
  return found
}

function searchClosed(
  workloads: readonly Workload[],
  target: number | string,
  situation: Situation,
): ClosedTarget | undefined {
  for (const workload of workloads)
    for (const unit of workload.units) {
      const port = portNumber(target, unit)
      const found = port === undefined ? undefined : reception(unit, port, situation)
      if (port !== undefined && found?.kind === 'closed') return { workload, port, decision: found.decision }
    }
  return undefined
}

export function isInMesh({ mesh }: Unit): boolean {
  return mesh.kind === 'sidecar' || mesh.kind === 'ambient'
}
