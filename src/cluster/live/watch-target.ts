/** What one reflector lists and watches: a kind, in the whole cluster or in one namespace. */
import { RESOURCES, type Resource } from '../resources.ts'

export interface WatchTarget {
  readonly resource: Resource
  /** The only namespace to read; undefined for all. */
  readonly namespace: string | undefined
}

/** Control planes' ConfigMaps are read only in the control planes' namespaces. */
export function targetsOf(
  resources: readonly Resource[],
  controlPlaneNamespaces: readonly string[],
): readonly WatchTarget[] {
  return resources.flatMap((resource): readonly WatchTarget[] =>
    resource.isControlPlane === true
      ? controlPlaneNamespaces.map((namespace) => ({ resource, namespace }))
      : [{ resource, namespace: undefined }],
  )
}

/** Returns the resources that admission needs, or all. */
export function resourcesFor(purpose: 'admission' | 'all'): readonly Resource[] {
  return purpose === 'all' ? RESOURCES : RESOURCES.filter(({ isForAdmission }) => isForAdmission)
}

/** Returns a path such as `/apis/apps/v1/deployments` for each version of the kind, newest first. */
export function pathsOf({
  resource: { group, versions, table, plural = table },
  namespace,
}: WatchTarget): readonly string[] {
  const within = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  return versions.map(
    (version) => `${group === '' ? `/api/${version}` : `/apis/${group}/${version}`}${within}/${plural}`,
  )
}

/** Returns `&labelSelector=...` for the query of a list or watch; empty for all objects. */
export function selectionOf({ resource: { labelSelector } }: WatchTarget): string {
  return labelSelector === undefined ? '' : `&labelSelector=${encodeURIComponent(labelSelector)}`
}

/** Returns `peerauthentications` or `configmaps in istio-system`, for logs and metrics. */
export function nameOfTarget({ resource: { group, table }, namespace }: WatchTarget): string {
  const name = group === '' || !group.includes('istio') ? table : `${table}.${group}`
  return namespace === undefined ? name : `${name} in ${namespace}`
}
