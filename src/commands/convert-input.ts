/** The objects that `convert` reads: from manifests, or once from the cluster of the kubeconfig. */
import type { Manifest } from '../cluster/manifest-source.ts'
import { readManifests } from '../cluster/manifest-files.ts'
import {
  configMapsOfControllers,
  findControllerSettings,
  settingsOfConfigMap,
} from '../conversion/annotations/nginx/controller-settings.ts'
import { isIngress } from '../conversion/ingress/ingress.ts'
import { InputError } from '../errors.ts'
import type { JsonObject } from '../kubernetes/json.ts'
import { referenceTo } from '../kubernetes/object.ts'

export interface ConvertSource {
  /** Undefined for the cluster. */
  readonly files: readonly string[] | undefined
  readonly context: string | undefined
  /** The only namespaces whose Ingresses are converted; all of them if there is none. */
  readonly namespaces: readonly string[]
  /** A manifest of ingress-nginx' ConfigMap, or of the workload that runs it with that ConfigMap. */
  readonly controllerConfig: string | undefined
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
  const { listObjects, readConfigMaps } = await import('../cluster/live/list-objects.ts')
  const api = await connectToCluster(context)
  const objects = await listObjects(api, namespaces, tell)
  const settings = await readConfigMaps(api, configMapsOfControllers(objects), tell)
  return { objects: [...objects, ...settings].filter(isWanted), places: new Map() }
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

/** The settings of ingress-nginx: of the file that was named, else of the controller among the objects. Throws InputError. */
export async function readControllerSettings(
  file: string | undefined,
  objects: readonly JsonObject[],
): Promise<ReadonlyMap<string, string> | undefined> {
  if (file === undefined) return findControllerSettings(objects)
  const given = (await readManifests([file])).map(({ object }) => object)
  const maps = given.filter(({ kind }) => kind === 'ConfigMap')
  const found = findControllerSettings([...given, ...objects]) ?? new Map<string, string>()
  if (maps.length === 1) return new Map([...found, ...settingsOfConfigMap(maps[0])])
  if (found.size > 0) return found
  const problem = `--controller-config ${file}: one ConfigMap is expected, or the Deployment or DaemonSet of ingress-nginx with its ConfigMap; it has ${maps.length} ConfigMaps`
  throw new InputError('manifest-unreadable', [problem])
}
