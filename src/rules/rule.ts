/** The input and output of a rule: facts in, decisions and a patch or a message out. */
import type { Slot } from '../kubernetes/container.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import type { Steps } from '../kubernetes/steps.ts'
import type { Mesh } from '../istio/mesh.ts'
import type { RuleConfiguration } from './configuration.ts'
import type { Reason } from './reasons.ts'

export type RuleName = 'probes' | 'ingress' | 'strict-switch' | 'egress'
export type Action = 'rewrite' | 'leave' | 'annotate' | 'allow' | 'warn' | 'deny'
export type Strategy = 'exec' | 'port' | 'agent'

/** A write that the API server sends for review. Only an UPDATE has an `oldObject`. */
export interface WriteRequest {
  readonly operation: 'CREATE' | 'UPDATE'
  readonly reference: ObjectReference
  readonly object: JsonObject
  readonly oldObject: JsonObject | undefined
  /** `request.userInfo.username`; empty on the command line. */
  readonly user: string
}

export interface RuleContext {
  readonly mesh: Mesh
  readonly configuration: RuleConfiguration
}

export interface Decision {
  readonly rule: RuleName
  readonly container?: string
  readonly slot?: Slot
  readonly action: Action
  readonly reason: Reason
  readonly strategy?: Strategy
  /** Why the pods' probes will be rewritten, if a template is left to its pods. */
  readonly cause?: Reason
  /** The evidence for the reason or the cause: the policy, selector, annotation or port. */
  readonly evidence?: string
  /** The port called from then on: `probe-port`, the agent's, or with exec the user's own. */
  readonly port?: number
}

/** An exemption; `by` says whose annotation loosened the configured setting of `rule`. */
export interface Exemption {
  readonly rule: RuleName
  readonly by: 'object' | 'namespace'
  readonly setting: string
}

export interface RuleResult {
  readonly decisions: readonly Decision[]
  readonly operations: readonly Operation[]
  readonly warnings: readonly string[]
  /**
   * Why no decision was possible, so that the object is admitted without one. `warnings` reports it, the server counts
   * it.
   */
  readonly failOpen: readonly Reason[]
  /** Annotations with values that are not allowed. `warnings` reports them, the server counts them. */
  readonly refusedSettings: readonly Reason[]
  /** Annotations that loosened the rule for this object or its namespace; audited and counted. */
  readonly exemptions: readonly Exemption[]
  /** The full text of a denial. */
  readonly denial?: string
}

export interface Rule {
  readonly name: RuleName
  handles(kind: string): boolean
  /** Total: a throw is a defect. */
  apply(request: WriteRequest, context: RuleContext): RuleResult
  /** The same for a rule that takes long in a large cluster: the caller may pause at each `yield`. */
  readonly applyInSteps?: (request: WriteRequest, context: RuleContext) => Steps<RuleResult>
}

export const NO_OPINION: RuleResult = {
  decisions: [],
  operations: [],
  warnings: [],
  failOpen: [],
  refusedSettings: [],
  exemptions: [],
}
