/** One call of istiod's injector: its input and its result. */
import type { PodTemplate } from '../kubernetes/pod-template.ts'
import type { Agent } from './agent.ts'
import type { ControlPlane } from './control-plane.ts'
import type { PodIdentity } from './injection-policy.ts'
import type { Redirection } from './redirection.ts'
import type { Rewriting } from './rewriting.ts'

export interface InjectionSubject {
  readonly namespace: string
  readonly template: PodTemplate
  /** Istio's name for the workload (`kube.GetDeployMetaFromPod`): the default of the canonical name label. */
  readonly workloadName: string
}

export interface InjectionPass {
  readonly isInjected: boolean
  /** False if the templates add no `istio-proxy` (only `grpc-simple` does not) and the pod has none. */
  readonly hasProxy: boolean
  readonly controlPlane: ControlPlane
  readonly redirection: Redirection
  readonly rewriting: Rewriting
  readonly agent: Agent
  /** The manifest contained the sidecar before any webhook was called. */
  readonly isCarried: boolean
  /** A webhook that made this pass is called again if the pod changes after it. */
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
  /** The network in the called webhook's path. */
  readonly network: string | undefined
  readonly isReinvoked: boolean
  readonly isManaged: boolean
  readonly evidence: string
}
