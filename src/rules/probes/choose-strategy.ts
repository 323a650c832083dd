/**
 * Chooses how to repair the probes and hooks of a pod that STRICT breaks: for each the cheapest strategy that is
 * certain to work. The pod is decided as a whole, because Istio's annotation moves all of its probes and hooks to the
 * agent.
 */
import { REWRITE_PROBES } from '../../istio/annotations.ts'
import { parseBool } from '../../istio/go-values.ts'
import type { PresentSidecar } from '../../istio/sidecar.ts'
import type { Reason } from '../reasons.ts'
import { isServedByIstio, obstacleToAsking, touches } from './agent-service.ts'
import { isNetworkCheck, type CheckFacts, type NetworkCheck } from './check-facts.ts'
import { isIstioContainer, judgeCheck, type Broken, type Left } from './decide-check.ts'
import { obstacleToMoving } from './move-to-port.ts'
import type { PodFacts, PodInside } from './pod-facts.ts'
import { isProberPathTaken } from './prober-mount.ts'
import { isPodIpVariableTaken } from './prober-names.ts'

export interface Rewrite {
  readonly action: 'rewrite'
  readonly strategy: 'exec' | 'port'
  readonly reason: Reason
  readonly evidence: string
  /** The port that the probe or hook calls from now on. */
  readonly port: number
  /** Why the user's requested strategy is not used. */
  readonly unmet?: string
}

export interface Annotate {
  readonly action: 'annotate'
  readonly strategy: 'agent'
  readonly reason: Reason
  readonly evidence: string
  /** The agent's port. */
  readonly port: number
}

export type CheckDecision = Left | Rewrite | Annotate

export interface DecidedCheck {
  readonly facts: CheckFacts
  readonly decision: CheckDecision
}

/** Decides every probe and hook of a pod, in the order of the template. */
export function decideChecks(checks: readonly CheckFacts[], pod: PodFacts): readonly DecidedCheck[] {
  const judged = checks.map((facts) => ({ facts, judgement: judgeCheck(facts, pod) }))
  if (pod.mesh === 'outside') return judged.map(({ facts, judgement }) => ({ facts, decision: leftOnly(judgement) }))
  const agent = agentFor(judged, pod)
  const asking = mendAll(judged, pod, agent, 'sidecar' in agent ? agent.sidecar : undefined)
  const isAsked = asking.some(({ decision }) => decision.action === 'annotate')
  return isAsked ? asking : mendAll(judged, pod, agent, undefined)
}

/**
 * `asked` is the sidecar of a pod that asks Istio to rewrite its probes. Istio then also moves probes that got another
 * port.
 */
function mendAll(
  judged: readonly Judged[],
  pod: PodInside,
  agent: AgentOffer,
  asked: PresentSidecar | undefined,
): readonly DecidedCheck[] {
  return judged.map(({ facts, judgement }) => {
    if (judgement.action === 'leave') return { facts, decision: judgement }
    return { facts, decision: mend(judgement, pod, { agent, asked }) }
  })
}

interface Offers {
  readonly agent: AgentOffer
  readonly asked: PresentSidecar | undefined
}

/** Nothing breaks outside the mesh. */
function leftOnly(judgement: Left | Broken): Left {
  return judgement.action === 'leave' ? judgement : { action: 'leave', reason: 'no-sidecar' }
}

interface Judged {
  readonly facts: CheckFacts
  readonly judgement: Left | Broken
}

/** The sidecar that the pod gets if it asks Istio to rewrite its probes, or why it must not ask. */
type AgentOffer = { readonly sidecar: PresentSidecar } | { readonly obstacle: string }

/**
 * | first match wins                                               | ask Istio?                             |
 * |----------------------------------------------------------------|----------------------------------------|
 * | Istio rewrites already, or the annotation would have no effect | no                                     |
 * | the injector's values were not read, and the setting is auto   | no                                     |
 * | the pod has the annotation                                     | no: it is the user's                   |
 * | a working probe would move to an agent that cannot serve it    | no                                     |
 * | a broken one would, and exec is not possible                   | no                                     |
 * | otherwise                                                      | yes; exec if the agent cannot serve it |
 */
function agentFor(judged: readonly Judged[], pod: PodInside): AgentOffer {
  const { ifRewritten, rewriteAnnotation, own } = pod
  if (ifRewritten === undefined) return { obstacle: whyNotServed(pod) }
  if (own.setting !== 'agent' && ifRewritten.controlPlane.injector === undefined)
    return { obstacle: "the injector's values are unknown" }
  for (const entry of judged) {
    const harm = harmOf(entry, pod, ifRewritten)
    if (harm !== undefined) return { obstacle: harm }
  }
  if (rewriteAnnotation === undefined) return { sidecar: ifRewritten }
  return { obstacle: optedOut(rewriteAnnotation) }
}

