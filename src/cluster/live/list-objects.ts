/** Lists whole objects once, for `convert`: Ingresses, what they refer to, and routes of other kinds. */
import pLimit from 'p-limit'
import { InputError, messageOf } from '../../errors.ts'
import { arrayMember, isObject, memberAt, scalarText, type JsonObject } from '../../kubernetes/json.ts'
import { isNotFound } from './api-error.ts'
import type { ClusterApi } from './cluster-api.ts'

interface ListedKind {
  readonly apiVersion: string
  readonly kind: string
  readonly plural: string
  /** The conversion is wrong without it. */
  readonly isRequired: boolean
  /** Only the objects of the namespaces that are converted matter. */
  readonly isOfTeams?: true
}

const required = (apiVersion: string, kind: string, plural: string): ListedKind => ({
  apiVersion,
  kind,
  plural,
  isRequired: true,
})

const optional = (apiVersion: string, kind: string, plural: string): ListedKind => ({
  apiVersion,
  kind,
  plural,
  isRequired: false,
})

const KINDS: readonly ListedKind[] = [
  { ...required('networking.k8s.io/v1', 'Ingress', 'ingresses'), isOfTeams: true },
  required('networking.k8s.io/v1', 'IngressClass', 'ingressclasses'),
  { ...required('v1', 'Service', 'services'), isOfTeams: true },
  optional('apps/v1', 'Deployment', 'deployments'),
  optional('apps/v1', 'DaemonSet', 'daemonsets'),
  optional('networking.istio.io/v1', 'Gateway', 'gateways'),
  optional('gateway.networking.k8s.io/v1', 'Gateway', 'gateways'),
  optional('projectcontour.io/v1', 'HTTPProxy', 'httpproxies'),
  optional('traefik.io/v1alpha1', 'IngressRoute', 'ingressroutes'),
  optional('traefik.io/v1alpha1', 'Middleware', 'middlewares'),
  optional('route.openshift.io/v1', 'Route', 'routes'),
  optional('getambassador.io/v3alpha1', 'Mapping', 'mappings'),
  optional('serving.knative.dev/v1', 'Service', 'services'),
  optional('k8s.nginx.org/v1', 'VirtualServer', 'virtualservers'),
  optional('apisix.apache.org/v2', 'ApisixRoute', 'apisixroutes'),
]

const PAGE = 250
const LISTS_AT_ONCE = 4

/** Milliseconds between two progress lines. */
const PATIENCE = 1000

/**
 * A kind that the cluster does not have is absent. If a kind may not be listed, `tell` receives a line. Throws InputError if
 * the conversion would be wrong without that kind. `namespaces` are the only ones whose Ingresses and Services are read; all of them if
 * there is none.
 */
export async function listObjects(
  api: ClusterApi,
  namespaces: readonly string[],
  tell: (line: string) => void,
): Promise<readonly JsonObject[]> {
  const lists = pLimit(LISTS_AT_ONCE)
  const { signal } = new AbortController()
  let done = 0
  const timer = setInterval(() => tell(`reading ${api.server}: ${done} of ${KINDS.length} kinds`), PATIENCE)
  try {
    const read = await lists.map(KINDS, async (kind) => {
      const objects = await listKind(kind, { api, namespaces }, signal, tell)
      done += 1
      return objects
    })
    return read.flat()
  } finally {
    clearInterval(timer)
  }
}

/**
 * Reads single ConfigMaps, because a cluster has thousands that are nobody's business. One that is absent, or may not be read,
 * is left out.
 */
export async function readConfigMaps(
  api: ClusterApi,
  names: readonly { readonly namespace: string; readonly name: string }[],
  tell: (line: string) => void,
): Promise<readonly JsonObject[]> {
  const { signal } = new AbortController()
  const read = names.map(async ({ namespace, name }) => {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${encodeURIComponent(name)}`
    try {
      return [{ ...(await api.get(path, signal)), apiVersion: 'v1', kind: 'ConfigMap' }]
    } catch (error) {
      if (!isNotFound(error))
        tell(`${api.server}: ConfigMap ${namespace}/${name}: ${messageOf(error)}; it counts as absent`)
      return []
    }
  })
  return (await Promise.all(read)).flat()
}

interface Listing {
  readonly api: ClusterApi
  readonly namespaces: readonly string[]
}

async function listKind(
  kind: ListedKind,
  { api, namespaces }: Listing,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<readonly JsonObject[]> {
  try {
    const places = kind.isOfTeams === true && namespaces.length > 0 ? namespaces : [undefined]
    const read = await Promise.all(places.map((namespace) => listPages(kind, namespace, api, signal)))
    return read.flat()
  } catch (error) {
    if (isNotFound(error) && !kind.isRequired) return []
    const problem = `${api.server}: ${kind.plural}: ${messageOf(error)}`
    if (kind.isRequired) throw new InputError('cluster-unreadable', [problem])
    tell(`${problem}; ${kind.kind} objects count as absent`)
    return []
  }
}

async function listPages(
  { apiVersion, kind, plural }: ListedKind,
  namespace: string | undefined,
  api: ClusterApi,
  signal: AbortSignal,
): Promise<readonly JsonObject[]> {
  const place = namespace === undefined ? '' : `namespaces/${encodeURIComponent(namespace)}/`
  const path = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}/${place}${plural}`
  const objects: JsonObject[] = []
  let token = ''
  do {
    const page = await api.get(
      `${path}?limit=${PAGE}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`,
      signal,
    )
    // The items of a list carry neither kind nor apiVersion.
    for (const item of arrayMember(page, 'items')) if (isObject(item)) objects.push({ apiVersion, kind, ...item })
    token = scalarText(memberAt(page, 'metadata', 'continue')) ?? ''
  } while (token !== '')
  return objects
}
