/** The cluster read once, for a command that answers and ends. */
import { InputError, messageOf } from '../../errors.ts'
import { stateOf, type ClusterState } from '../cluster-state.ts'
import { RESOURCES } from '../resources.ts'
import { EMPTY_TABLES } from '../tables.ts'
import { ApiError, isNotFound } from './api-error.ts'
import type { ClusterApi } from './cluster-api.ts'
import { isAbsent } from './discovery.ts'
import { listRows, type Listing } from './list-rows.ts'
import { REFLECT_TIMING } from './reflect.ts'
import { nameOfSource, type Source } from './source.ts'
import { withListing } from './table-updates.ts'

/** How many lists are under way together. */
const AT_ONCE = 4

export interface ReadingProgress {
  readonly read: number
  readonly of: number
}

export interface ReadOnce {
  readonly state: ClusterState
  /** Objects that were left out, one line each. */
  readonly unreadable: readonly string[]
}

/**
 * Kinds that the cluster does not have are absent. Throws InputError, with a line for each kind that could not be read:
 * half a cluster would give answers that look whole.
 */
export async function readCluster(
  api: ClusterApi,
  sources: readonly Source[],
  progress: (progress: ReadingProgress) => void,
): Promise<ReadOnce> {
  const waiting = [...sources]
  const read: Reading[] = []
  const readNext = async (): Promise<void> => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      const reading = await readSource(source, api)
      // An API server that cannot be reached is not asked for the rest.
      if ('problem' in reading && !reading.isAnswered) waiting.length = 0
      progress({ read: read.push(reading), of: sources.length })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, readNext))
  const problems = read.flatMap((reading) => ('problem' in reading ? [reading.problem] : []))
  if (problems.length > 0) throw new InputError('cluster-unreadable', [...new Set(problems)])
  return assemble(read, sources)
}

type Reading =
  | { readonly source: Source; readonly listing: Listing | undefined }
  | { readonly problem: string; readonly isAnswered: boolean }

async function readSource(source: Source, api: ClusterApi): Promise<Reading> {
  const { signal } = new AbortController()
  try {
    const listing = await listRows(source, api, REFLECT_TIMING.pageSize, signal).catch(async (error: unknown) => {
      if (isNotFound(error) && (await isAbsent(source, api, signal))) return undefined
      throw error
    })
    return { source, listing }
  } catch (error) {
    const message = messageOf(error)
    const isAnswered = error instanceof ApiError
    return { problem: isAnswered ? `${api.server}: ${nameOfSource(source)}: ${message}` : message, isAnswered }
  }
}

function assemble(read: readonly Reading[], sources: readonly Source[]): ReadOnce {
  const unreadable: string[] = []
  let tables = EMPTY_TABLES
  for (const reading of read) {
    if ('problem' in reading || reading.listing === undefined) continue
    const { source, listing } = reading
    tables = withListing(tables, source, listing)
    for (const { key, problem } of listing.unreadable)
      unreadable.push(
        `${source.resource.kind} ${key.namespace}/${key.name}: ${problem.field}: ${problem.problem}; left out`,
      )
  }
  const asked = new Set(sources.map(({ resource }) => resource))
  const unknown = new Set(RESOURCES.filter((resource) => !asked.has(resource)).map(({ table }) => table))
  return { state: stateOf(tables, { unknown }), unreadable }
}
