/** The objects that `convert` reads: from manifests, or once from the cluster of the kubeconfig. */
import type { Manifest } from '../cluster/manifest.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import { isIngress } from '../conversion/ingress/ingress.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'

export interface ConvertSource {
  /** Undefined for the cluster. */
  readonly files: readonly string[] | undefined
  readonly context: string | undefined
  /** The only namespaces whose Ingresses are converted; all of them if there is none. */
  readonly namespaces: readonly string[]
}

export interface ConvertInput {
  readonly objects: readonly JsonObject[]
  /** Where each Ingress comes from, by `namespace/name`. */
  readonly places: ReadonlyMap<string, string>
}

/** `tell` receives the progress, line by line. Throws InputError. */
export async function readConvertInput(
  { files, context, namespaces }: ConvertSource,
  tell: (line: string) => void,
): Promise<ConvertInput> {
  const isWanted = (object: JsonObject) =>
    !isIngress(object) || namespaces.length === 0 || namespaces.includes(referenceTo(object).namespace)
  if (files !== undefined) {
    const manifests = (await readManifests(files)).filter(({ object }) => isWanted(object))
    return { objects: manifests.map(({ object }) => object), places: placesOf(manifests) }
  }
  const { connectToCluster } = await import('../cluster/live/cluster-api.ts')
  const { listObjects } = await import('../cluster/live/list-objects.ts')
  const objects = await listObjects(await connectToCluster(context), tell)
  return { objects: objects.filter(isWanted), places: new Map() }
}

/** The file and line of each Ingress. */
function placesOf(manifests: readonly Manifest[]): ReadonlyMap<string, string> {
  return new Map(
    manifests
      .filter(({ object }) => isIngress(object))
      .map(({ object, source }) => {
        const { namespace, name } = referenceTo(object)
        return [`${namespace}/${name}`, `${source.file === '-' ? 'standard input' : source.file}:${source.line}`]
      }),
  )
}
