/**
 * Keeps one kind of the cluster's objects in view: lists it, watches it from there, and lists it again when the watch can
 * no longer go on, and every so often besides (the list makes it right, the watch makes it fast; spec/libraries.md 3.3).
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { memberAt, scalarText, type JsonObject } from '../../kubernetes/json.ts'
import { ApiError, isGone, isNotFound } from './api-error.ts'
import { createBackoff, type Backoff } from './backoff.ts'
import type { ClusterApi, WatchEvent } from './cluster-api.ts'
import { isAbsent } from './discovery.ts'
import { listRows, type Listing } from './list-rows.ts'
import type { Source } from './source.ts'
import type { Turnstile } from './turnstile.ts'

/** Milliseconds, unless it says otherwise. */
export interface ReflectTiming {
  readonly pageSize: number
  readonly relist: number
  /** The server is asked to end a watch after this many seconds. */
  readonly watchSeconds: number
  /** Bookmarks come once a minute; a watch silent for longer is dead. */
  readonly silence: number
  readonly retry: { readonly least: number; readonly most: number }
  /** How long until a kind that the cluster does not have is asked for again. */
  readonly absent: number
}

export const REFLECT_TIMING: ReflectTiming = {
  pageSize: 500,
  relist: 600_000,
  watchSeconds: 300,
  silence: 90_000,
  retry: { least: 1_000, most: 30_000 },
  absent: 10_000,
}

/** Who is told. None of these may throw. */
export interface Reflection {
  listed(source: Source, listing: Listing): void
  changed(source: Source, event: WatchEvent): void
  /** The cluster has no such kind. */
  absent(source: Source): void
  contact(source: Source): void
  /** `wait`: milliseconds until the next try. */
  failed(source: Source, error: Error, wait: number): void
}

/** What all reflections of a cluster share. */
export interface ReflectContext {
  readonly api: ClusterApi
  readonly reflection: Reflection
  readonly timing: ReflectTiming
  /** Pages of many lists at once would be most of the memory that a start needs. */
  readonly lists: Turnstile
  readonly signal: AbortSignal
}

interface Task extends ReflectContext {
  readonly source: Source
  readonly backoff: Backoff
}

/** Runs until `signal` is aborted; never rejects. */
export async function reflect(source: Source, context: ReflectContext): Promise<void> {
  const { api, reflection, timing, lists, signal } = context
  const task: Task = { ...context, source, backoff: createBackoff(timing.retry) }
  while (!isAborted(signal)) {
    try {
      const listing = await lists.pass(() => listRows(source, api, timing.pageSize, signal))
      reflection.contact(source)
      reflection.listed(source, listing)
      await follow(task, listing)
    } catch (error) {
      if (isAborted(signal)) return
      if (isNotFound(error)) await awaitKind(task, error)
      else await retryLater(task, error)
    }
  }
}

/** Returns when it is time to list again. */
async function follow(task: Task, { path, version: listed }: Listing): Promise<void> {
  const { source, reflection, timing, signal, backoff } = task
  const relistAt = performance.now() + timing.relist * (1 + Math.random() / 10)
  let version = listed
  while (!isAborted(signal) && performance.now() < relistAt) {
    let opened = Infinity
    try {
      for await (const event of watch(task, path, version)) {
        reflection.contact(source)
        if (event.type === 'OPEN') opened = performance.now()
        if (event.type === 'ERROR') throw statusError(event.object)
        version = scalarText(memberAt(event.object, 'metadata', 'resourceVersion')) ?? version
        if (event.type !== 'BOOKMARK' && event.type !== 'OPEN') reflection.changed(source, event)
      }
      if (performance.now() - opened < timing.retry.least) throw new Error('the watch ended as soon as it began')
      backoff.reset()
    } catch (error) {
      if (isAborted(signal)) return
      if (isNotFound(error)) throw error
      // Health is a watch that stays. Where each one fails, lists that succeed would follow each other without a pause.
      if (performance.now() - opened > 5 * timing.retry.least) backoff.reset()
      await retryLater(task, error)
      if (isGone(error)) return
    }
  }
}

function watch({ api, timing, signal }: Task, path: string, version: string): AsyncIterable<WatchEvent> {
  const query = `?watch=true&allowWatchBookmarks=true&timeoutSeconds=${timing.watchSeconds}&resourceVersion=${version}`
  return api.watch(`${path}${query}`, timing.silence, signal)
}

/** A kind whose CustomResourceDefinition is not there, or no longer, is a state and no failure. */
async function awaitKind(task: Task, notFound: Error): Promise<void> {
  const { source, api, reflection, timing, signal } = task
  try {
    if (!(await isAbsent(source, api, signal))) throw notFound
    reflection.contact(source)
    reflection.absent(source)
    await pause(timing.absent, signal)
  } catch (error) {
    if (!isAborted(signal)) await retryLater(task, error)
  }
}

function statusError(status: JsonObject): ApiError {
  return new ApiError(
    Number(memberAt(status, 'code') ?? 0),
    scalarText(memberAt(status, 'message')) ?? 'the watch reported an error',
  )
}

async function retryLater({ source, reflection, backoff, signal }: Task, error: unknown): Promise<void> {
  const wait = backoff.next()
  reflection.failed(source, error instanceof Error ? error : new Error(String(error)), wait)
  await pause(wait, signal)
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}

/** A call, because what an `await` lets happen is not seen in the property. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
