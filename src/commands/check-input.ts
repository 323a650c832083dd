/** The input of `check`: the current cluster, the same with proposed changes, and the source of each object. */
import { layOver, type RemovedObject } from '../cluster/lay-over.ts'
import {
  buildClusterState,
  isWithoutIstiosWebhooks,
  type BuildOptions,
  type ClusterState,
  type ObjectProblem,
} from '../cluster/cluster-state.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import { describeSource, type Manifest, type Source } from '../cluster/manifest-source.ts'
import { RESOURCES } from '../cluster/resources.ts'
import type { Configuration } from '../config.ts'
import { InputError } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { annotationsOf, describe, metadataOf, referenceTo, type ObjectReference } from '../kubernetes/object.ts'
import { loadCluster, type ClusterFlags } from './load-cluster.ts'

export interface CheckInput {
  readonly before: ClusterState
  /** The same state if nothing is proposed. */
  readonly after: ClusterState
  /** Returns where an object is written; undefined if no manifest contains it. */
  source(object: ObjectReference): Pick<Source, 'file' | 'line'> | undefined
  /** Returns the annotations of an object from its manifest. */
  annotations(object: ObjectReference): ReadonlyMap<string, string>
}

export interface Proposal {
  readonly change: readonly string[]
  /** `KIND/NAMESPACE/NAME`, or `KIND/NAME` of a cluster-scoped kind. */
  readonly remove: readonly string[]
}

/** Throws InputError. */
export async function readCheckInput(
  flags: ClusterFlags,
  { change, remove }: Proposal,
  configuration: Configuration,
  tell: (line: string) => void,
): Promise<CheckInput> {
  const changes = change.length === 0 ? [] : await readManifests(change)
  const proposal = { changes, removed: remove.map(parseRemoved) }
  if (flags.from === undefined) {
    const { state } = await loadCluster(flags, configuration, tell, 'all')
    return propose(state, [], proposal)
  }
  const manifests = await readManifests(flags.from)
  return propose(stateOfManifests(manifests), manifests, proposal)
}

/** Reads the input for another state of a live cluster. Throws InputError. */
export async function readProposal(state: ClusterState, { change, remove }: Proposal): Promise<CheckInput> {
  const changes = change.length === 0 ? [] : await readManifests(change)
  return propose(state, [], { changes, removed: remove.map(parseRemoved) })
}

interface ReadProposal {
  readonly changes: readonly Manifest[]
  readonly removed: readonly RemovedObject[]
}

/** `manifests` are those of the state; none for a live cluster. */
function propose(before: ClusterState, manifests: readonly Manifest[], { changes, removed }: ReadProposal): CheckInput {
  const after =
    changes.length === 0 && removed.length === 0
      ? { state: before, problems: [] }
      : layOver(
          before,
          changes.map(({ object }) => object),
          removed,
        )
  refuse(after.problems, changes)
  const places = new Map([...manifests, ...changes].map((manifest) => [keyOf(referenceOf(manifest.object)), manifest]))
  return {
    before,
    after: after.state,
    source: (object) => places.get(keyOf(object))?.source,
    annotations(object) {
      const manifest = places.get(keyOf(object))
      return manifest === undefined ? new Map() : annotationsOf(manifest.object)
    },
  }
}

const LENIENT: BuildOptions = { assumesIstio: isWithoutIstiosWebhooks }

function stateOfManifests(manifests: readonly Manifest[]): ClusterState {
  const { state, problems } = buildClusterState(
    manifests.map(({ object }) => object),
    LENIENT,
  )
  refuse(problems, manifests)
  return state
}

function refuse(problems: readonly ObjectProblem[], manifests: readonly Manifest[]): void {
  if (problems.length === 0) return
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

/** Reads `DestinationRule/shop/web`, of a kind that the engine reads, in any case. */
function parseRemoved(text: string): RemovedObject {
  const [kind = '', second = '', third, ...rest] = text.split('/')
  const resources = RESOURCES.filter((resource) => resource.kind.toLowerCase() === kind.toLowerCase())
  const isCluster = third === undefined
  const resource = resources.find(({ scope }) => (scope === 'Cluster') === isCluster)
  if (resource === undefined || rest.length > 0 || second === '' || third === '') {
    const kinds = [...new Set(RESOURCES.map((known) => known.kind))].join(', ')
    throw new InputError('object-invalid', [
      `--remove ${text}: KIND/NAMESPACE/NAME is expected (KIND/NAME if the kind is cluster-scoped); kinds are ${kinds}`,
    ])
  }
  return { resource, key: isCluster ? { namespace: '', name: second } : { namespace: second, name: third } }
}

/** A cluster-scoped object has no namespace, as in findings. */
function referenceOf(object: JsonObject): ObjectReference {
  const reference = referenceTo(object)
  const isCluster = metadataOf(object)['namespace'] === undefined && CLUSTER_KINDS.has(reference.kind)
  return isCluster ? { ...reference, namespace: '' } : reference
}

const CLUSTER_KINDS = new Set(RESOURCES.filter(({ scope }) => scope === 'Cluster').map(({ kind }) => kind))

function keyOf({ kind, namespace, name }: ObjectReference): string {
  return `${kind}/${namespace}/${name}`
}
