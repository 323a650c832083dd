/** What `check` is asked. */
import type { CheckFormat } from './check-format-names.ts'
import type { ClusterFlags } from './load-cluster.ts'

export const FAIL_ON = ['error', 'warn', 'unknown', 'never'] as const

export interface CheckOutput {
  readonly format: CheckFormat
  /** Undefined for standard output. */
  readonly file: string | undefined
}

export interface CheckOptions {
  readonly cluster: ClusterFlags
  readonly namespaces: readonly string[]
  /** Namespaces, or `*` for the mesh. */
  readonly assumeStrict: readonly string[]
  readonly change: readonly string[]
  readonly remove: readonly string[]
  readonly accessLog: readonly string[]
  /** The URL of a Prometheus. */
  readonly prometheus: string | undefined
  /** Seconds that metrics and live logs cover; undefined for a day of metrics, and all of a log. */
  readonly since: number | undefined
  readonly outputs: readonly CheckOutput[]
  readonly failOn: (typeof FAIL_ON)[number]
  readonly baseline: string | undefined
  readonly failOnNew: boolean
  readonly ignore: string | undefined
  readonly hasColor: boolean
  /** `2026-11-27` */
  readonly today: string
}
