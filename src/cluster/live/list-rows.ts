/** A whole list, read page by page into rows; what the pages held besides is gone by the time the next one comes. */
import { arrayMember, isObject, memberAt, scalarText, type JsonObject } from '../../kubernetes/json.ts'
import { isFieldProblem, type FieldProblem } from '../field-problem.ts'
import { rowKey } from '../resources.ts'
import { putRow, type RowKey } from '../tables.ts'
import { ApiError, type ClusterApi } from './cluster-api.ts'
import { pathsOf, type Source } from './source.ts'
import { emptyTable, type AnyTable } from './table-updates.ts'

export interface Listing {
  /** The path that the cluster serves the kind under. */
  readonly path: string
  readonly rows: AnyTable
  readonly unreadable: readonly { readonly key: RowKey; readonly problem: FieldProblem }[]
  /** The resourceVersion to watch from. */
  readonly version: string
}

/** By the newest version of the kind that the cluster serves. Throws ApiError, 404 where it serves none. */
export async function listRows(
  source: Source,
  api: ClusterApi,
  pageSize: number,
  signal: AbortSignal,
): Promise<Listing> {
  const paths = pathsOf(source)
  for (const [index, path] of paths.entries()) {
    try {
      return await listPath(path, source, api, pageSize, signal)
    } catch (error) {
      if (!isNotFound(error) || index === paths.length - 1) throw error
    }
  }
  throw new ApiError(404, `${source.resource.table} has no version`)
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

async function listPath(
  path: string,
  source: Source,
  api: ClusterApi,
  pageSize: number,
  signal: AbortSignal,
): Promise<Listing> {
  let rows = emptyTable()
  const unreadable: { readonly key: RowKey; readonly problem: FieldProblem }[] = []
  let token = ''
  for (;;) {
    const page = await api.get(`${path}?limit=${pageSize}${token && `&continue=${encodeURIComponent(token)}`}`, signal)
    for (const object of itemsOf(page)) {
      const key = rowKey(source.resource, object)
      const row = source.resource.read(object)
      if (isFieldProblem(row)) unreadable.push({ key, problem: row })
      else if (row !== undefined) rows = putRow(rows, key, row)
    }
    token = scalarText(memberAt(page, 'metadata', 'continue')) ?? ''
    const version = scalarText(memberAt(page, 'metadata', 'resourceVersion')) ?? ''
    if (token === '') return { path, rows, unreadable, version }
  }
}

function itemsOf(page: JsonObject): readonly JsonObject[] {
  return arrayMember(page, 'items').filter(isObject)
}
