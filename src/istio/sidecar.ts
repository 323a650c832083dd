/**
 * A pod's path through Istio's injection webhooks, and the result: whether it gets a sidecar, which ports are captured,
 * whether Istio rewrites the probes, and the labels by which policies select the pod.
 *
 * Both halves are needed: the API server calls istiod only if a selector matches, and istiod may still decline
 * (docs/facts/injection.md#already-injected-pods). Several webhooks can match one pod. The API server calls them all in
 * name order, each with the pod as the previous one left it.
 */
import type { Agent } from './agent.ts'
import { refusedAnnotation } from './annotation-validation.ts'
import type { Capture } from './capture.ts'
import { CHART_INJECTOR, type ControlPlane } from './control-plane.ts'
import type { InjectionPass, InjectionSubject } from './injection-call.ts'
import { inject } from './injection-pass.ts'
import { rememberSidecars } from './known-sidecars.ts'
import type { Rewriting } from './rewriting.ts'
import { skipReason, type PodIdentity } from './injection-policy.ts'
import { describeSelection, isSelected, type InjectionWebhook } from './injection-webhook.ts'
import { readManifestSidecar } from './manifest-sidecar.ts'
import type { Mesh, Namespace } from './mesh.ts'

export type AbsenceReason =
  | 'no-webhook-selects'
  | 'host-network'
  | 'ignored-namespace'
  | 'opted-out'
  | 'never-inject-selector'
  | 'injection-policy'
  | 'template-without-proxy'

export type Sidecar =
  | { readonly state: 'absent'; readonly reason: AbsenceReason; readonly evidence: string }
  /** The injector denies the pod's creation. */
  | { readonly state: 'refused'; readonly evidence: string }
  | PresentSidecar

export interface PresentSidecar {
  readonly state: 'present'
  readonly controlPlane: ControlPlane
  readonly capture: Capture
  readonly rewriting: Rewriting
  readonly agent: Agent
  /** The proxy is an init container, so it starts before the pod's own containers. */
  readonly isNative: boolean
  /** The manifest already contains the sidecar, from Istio's webhook or `istioctl kube-inject`. */
  readonly isCarried: boolean
  /** Istio's webhook is called again if the pod changes after it. */
  readonly isReinvoked: boolean
  /** False if the sidecar is in the manifest and no webhook changes it. */
  readonly isInjected: boolean
  /** The labels of the running pod. */
  readonly labels: ReadonlyMap<string, string>
  /** The webhook and selector that added it, or that the manifest contains it. */
  readonly evidence: string
}

export const decideSidecar = rememberSidecars(simulateInjection)

function simulateInjection(subject: InjectionSubject, mesh: Mesh): Sidecar {
  const start: Round = {
    pass: readManifestSidecar(subject, mesh),
    absence: undefined,
    refused: undefined,
    injections: 0,
  }
  const first = runRound(subject, mesh, mesh.webhooks, start)
  const again = mesh.webhooks.filter(({ isReinvoked }) => isReinvoked)
  const { pass, absence, refused } = hasSecondRound(subject, first) ? runRound(subject, mesh, again, first) : first
  if (refused !== undefined) return refused
  if (pass?.hasProxy === false)
    return {
      state: 'absent',
      reason: 'template-without-proxy',
      evidence: 'the injection templates have no istio-proxy',
    }
  if (pass !== undefined) return sidecarOf(pass)
  return absence ?? notSelected(mesh.namespace(subject.namespace))
}

/** Returns the sidecar that the last injector call, or the manifest, left in a pod. */
export function sidecarOf(pass: InjectionPass): PresentSidecar {
  const { redirection } = pass
  return { state: 'present', ...pass, capture: redirection.capture, isNative: redirection.proxy.isInit }
}

/** The result of the API server's calls so far. */
interface Round {
  readonly pass: InjectionPass | undefined
  readonly absence: Sidecar | undefined
  readonly refused: Sidecar | undefined
  readonly injections: number
}

function runRound(subject: InjectionSubject, mesh: Mesh, webhooks: readonly InjectionWebhook[], start: Round): Round {
  const { labels } = mesh.namespace(subject.namespace)
  let round = start
  for (const webhook of webhooks) {
    const pod = identityOf(subject, round.pass)
    if (round.refused !== undefined || !isSelected(webhook, labels, pod.labels)) continue
    const outcome = callInjector(subject, pod, webhook, mesh.controlPlane(webhook.revision), round.pass)
    if (outcome.state === 'refused') round = { ...round, refused: outcome }
    else if (outcome.state === 'absent') round = { ...round, absence: round.absence ?? outcome }
    else round = { ...round, pass: outcome.pass, injections: round.injections + 1 }
  }
  return round
}

/**
 * Webhooks with `IfNeeded` are called again if something changed the pod after them: a later webhook, or the API server
 * itself, which mounts the service account's token into new containers between the rounds
 * (docs/facts/injection.md#order-and-reinvocation, k8s.io/apiserver `mutating/dispatcher.go`).
 */
function hasSecondRound({ template }: InjectionSubject, { injections }: Round): boolean {
  return injections > 1 || (injections === 1 && template.spec['automountServiceAccountToken'] !== false)
}

/** Returns the pod as the next webhook sees it. */
function identityOf(subject: InjectionSubject, pass: InjectionPass | undefined): PodIdentity {
  const { template, namespace } = subject
  return {
    namespace,
    labels: pass?.labels ?? template.labels,
    annotations: pass?.annotations ?? template.annotations,
    hostNetwork: template.spec['hostNetwork'] === true,
  }
}

type Call = Exclude<Sidecar, PresentSidecar> | { readonly state: 'injected'; readonly pass: InjectionPass }

function callInjector(
  subject: InjectionSubject,
  pod: PodIdentity,
  webhook: InjectionWebhook,
  controlPlane: ControlPlane,
  previous: InjectionPass | undefined,
): Call {
  const skip = skipReason(pod, controlPlane.injector ?? CHART_INJECTOR)
  if (skip !== undefined) return { state: 'absent', ...skip }
  const refused = refusedAnnotation(pod.annotations)
  if (refused !== undefined) return { state: 'refused', evidence: `Istio refuses annotation ${refused}` }
  const evidence = `webhook ${webhook.configuration}/${webhook.name} (${describeSelection(webhook)})`
  return inject({
    subject,
    pod,
    controlPlane,
    previous,
    network: webhook.network,
    isReinvoked: webhook.isReinvoked,
    isManaged: webhook.isManaged,
    evidence,
  })
}

function notSelected({ name, isDeclared }: Namespace): Sidecar {
  const evidence = isDeclared
    ? `no Istio webhook selects namespace ${name} and this pod`
    : `namespace ${name} is not declared, so it has no labels that Istio's webhooks select`
  return { state: 'absent', reason: 'no-webhook-selects', evidence }
}
