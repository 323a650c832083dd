/** The cluster read once, for a command that answers and ends. */
import { stateOf, type ClusterState } from '../cluster-state.ts'
import { InputError } from '../manifest.ts'
import { EMPTY_TABLES, type Tables } from '../tables.ts'
import type { ClusterApi } from './cluster-api.ts'
import { isNotFound, listRows } from './list-rows.ts'
import { REFLECT_TIMING } from './reflect.ts'
import { nameOfSource, type Source } from './source.ts'
import { withListing } from './table-updates.ts'

/** How many lists are under way together. */
const AT_ONCE = 4

export interface ReadingProgress {
  readonly read: number
  readonly of: number
}

/**
 * Kinds that the cluster does not have are absent. Throws InputError, with a line for each kind that could not be read:
 * half a cluster would give answers that look whole.
 */
export async function readCluster(
  api: ClusterApi,
  sources: readonly Source[],
  progress: (progress: ReadingProgress) => void,
): Promise<{ readonly state: ClusterState; readonly unreadable: readonly string[] }> {
  const problems: string[] = []
  const unreadable: string[] = []
  let tables: Tables = EMPTY_TABLES
  let read = 0
  const waiting = [...sources]
  const readNext = async (): Promise<void> => {
    for (let source = waiting.shift(); source !== undefined; source = waiting.shift()) {
      try {
        const listing = await listRows(source, api, REFLECT_TIMING.pageSize, AbortSignal.timeout(120_000))
        tables = withListing(tables, source, listing)
        for (const { key, problem } of listing.unreadable)
          unreadable.push(
            `${source.resource.kind} ${key.namespace}/${key.name}: ${problem.field}: ${problem.problem}; left out`,
          )
      } catch (error) {
        const isAbsent = isNotFound(error) && source.resource.presence === 'with-istio'
        if (!isAbsent)
          problems.push(`${nameOfSource(source)}: ${error instanceof Error ? error.message : String(error)}`)
      }
      progress({ read: ++read, of: sources.length })
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, readNext))
  if (problems.length > 0) throw new InputError([...new Set(problems)].map((problem) => `${api.server}: ${problem}`))
  return { state: stateOf(tables), unreadable }
}
