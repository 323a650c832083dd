/** Reads a whole list page by page into rows. Each page is discarded before the next one is read. */
import { arrayMember, isObject, memberAt, scalarText, stringMember, type JsonObject } from '../../kubernetes/json.ts'
import { isProblem, type Problem } from '../../kubernetes/problem.ts'
import { rowKey } from '../resources.ts'
import { buildTable, type AnyTable, type RowKey, type Rows } from '../tables.ts'
import { ApiError, isNotFound } from './api-error.ts'
import { ResponseTooLarge, type ClusterApi } from './cluster-api.ts'
import { pathsOf, selectionOf, type WatchTarget } from './watch-target.ts'

export interface Listing {
  /** The path under which the cluster serves the kind. */
  readonly path: string
  readonly rows: AnyTable
  readonly unreadable: readonly { readonly key: RowKey; readonly problem: Problem }[]
  /** The resourceVersion to watch from. */
  readonly version: string
}

/** Lists the newest version of the kind that the cluster serves. Throws ApiError; 404 if it serves none. */
export async function listTarget(
  target: WatchTarget,
  api: ClusterApi,
  pageSize: number,
  signal: AbortSignal,
): Promise<Listing> {
  const paths = pathsOf(target)
  for (const [index, path] of paths.entries()) {
    try {
      return await listPath(path, target, api, pageSize, signal)
    } catch (error) {
      if (!isNotFound(error) || index === paths.length - 1) throw error
    }
  }
  throw new ApiError(404, `${target.resource.table} has no version to list`)
}

async function listPath(
  path: string,
  target: WatchTarget,
  api: ClusterApi,
  pageSize: number,
  signal: AbortSignal,
): Promise<Listing> {
  const { resource } = target
  const rows = buildTable<Rows[keyof Rows]>()
  const unreadable: { readonly key: RowKey; readonly problem: Problem }[] = []
  let limit = Math.min(pageSize, FIRST_LIMIT)
  let token = ''
  for (;;) {
    const measured = await measurePage(`${path}?limit=${limit}${selectionOf(target)}${token}`, limit, api, signal)
    if (measured === undefined) {
      limit = Math.max(1, Math.floor(limit / 4))
      continue
    }
    const page = readPage(measured.object)
    for (const object of page.items) {
      const key = rowKey(resource, object)
      const row = resource.read(object)
      if (isProblem(row)) unreadable.push({ key, problem: row })
      else if (row !== undefined) rows.put(key, row)
    }
    if (page.token === '') return { path, rows: rows.table(), unreadable, version: page.version }
    token = `&continue=${encodeURIComponent(page.token)}`
    limit = limitFor(measured.bytes / Math.max(1, page.items.length), pageSize)
  }
}

/**
 * A page is held as text and as objects until its rows are trimmed, so its bytes are bounded: one object can have 1.5
 * MB (etcd's limit), and the API server bounds a page only by the number of objects.
 */
const MOST_PAGE_BYTES = 8 * 1024 * 1024
const AIM_PAGE_BYTES = 2 * 1024 * 1024
const FIRST_LIMIT = 100

/** Returns undefined for a page that is too large; the caller then requests fewer objects. */
async function measurePage(path: string, limit: number, api: ClusterApi, signal: AbortSignal) {
  if (limit === 1) return { object: await api.get(path, signal), bytes: AIM_PAGE_BYTES }
  try {
    return await api.measure(path, MOST_PAGE_BYTES, signal)
  } catch (error) {
    if (error instanceof ResponseTooLarge) return undefined
    throw error
  }
}

function limitFor(bytesEach: number, pageSize: number): number {
  return Math.max(1, Math.min(pageSize, Math.floor(AIM_PAGE_BYTES / Math.max(1, bytesEach))))
}

/** Anything but a List is an error, because treating it as an empty list would empty the mesh. */
function readPage(page: JsonObject) {
  const version = scalarText(memberAt(page, 'metadata', 'resourceVersion')) ?? ''
  if (version === '' || !stringMember(page, 'kind')?.endsWith('List'))
    throw new ApiError(200, 'the response is not a List')
  return {
    items: arrayMember(page, 'items').filter(isObject),
    token: scalarText(memberAt(page, 'metadata', 'continue')) ?? '',
    version,
  }
}
