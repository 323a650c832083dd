/**
 * The service that an `auth-url` names. An Ingress in the input may lead to it, as usual for oauth2-proxy, whose sign-in pages
 * are below `/oauth2` of each host (https://kubernetes.github.io/ingress-nginx/examples/auth/oauth-external-auth/): then it is
 * asked directly, and all Ingresses that mean it by different URLs share a provider.
 */
import { groupBy } from '../../../kubernetes/group-by.ts'
import { trimEnd } from '../../../kubernetes/trim-characters.ts'
import type { Ingress, IngressPath } from '../../ingress/ingress.ts'
import type { ExternalAuth } from '../../model/ingress-settings.ts'
import { serviceHost, serviceOf } from '../../model/service-host.ts'

/** Returns the DNS name and the port of the Service to which Ingresses lead a request. */
export type BackendAt = (host: string, path: string) => { readonly host: string; readonly port: number } | undefined

interface PortLookup {
  readonly portNumber: (namespace: string, service: string, portName: string) => number | undefined
  readonly clusterDomain: string
}

/** The longest path counts. The Ingresses are read when the first one asks. */
export function backendAtOf(ingresses: readonly Ingress[], { portNumber, clusterDomain }: PortLookup): BackendAt {
  let byHost: ReadonlyMap<string, readonly HostPath[]> | undefined
  return (host, path) => {
    byHost ??= groupBy(ingresses.flatMap(hostPaths), (one) => one.host)
    const covering = (byHost.get(host) ?? []).filter((one) => isBelow(path, one.path))
    const [found] = covering.toSorted((left, right) => right.path.length - left.path.length)
    if (found?.backend === undefined || found.path.length < 2) return undefined
    const { service: name, port } = found.backend
    const number = typeof port === 'number' ? port : portNumber(found.namespace, name, port)
    return number === undefined
      ? undefined
      : { host: serviceHost({ namespace: found.namespace, name }, clusterDomain), port: number }
  }
}

interface HostPath extends Pick<IngressPath, 'path' | 'backend'> {
  readonly namespace: string
  readonly host: string
}

function hostPaths({ namespace, rules }: Ingress): readonly HostPath[] {
  return rules.flatMap(({ host, paths }) => paths.map(({ path, backend }) => ({ namespace, host, path, backend })))
}

/** Of a regular expression only its literal start is compared. */
function isBelow(path: string, pattern: string): boolean {
  const [start = ''] = /^[^\\^$.*+?()[\]{}|]*/.exec(pattern) ?? []
  const stripped = trimEnd(start, '/')
  return path === stripped || path.startsWith(`${stripped}/`)
}

/** A variable that is the host of the request. */
const OF_REQUEST = /^(?:https?|\$scheme):\/\/\$(?:host|http_host|best_http_host|server_name)(?=\/)/

/** Returns the URL of the check, with `host.of.request` for the host of the request; undefined if Istio cannot ask it. */
export function readAuthUrl(value: string): { readonly url: URL; readonly isOfRequest: boolean } | undefined {
  const isOfRequest = OF_REQUEST.test(value)
  const text = value.replace(OF_REQUEST, 'http://host.of.request')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.includes('$') || !/^https?:$/.test(url.protocol)) return undefined
  return { url, isOfRequest }
}

/** Undefined for a URL that has no service of its own: no Ingress leads to it, or those of its hosts lead to several. */
export function authServiceOf(
  value: string,
  { rules }: Pick<Ingress, 'rules'>,
  backendAt: BackendAt,
  clusterDomain: string,
): ExternalAuth | undefined {
  const read = readAuthUrl(value)
  if (read === undefined) return undefined
  const { url, isOfRequest } = read
  const hosts = isOfRequest ? [...new Set(rules.map(({ host }) => host))] : [url.hostname]
  const path = trimEnd(url.pathname, '/') || '/'
  const found = hosts.map((host) => backendAt(host, path))
  const [first] = found
  const isShared = found.every((one) => one !== undefined && one.host === first?.host && one.port === first.port)
  if (first !== undefined && isShared) return { ...first, path, isExternal: false, usesTls: false }
  if (isOfRequest) return undefined
  const host = url.hostname.endsWith('.svc') ? `${url.hostname}.${clusterDomain}` : trimEnd(url.hostname, '.')
  const usesTls = url.protocol === 'https:'
  const isExternal = serviceOf(host, clusterDomain) === undefined
  return { host, port: Number(url.port) || (usesTls ? 443 : 80), path, isExternal, usesTls }
}