function whyNotServed({ sidecar: { rewriting } }: PodInside): string {
  return rewriting.state === 'unknown' ? rewriting.evidence : 'Istio does not serve probes for this pod'
}

function optedOut(value: string): string {
  const saving = '1.8 ms of node CPU per probe instead of 35'
  return parseBool(value) === false
    ? `annotation ${REWRITE_PROBES} is "${value}"; without it Istio's agent would serve them for ${saving}`
    : `annotation ${REWRITE_PROBES} is ${JSON.stringify(value)}, which Istio cannot parse`
}

/** Returns why asking Istio would break a probe or hook of this pod; undefined if it would not. */
function harmOf({ facts, judgement }: Judged, pod: PodInside, sidecar: PresentSidecar): string | undefined {
  if (!isNetworkCheck(facts) || isIstioContainer(facts.container.name)) return undefined
  if (judgement.action === 'leave' && judgement.reason === 'served-by-agent') return undefined
  const obstacle = touches(facts, sidecar) ? obstacleToAsking(facts, sidecar, pod.prepared) : undefined
  if (obstacle === undefined) return undefined
  const becomesExec = judgement.action === 'mend' && execObstacle(facts, pod) === undefined
  return becomesExec ? undefined : `it cannot serve ${facts.container.name} ${facts.check.slot}: ${obstacle}`
}

/**
 * Applies the first strategy that the setting allows and that is possible:
 *
 * | setting | strategies                |
 * |---------|---------------------------|
 * | auto    | leave, port, agent, exec  |
 * | port    | port, exec                |
 * | agent   | leave, agent, exec        |
 * | exec    | exec                      |
 */
function mend(broken: Broken, pod: PodInside, { agent, asked }: Offers): CheckDecision {
  const { own, sidecar } = pod
  const { setting } = own
  const { facts, reason, evidence } = broken
  if ((setting === 'auto' || setting === 'agent') && isServedByIstio(facts, pod))
    return {
      action: 'leave',
      reason: 'istio-rewrites',
      evidence: sidecar.rewriting.evidence,
      port: sidecar.agent.statusPort,
    }
  const port = own.probePorts.forContainer(facts.container.name)
  if (
    (setting === 'auto' || setting === 'port') &&
    port !== undefined &&
    obstacleToMoving(port, facts, pod, asked) === undefined
  )
    return { action: 'rewrite', strategy: 'port', reason, evidence, port }
  if ((setting === 'auto' || setting === 'agent') && canAsk(facts, pod, agent))
    return { action: 'annotate', strategy: 'agent', reason, evidence, port: agent.sidecar.agent.statusPort }
  const obstacle = execObstacle(facts, pod)
  if (obstacle !== undefined) return { action: 'leave', reason: obstacle, evidence: facts.container.name }
  const rewrite = { action: 'rewrite', strategy: 'exec', reason, evidence, port: broken.port } as const
  const unmet = unmetRequest(facts, pod, { agent, asked })
  return unmet === undefined ? rewrite : { ...rewrite, unmet }
}

function canAsk(
  facts: NetworkCheck,
  { prepared }: PodInside,
  agent: AgentOffer,
): agent is { readonly sidecar: PresentSidecar } {
  return 'sidecar' in agent && obstacleToAsking(facts, agent.sidecar, prepared) === undefined
}

function execObstacle({ container }: CheckFacts, pod: PodInside): Reason | undefined {
  if (pod.own.isProberNameTaken || isPodIpVariableTaken(container)) return 'prober-name-taken'
  return isProberPathTaken(container) ? 'prober-path-taken' : undefined
}

/** Returns why exec is used although the user requested another strategy, or could use a cheaper one. */
function unmetRequest(facts: NetworkCheck, pod: PodInside, { agent, asked }: Offers): string | undefined {
  const { own, rewriteAnnotation } = pod
  const { setting, probePorts } = own
  if (setting === 'exec') return undefined
  const port = probePorts.forContainer(facts.container.name)
  if (setting !== 'agent' && port !== undefined) return obstacleToMoving(port, facts, pod, asked)
  if (setting === 'port') return 'annotation istio-onramp.io/probe-port has no port'
  if (rewriteAnnotation !== undefined && 'obstacle' in agent && agent.obstacle === optedOut(rewriteAnnotation))
    return agent.obstacle
  return setting === 'agent' ? `Istio's agent is not used: ${agentObstacleOf(facts, pod, agent)}` : undefined
}

function agentObstacleOf(facts: NetworkCheck, { prepared }: PodInside, agent: AgentOffer): string {
  return 'obstacle' in agent ? agent.obstacle : (obstacleToAsking(facts, agent.sidecar, prepared) ?? '')
}
