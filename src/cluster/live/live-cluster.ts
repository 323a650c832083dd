/**
 * The cluster kept in view. What was last known goes on being answered from during an outage, until it is older than
 * `unknownAfter`; then it is unknown, which is not empty: the whole state, where a kind that admission decides by is
 * concerned, else what the state says of that kind.
 */
import { setMaxListeners } from 'node:events'
import { stateOf, type ClusterState } from '../cluster-state.ts'
import type { Problem } from '../../kubernetes/problem.ts'
import { countRows, EMPTY_TABLES, type RowKey, type Tables } from '../tables.ts'
import type { ClusterApi, WatchEvent } from './cluster-api.ts'
import type { Listing } from './list-rows.ts'
import { reflect, type ReflectTiming, type Reflection } from './reflect.ts'
import type { Source } from './source.ts'
import { tableOf, withEvent, withListing, withoutSource } from './table-updates.ts'
import { createTurnstile } from './turnstile.ts'

export interface LiveClusterOptions {
  readonly api: ClusterApi
  readonly sources: readonly Source[]
  readonly timing: ReflectTiming
  /** Milliseconds without a word from the API server after which a kind counts as unknown. */
  readonly unknownAfter: number
  readonly observer: ClusterObserver
  /** Milliseconds, never going back. */
  readonly now: () => number
}

export interface ClusterObserver {
  failed(source: Source, error: Error, wait: number): void
  unreadable(source: Source, key: RowKey, problem: Problem): void
  /** Every source has been read once. */
  synced(state: ClusterState): void
}

export interface SourceHealth {
  readonly source: Source
  readonly isSynced: boolean
  /** Seconds since the API server last said anything about it; undefined before it did. */
  readonly age: number | undefined
  readonly objects: number
}

const LISTS_AT_ONCE = 4

export class LiveCluster implements Reflection {
  readonly #options: LiveClusterOptions
  readonly #stop = new AbortController()
  readonly #synced = new Set<Source>()
  readonly #contacts = new Map<Source, number>()
  #running: Promise<unknown> = Promise.resolve()
  #tables: Tables = EMPTY_TABLES
  #unknown: readonly Source[] = []
  #state: ClusterState | undefined

  constructor(options: LiveClusterOptions) {
    this.#options = options
    // Every request listens for the end, and there is one under way for each kind.
    setMaxListeners(0, this.#stop.signal)
  }

  start(): void {
    const { api, sources, timing } = this.#options
    const context = { api, timing, reflection: this, lists: createTurnstile(LISTS_AT_ONCE), signal: this.#stop.signal }
    // What admission decides by is read first.
    const inOrder = [...sources.filter(isRequired), ...sources.filter((source) => !isRequired(source))]
    this.#running = Promise.all(inOrder.map((source) => reflect(source, context)))
  }

  /** Ends every watch and waits for them. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('stopped'))
    await this.#running
  }

  /** Whether every kind that admission decides by has been read once; it stays so. */
  get isSynced(): boolean {
    return this.#options.sources.filter(isRequired).every((source) => this.#synced.has(source))
  }

  /** Undefined while too little is known, or what is known is too old. */
  get state(): ClusterState | undefined {
    const oldest = this.#options.now() - this.#options.unknownAfter
    const unknown = this.#options.sources.filter((source) => !this.#isKnown(source, oldest))
    if (unknown.some(isRequired)) return undefined
    if (this.#state === undefined || !areSame(unknown, this.#unknown)) {
      this.#unknown = unknown
      this.#state = stateOf(this.#tables, { unknown: new Set(unknown.map(({ resource }) => resource.table)) })
    }
    return this.#state
  }

  health(): readonly SourceHealth[] {
    const now = this.#options.now()
    return this.#options.sources.map((source) => {
      const contact = this.#contacts.get(source)
      return {
        source,
        isSynced: this.#synced.has(source),
        age: contact === undefined ? undefined : (now - contact) / 1000,
        objects: this.#countRows(source),
      }
    })
  }

  contact(source: Source): void {
    this.#contacts.set(source, this.#options.now())
  }

  listed(source: Source, listing: Listing): void {
    for (const { key, problem } of listing.unreadable) this.#options.observer.unreadable(source, key, problem)
    this.#replace(withListing(this.#tables, source, listing))
    this.#sync(source)
  }

  changed(source: Source, event: WatchEvent): void {
    const { observer } = this.#options
    const unreadable = (key: RowKey, problem: Problem) => observer.unreadable(source, key, problem)
    this.#replace(withEvent(this.#tables, source, event, unreadable))
  }

  absent(source: Source): void {
    this.#replace(withoutSource(this.#tables, source))
    this.#sync(source)
  }

  failed(source: Source, error: Error, wait: number): void {
    this.#options.observer.failed(source, error, wait)
  }

  #replace(tables: Tables): void {
    if (tables === this.#tables) return
    this.#tables = tables
    this.#state = undefined
  }

  #sync(source: Source): void {
    if (this.#synced.has(source)) return
    this.#synced.add(source)
    if (this.#synced.size === this.#options.sources.length) this.#options.observer.synced(stateOf(this.#tables))
  }

  #isKnown(source: Source, oldest: number): boolean {
    return this.#synced.has(source) && (this.#contacts.get(source) ?? oldest) >= oldest
  }

  #countRows(source: Source): number {
    const table = tableOf(this.#tables, source)
    return source.namespace === undefined ? countRows(table) : (table.get(source.namespace)?.size ?? 0)
  }
}

function isRequired({ resource }: Source): boolean {
  return resource.isForAdmission
}

function areSame(left: readonly Source[], right: readonly Source[]): boolean {
  return left.length === right.length && left.every((source, index) => source === right[index])
}
