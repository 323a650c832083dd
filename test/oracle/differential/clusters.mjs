// The clusters of the oracle's cases, from its lines with --share: the control planes of a block are read once.
import { buildClusterState } from '../../../dist/cluster/cluster-state.js'
import { layOver } from '../../../dist/cluster/lay-over.js'

/** Takes each line of the oracle; calls back with a case and its cluster, not with the lines of the installs. */
export function clusterReader(onCase) {
  const installs = new Map()
  const bases = new Map()
  const baseOf = (ids) => {
    const key = ids.join(' ')
    const known = bases.get(key)
    if (known !== undefined) return known
    // The manifests of a case bring webhook configurations, so none has to be assumed.
    const base = buildClusterState(
      ids.flatMap((id) => installs.get(id)),
      { assumesIstio: () => false },
    )
    bases.set(key, base)
    return base
  }
  return (line) => {
    const item = JSON.parse(line)
    if (item.install !== undefined) return installs.set(item.install, item.objects)
    const base = baseOf(item.installs ?? [])
    const { state, problems } = layOver(base.state, item.cluster)
    onCase(item, state, [...base.problems, ...problems])
  }
}
