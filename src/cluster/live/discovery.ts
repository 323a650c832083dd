/** Whether the API server has a kind at all, by its own word. */
import { arrayMember, stringMember } from '../../kubernetes/json.ts'
import type { ClusterApi } from './cluster-api.ts'
import type { WatchTarget } from './watch-target.ts'

/**
 * A 404 alone proves nothing: a load balancer whose API servers are away also answers 404, and taking that for an absent
 * kind would empty the mesh. What every API server has is never absent. Throws ApiError.
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
