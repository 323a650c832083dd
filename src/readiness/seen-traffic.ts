/**
 * Connections that access logs show, joined with the cluster. callers/ makes it; the engine reads it like the declared
 * calls.
 */
import type { ObjectReference } from '../kubernetes/object.ts'
import type { Workload } from './workload.ts'

export interface SeenTraffic {
  /** Plain-text connections to workloads of the namespace, kubelet's and the API server's left out. */
  connectionsTo(namespace: string): readonly SeenConnection[]
  /** What the logs say of the namespace as a whole; undefined without a line of one of its pods. */
  coverage(namespace: string): LogCoverage | undefined
  /** Whether every line could be read, and belongs to a known pod. */
  readonly isComplete: boolean
  /** Namespaces that have a coverage. */
  readonly namespaces: readonly string[]
  /** The time of the last line, in milliseconds since 1970; NaN without a time. */
  readonly end: number
}

export interface SeenConnection {
  readonly caller: SeenCaller
  readonly target: Workload
  /** The container port. */
  readonly port: number
  readonly connections: number
  /** HTTP requests; 0 for other traffic. */
  readonly requests: number
  readonly last: number
}

export type SeenCaller =
  | {
      readonly kind: 'workload'
      readonly reference: ObjectReference
      /** Undefined if only pods are left of it. */
      readonly workload: Workload | undefined
    }
  /** A process of the node, a pod of its network, or whoever called a node port of it. */
  | { readonly kind: 'node'; readonly name: string; readonly address: string }
  | {
      readonly kind: 'address'
      readonly address: string
      /** Further addresses that nothing in the cluster has. */
      readonly others: number
      /**
       * - `outside`: nothing in the cluster has it.
       * - `shared`: pods of several workloads had it one after the other.
       * - `forwarded`: it is from X-Forwarded-For, so the proxy in between is not known.
       */
      readonly why: 'outside' | 'shared' | 'forwarded'
    }

export interface LogCoverage {
  /** Running pods with a sidecar, and those of them that wrote a line. */
  readonly pods: number
  readonly podsWithLines: number
  /** Milliseconds since 1970; NaN if no line has a time. */
  readonly first: number
  readonly last: number
  /** What the logs leave open about the namespace's callers, one sentence each. */
  readonly unknown: readonly string[]
}

/** Plain-text traffic as Prometheus counted it. */
export interface CountedTraffic {
  /** The span of the counts. */
  readonly seconds: number
  /** Whether sidecars of the namespace reported anything. */
  hasData(namespace: string): boolean
  countsIn(namespace: string): readonly TrafficCount[]
}

export interface TrafficCount {
  readonly target: Workload
  readonly requests: number
  /** Sent and received, of TCP. */
  readonly bytes: number
  /** kubelet's own probes may be all of it. */
  readonly isOfKubelet: boolean
}
