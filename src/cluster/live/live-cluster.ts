/**
 * The cluster, kept current. During an outage the last known state stays in use until it is older than `unknownAfter`.
 * Then it is unknown, not empty: the whole state if the kind is needed for admission, otherwise only that kind.
 */
import { setMaxListeners } from 'node:events'
import pLimit from 'p-limit'
import { stateOf, type ClusterState } from '../cluster-state.ts'
import type { Problem } from '../../kubernetes/problem.ts'
import { countRows, EMPTY_TABLES, tableOf, type RowKey, type Tables } from '../tables.ts'
import type { ClusterApi } from './cluster-api.ts'
import { reflect, type ReflectorTiming, type ReflectorListener } from './reflector.ts'
import type { WatchTarget } from './watch-target.ts'
import { withEvent, withListing, withoutTarget } from './table-updates.ts'

export interface LiveClusterOptions {
  readonly api: ClusterApi
  readonly targets: readonly WatchTarget[]
  readonly timing: ReflectorTiming
  /** Milliseconds without data from the API server after which a kind is unknown. */
  readonly unknownAfter: number
  readonly observer: ClusterObserver
  /** Milliseconds on a monotonic clock. */
  readonly now: () => number
}

export interface ClusterObserver {
  failed(target: WatchTarget, error: Error, wait: number): void
  unreadable(target: WatchTarget, key: RowKey, problem: Problem): void
  /** Called when every target has been read once. */
  synced(state: ClusterState): void
}

export interface TargetHealth {
  readonly target: WatchTarget
  readonly isSynced: boolean
  /** Seconds since the API server last sent anything about it; undefined before the first time. */
  readonly age: number | undefined
  readonly objects: number
}

/** Pages of many lists at once would take most of the memory at start-up. */
export const LISTS_AT_ONCE = 4

/** The reflectors' data as a value that is replaced with every change. */
export class LiveCluster {
  readonly #options: LiveClusterOptions
  readonly #stop = new AbortController()
  readonly #synced = new Set<WatchTarget>()
  readonly #contacts = new Map<WatchTarget, number>()
  #running: Promise<unknown> = Promise.resolve()
  #tables: Tables = EMPTY_TABLES
  #unknown: readonly WatchTarget[] = []
  #state: ClusterState | undefined

  constructor(options: LiveClusterOptions) {
    this.#options = options
    // Every request listens for the abort signal, and one is in flight for each kind.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    const { api, targets, timing } = this.#options
    const context = { api, timing, listener: this.#listener(), lists: pLimit(LISTS_AT_ONCE), signal: this.#stop.signal }
    // Read the kinds that admission needs first.
    const inOrder = [...targets.filter(isRequired), ...targets.filter((target) => !isRequired(target))]
    this.#running = Promise.all(inOrder.map((target) => reflect(target, context)))
  }

  /** Ends every watch and waits for them. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'))
    await this.#running
  }

  /** Whether every kind that admission needs has been read once; it stays true. */
  get isSynced(): boolean {
    return this.#options.targets.filter(isRequired).every((target) => this.#synced.has(target))
  }

  /** Undefined while too little is known or the data is too old. */
  get state(): ClusterState | undefined {
    const oldest = this.#options.now() - this.#options.unknownAfter
    const unknown = this.#options.targets.filter((target) => !this.#isKnown(target, oldest))
    if (unknown.some(isRequired)) return undefined
    if (this.#state === undefined || !areSame(unknown, this.#unknown)) {
      this.#unknown = unknown
      this.#state = stateOf(this.#tables, { unknown: new Set(unknown.map(({ resource }) => resource.table)) })
    }
    return this.#state
  }

  health(): readonly TargetHealth[] {
    const now = this.#options.now()
    return this.#options.targets.map((target) => {
      const contact = this.#contacts.get(target)
      return {
        target,
        isSynced: this.#synced.has(target),
        age: contact === undefined ? undefined : (now - contact) / 1000,
        objects: this.#countRows(target),
      }
    })
  }

  /** The producers' interface; only the reflectors have it. */
  #listener(): ReflectorListener {
    const { now, observer } = this.#options
    return {
      contact: (target) => void this.#contacts.set(target, now()),
      listed: (target, listing) => {
        for (const { key, problem } of listing.unreadable) observer.unreadable(target, key, problem)
        this.#replace(withListing(this.#tables, target, listing))
        this.#sync(target)
      },
      changed: (target, event) => {
        const unreadable = (key: RowKey, problem: Problem) => observer.unreadable(target, key, problem)
        this.#replace(withEvent(this.#tables, target, event, unreadable))
      },
      absent: (target) => {
        this.#replace(withoutTarget(this.#tables, target))
        this.#sync(target)
      },
      failed: (target, error, wait) => observer.failed(target, error, wait),
    }
  }

  #replace(tables: Tables): void {
    if (tables === this.#tables) return
    this.#tables = tables
    this.#state = undefined
  }

  #sync(target: WatchTarget): void {
    if (this.#synced.has(target)) return
    this.#synced.add(target)
    if (this.#synced.size === this.#options.targets.length) this.#options.observer.synced(stateOf(this.#tables))
  }

  #isKnown(target: WatchTarget, oldest: number): boolean {
    return this.#synced.has(target) && (this.#contacts.get(target) ?? oldest) >= oldest
  }

  #countRows(target: WatchTarget): number {
    const table = tableOf(this.#tables, target.resource.table)
    return target.namespace === undefined ? countRows(table) : (table.get(target.namespace)?.size ?? 0)
  }
}

function isRequired({ resource }: WatchTarget): boolean {
  return resource.isForAdmission
}

function areSame(left: readonly WatchTarget[], right: readonly WatchTarget[]): boolean {
  return left.length === right.length && left.every((target, index) => target === right[index])
}
