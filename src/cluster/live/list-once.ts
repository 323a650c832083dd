/** Reads the cluster once, for a command that answers and ends. */
import pLimit from 'p-limit'
import { InputError, messageOf } from '../../errors.ts'
import { stateOf, type ClusterState } from '../cluster-state.ts'
import { RESOURCES } from '../resources.ts'
import { EMPTY_TABLES } from '../tables.ts'
import { ApiError, isNotFound } from './api-error.ts'
import type { ClusterApi } from './cluster-api.ts'
import { isAbsent } from './discovery.ts'
import { listTarget, type Listing } from './list-target.ts'
import { LISTS_AT_ONCE } from './live-cluster.ts'
import { REFLECTOR_TIMING } from './reflector.ts'
import { nameOfTarget, type WatchTarget } from './watch-target.ts'
import { withListing } from './table-updates.ts'

export interface ReadingProgress {
  readonly read: number
  readonly of: number
}

export interface ReadOnce {
  readonly state: ClusterState
  /** Objects that were skipped, one line each. */
  readonly unreadable: readonly string[]
}

/**
 * Lists every target. Kinds that the cluster does not have are absent. Kinds that we may not list and that admission
 * does not need are unknown. Throws InputError with a line for each other kind that could not be read, because answers
 * from half a cluster would look complete.
 */
export async function listOnce(
  api: ClusterApi,
  targets: readonly WatchTarget[],
  progress: (progress: ReadingProgress) => void,
): Promise<ReadOnce> {
  const lists = pLimit(LISTS_AT_ONCE)
  let isReachable = true
  let done = 0
  const listNext = async (target: WatchTarget): Promise<readonly Reading[]> => {
    // If the API server is unreachable, skip the remaining targets.
    if (!isReachable) return []
    const reading = await listWhole(target, api)
    if ('problem' in reading && !reading.isAnswered) isReachable = false
    done += 1
    progress({ read: done, of: targets.length })
    return [reading]
  }
  const read = (await lists.map(targets, listNext)).flat()
  const problems = read.flatMap((reading) => ('problem' in reading ? [reading.problem] : []))
  if (problems.length > 0) throw new InputError('cluster-unreadable', [...new Set(problems)])
  return assemble(read, targets)
}

type Reading =
  | { readonly target: WatchTarget; readonly listing: Listing | undefined }
  /** We may not list it, and admission does not depend on it: unknown, not empty. */
  | { readonly target: WatchTarget; readonly isForbidden: true; readonly message: string }
  | { readonly problem: string; readonly isAnswered: boolean }

async function listWhole(target: WatchTarget, api: ClusterApi): Promise<Reading> {
  const { signal } = new AbortController()
  try {
    const listing = await listTarget(target, api, REFLECTOR_TIMING.pageSize, signal).catch(async (error: unknown) => {
      if (isNotFound(error) && (await isAbsent(target, api, signal))) return undefined
      throw error
    })
    return { target, listing }
  } catch (error) {
    const message = messageOf(error)
    const isAnswered = error instanceof ApiError
    if (isAnswered && error.status === 403 && !target.resource.isForAdmission)
      return { target, isForbidden: true, message }
    return { problem: isAnswered ? `${api.server}: ${nameOfTarget(target)}: ${message}` : message, isAnswered }
  }
}

function assemble(read: readonly Reading[], targets: readonly WatchTarget[]): ReadOnce {
  const unreadable: string[] = []
  let tables = EMPTY_TABLES
  for (const reading of read) {
    if ('isForbidden' in reading)
      unreadable.push(`${nameOfTarget(reading.target)}: ${reading.message}; it counts as unknown`)
    if ('problem' in reading || 'isForbidden' in reading || reading.listing === undefined) continue
    const { target, listing } = reading
    tables = withListing(tables, target, listing)
    for (const { key, problem } of listing.unreadable)
      unreadable.push(
        `${target.resource.kind} ${key.namespace}/${key.name}: ${problem.field}: ${problem.problem}; left out`,
      )
  }
  const asked = new Set(targets.map(({ resource }) => resource))
  const forbidden = new Set(read.flatMap((reading) => ('isForbidden' in reading ? [reading.target.resource] : [])))
  const unknown = new Set(
    RESOURCES.filter((resource) => !asked.has(resource) || forbidden.has(resource)).map(({ table }) => table),
  )
  return { state: stateOf(tables, { unknown }), unreadable }
}
