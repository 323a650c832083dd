/** Builds the cluster from the manifests of `--from`. */
import { InputError } from '../errors.ts'
import { describe, referenceTo } from '../kubernetes/object.ts'
import { buildClusterState, type ClusterState } from './cluster-state.ts'
import { describeSource } from './manifest-source.ts'
import { readManifests } from './manifest-files.ts'

/** Throws InputError, with one line for each object that cannot be read. */
export async function clusterFromFiles(paths: readonly string[]): Promise<ClusterState> {
  const manifests = await readManifests(paths)
  const { state, problems } = buildClusterState(manifests.map(({ object }) => object))
  if (problems.length === 0) return state
  const sources = new Map(manifests.map(({ object, source }) => [object, source]))
  throw new InputError(
    'object-invalid',
    problems.map(({ object, field, problem }) => {
      const source = sources.get(object)
      const place = source === undefined ? '' : `${describeSource(source)}: `
      return `${place}${describe(referenceTo(object))}: ${field}: ${problem}`
    }),
  )
}
