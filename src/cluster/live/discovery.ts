/** Whether the API server serves a kind, according to its own discovery. */
import { arrayMember, stringMember } from '../../kubernetes/json.ts'
import type { ClusterApi } from './cluster-api.ts'
import type { WatchTarget } from './watch-target.ts'

/**
 * Whether the API server lacks the kind. A 404 alone proves nothing: a load balancer without API servers also answers
 * 404, and treating that as an absent kind would empty the mesh. Kinds that every API server has are never absent.
 * Throws ApiError.
 */
export async function isAbsent({ resource }: WatchTarget, api: ClusterApi, signal: AbortSignal): Promise<boolean> {
  if (resource.presence === 'always') return false
  const groups = arrayMember(await api.get('/apis', signal), 'groups')
  if (groups.length === 0) return false
  const group = groups.find((one) => stringMember(one, 'name') === resource.group)
  for (const { groupVersion, version } of versionsOf(group)) {
    if (!resource.versions.includes(version)) continue
    const kinds = arrayMember(await api.get(`/apis/${groupVersion}`, signal), 'resources')
    if (kinds.some((kind) => stringMember(kind, 'name') === resource.table)) return false
  }
  return true
}

function versionsOf(group: unknown): readonly { readonly groupVersion: string; readonly version: string }[] {
  return arrayMember(group, 'versions').map((one) => ({
    groupVersion: stringMember(one, 'groupVersion') ?? '',
    version: stringMember(one, 'version') ?? '',
  }))
}
