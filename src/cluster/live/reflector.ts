/**
 * Keeps one kind of the cluster's objects current, as client-go's Reflector does: it lists the kind, watches from
 * there, and lists again periodically and when the watch cannot continue. The list makes it correct, the watch makes it
 * fast.
 * https://github.com/kubernetes/client-go/blob/master/tools/cache/reflector.go
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { LimitFunction } from 'p-limit'
import { memberAt, scalarText, type JsonObject } from '../../kubernetes/json.ts'
import { messageOf } from '../../errors.ts'
import { ApiError, isGone, isNotFound } from './api-error.ts'
import { createBackoff, type Backoff } from './backoff.ts'
import type { ClusterApi, WatchEvent } from './cluster-api.ts'
import { isAbsent } from './discovery.ts'
import { listTarget, type Listing } from './list-target.ts'
import { selectionOf, type WatchTarget } from './watch-target.ts'

/** Milliseconds unless stated otherwise. */
export interface ReflectorTiming {
  readonly pageSize: number
  readonly relist: number
  /** Seconds after which the server is asked to end a watch. */
  readonly watchSeconds: number
  /** Bookmarks arrive once a minute, so a watch that is silent for longer is dead. */
  readonly silence: number
  readonly retry: { readonly least: number; readonly most: number }
  /** The time until a kind that the cluster does not have is tried again. */
  readonly absent: number
}

export const REFLECTOR_TIMING: ReflectorTiming = {
  pageSize: 500,
  relist: 600_000,
  watchSeconds: 300,
  silence: 90_000,
  retry: { least: 1_000, most: 30_000 },
  absent: 10_000,
}

/** Receives the reflectors' data. None of these may throw. */
export interface ReflectorListener {
  listed(target: WatchTarget, listing: Listing): void
  changed(target: WatchTarget, event: WatchEvent): void
  /** The cluster does not have the kind. */
  absent(target: WatchTarget): void
  contact(target: WatchTarget): void
  /** `wait` is the time until the next try, in milliseconds. */
  failed(target: WatchTarget, error: Error, wait: number): void
}

/** What all reflectors of a cluster share. */
export interface ReflectorContext {
  readonly api: ClusterApi
  readonly listener: ReflectorListener
  readonly timing: ReflectorTiming
  /** Pages of many lists at once would take most of the memory at start-up. */
  readonly lists: LimitFunction
  readonly signal: AbortSignal
}

interface Task extends ReflectorContext {
  readonly target: WatchTarget
  readonly backoff: Backoff
}

/** Runs until `signal` is aborted; never rejects. */
export async function reflect(target: WatchTarget, context: ReflectorContext): Promise<void> {
  const { api, listener, timing, lists, signal } = context
  const task: Task = { ...context, target, backoff: createBackoff(timing.retry) }
  while (!isAborted(signal)) {
    try {
      const listing = await lists(() => listTarget(target, api, timing.pageSize, signal))
      listener.contact(target)
      listener.listed(target, listing)
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
  const { target, listener, timing, signal, backoff } = task
  const relistAt = performance.now() + timing.relist * (1 + Math.random() / 10)
  let version = listed
  while (!isAborted(signal) && performance.now() < relistAt) {
    let opened = Infinity
    try {
      const events = await watch(task, path, version)
      listener.contact(target)
      opened = performance.now()
      for await (const event of events) {
        listener.contact(target)
        if (event.type === 'ERROR') throw statusError(event.object)
        version = scalarText(memberAt(event.object, 'metadata', 'resourceVersion')) ?? version
        if (event.type !== 'BOOKMARK') listener.changed(target, event)
      }
      if (performance.now() - opened < timing.retry.least) throw new Error('the watch ended as soon as it was opened')
      backoff.reset()
    } catch (error) {
      if (isAborted(signal)) return
      if (isNotFound(error)) throw error
      // Only a watch that lasts counts as success. If every watch fails, successful lists would otherwise follow
      // without a pause.
      if (performance.now() - opened > 5 * timing.retry.least) backoff.reset()
      await retryLater(task, error)
      if (isGone(error)) return
    }
  }
}

function watch(
  { target, api, timing, signal }: Task,
  path: string,
  version: string,
): Promise<AsyncIterable<WatchEvent>> {
  const query = `?watch=true&allowWatchBookmarks=true&timeoutSeconds=${timing.watchSeconds}&resourceVersion=${version}${selectionOf(target)}`
  return api.watch(`${path}${query}`, timing.silence, signal)
}

/** A missing or deleted CustomResourceDefinition is a state, not a failure. */
async function awaitKind(task: Task, notFound: Error): Promise<void> {
  const { target, api, listener, timing, signal } = task
  try {
    if (!(await isAbsent(target, api, signal))) throw notFound
    listener.contact(target)
    listener.absent(target)
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

async function retryLater({ target, listener, backoff, signal }: Task, error: unknown): Promise<void> {
  const wait = backoff.next()
  listener.failed(target, error instanceof Error ? error : new Error(messageOf(error)), wait)
  await pause(wait, signal)
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}

/** A function call, because type narrowing ignores changes that happen during an `await`. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}
