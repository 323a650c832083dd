/** What a rule is given and what it answers. Facts come in, decisions and a patch or a message go out. */
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

/** A write that the API server asks about; `object` is absent on DELETE, `oldObject` on CREATE. */
export interface WriteRequest {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
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
  /** Of a check that is left to its pods: why those will be rewritten. */
  readonly cause?: Reason
  /** What the reason, or the cause, rests on: the policy, selector, annotation or port. */
  readonly evidence?: string
}

export interface RuleResult {
  readonly decisions: readonly Decision[]
  readonly operations: readonly Operation[]
  readonly warnings: readonly string[]
  /** What could not be read: the object passes all the same; warned of in `warnings`, counted and logged by the server. */
  readonly doubts: readonly Reason[]
  /** The whole text of a denial. */
  readonly denial?: string
}

export interface Rule {
  readonly name: RuleName
  handles(kind: string): boolean
  /** Total: a throw is a defect. */
  decide(request: WriteRequest, context: RuleContext): RuleResult
}

export const NO_OPINION: RuleResult = { decisions: [], operations: [], warnings: [], doubts: [] }
