/** What a rule is given and what it answers: facts come in, decisions and a patch or a message go out. */
import type { Slot } from '../kubernetes/container.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import type { Operation } from '../kubernetes/json-pointer.ts'
import type { ObjectReference } from '../kubernetes/object.ts'
import type { Mesh } from '../istio/mesh.ts'
import type { RuleConfiguration } from './configuration.ts'
import type { Reason } from './reasons.ts'

export type RuleName = 'probes' | 'ingress' | 'strict-switch' | 'egress'
export type Action = 'rewrite' | 'leave' | 'annotate' | 'allow' | 'warn' | 'deny'
export type Strategy = 'exec' | 'port' | 'agent'

/** A write that the API server asks about. Only an UPDATE has an `oldObject`. */
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
  /** Why the probes of the pods will be rewritten, where a template is left to them. */
  readonly cause?: Reason
  /** What the reason, or the cause, rests on: the policy, selector, annotation or port. */
  readonly evidence?: string
  /** The port that is asked from then on: `probe-port`, the agent's, or with exec the user's own. */
  readonly port?: number
}

/** `by` says whose annotation made `rule` looser than the configuration says. */
export interface Exemption {
  readonly rule: RuleName
  readonly by: 'object' | 'namespace'
  readonly setting: string
}

export interface RuleResult {
  readonly decisions: readonly Decision[]
  readonly operations: readonly Operation[]
  readonly warnings: readonly string[]
  /** Why something could not be decided and the object is admitted without it; `warnings` says it, the server counts it. */
  readonly failOpen: readonly Reason[]
  /** A user's annotations with values that are not allowed; `warnings` says it, the server counts it. */
  readonly refusedSettings: readonly Reason[]
  /** Annotations that loosened the rule for this object or its namespace; audited and counted. */
  readonly exemptions: readonly Exemption[]
  /** The whole text of a denial. */
  readonly denial?: string
}

export interface Rule {
  readonly name: RuleName
  handles(kind: string): boolean
  /** Total: a throw is a defect. */
  apply(request: WriteRequest, context: RuleContext): RuleResult
}

export const NO_OPINION: RuleResult = {
  decisions: [],
  operations: [],
  warnings: [],
  failOpen: [],
  refusedSettings: [],
  exemptions: [],
}
