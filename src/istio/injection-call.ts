/** One call of istiod's injector: what it is given, and what it leaves. */
import type { PodTemplate } from '../kubernetes/pod-template.ts'
import type { Agent } from './agent.ts'
import type { ControlPlane } from './control-plane.ts'
import type { PodIdentity } from './injection-policy.ts'
import type { Redirection } from './redirection.ts'
import type { Rewriting } from './rewriting.ts'

export interface InjectionSubject {
  readonly namespace: string
  readonly template: PodTemplate
  /** What Istio takes for the workload's name (`kube.GetDeployMetaFromPod`): default of the canonical name label. */
  readonly workloadName: string
}

export interface InjectionPass {
  readonly isInjected: boolean
  /** False where the templates bring no `istio-proxy`, `grpc-simple` alone, and the pod has none. */
  readonly hasProxy: boolean
  readonly controlPlane: ControlPlane
  readonly redirection: Redirection
  readonly rewriting: Rewriting
  readonly agent: Agent
  /** The manifest carried the sidecar before any webhook was called. */
  readonly isCarried: boolean
  /** A webhook that made this pass is called again when the pod changes after it. */
  readonly isReinvoked: boolean
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly evidence: string
}

export interface InjectionCall {
  readonly subject: InjectionSubject
  readonly pod: PodIdentity
  readonly controlPlane: ControlPlane
  readonly previous: InjectionPass | undefined
  /** The network that the called webhook names. */
  readonly network: string | undefined
  readonly isReinvoked: boolean
  readonly evidence: string
}
