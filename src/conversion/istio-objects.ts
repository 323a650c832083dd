/** The Gateway and the VirtualServices that take an Ingress' place, as plain Kubernetes objects. */
import type { JsonObject } from '../kubernetes/json.ts'
import type { UriMatch } from './path-matches.ts'

/** A route of one host, in the order of precedence. */
export interface Route {
  readonly path: string
  readonly matches: readonly UriMatch[]
  readonly service: string
  readonly port: number
}

export interface HostRoutes {
  readonly host: string
  readonly routes: readonly Route[]
  /** Requests on port 80 are redirected with 308 (ingress-nginx' `ssl-redirect`). */
  readonly redirectsToHttps: boolean
}

export interface TlsServer {
  readonly hosts: readonly string[]
  /** The secret's name in the gateway's namespace. */
  readonly credentialName: string
}

const API_VERSION = 'networking.istio.io/v1'

/**
 * One Gateway of the Ingress' own. Hosts carry the namespace, so that only its VirtualServices can bind; plain HTTP never
 * has `httpsRedirect`, which is 301 for every path of the host and breaks ACME (spec/ingress.md 1.8).
 */
export function gatewayObject(
  namespace: string,
  name: string,
  selector: Readonly<Record<string, string>>,
  hosts: readonly string[],
  tls: readonly TlsServer[],
): JsonObject {
  const scoped = (list: readonly string[]) => list.map((host) => `${namespace}/${host}`)
  const https = tls.map((server, index) => ({
    port: { number: 443, name: `https-${name}-${index}`, protocol: 'HTTPS' },
    hosts: scoped(server.hosts),
    tls: { mode: 'SIMPLE', credentialName: server.credentialName },
  }))
  const http = { port: { number: 80, name: `http-${name}`, protocol: 'HTTP' }, hosts: scoped(hosts) }
  return {
    apiVersion: API_VERSION,
    kind: 'Gateway',
    metadata: { name, namespace },
    spec: { selector, servers: [...https, http] },
  }
}

export function virtualServiceObject(namespace: string, name: string, gateway: string, host: HostRoutes): JsonObject {
  const redirect = {
    name: 'https-redirect',
    match: [{ port: 80 }],
    redirect: { scheme: 'https', redirectCode: 308 },
  }
  const routes = host.routes.map(({ matches, service, port }) => ({
    match: matches.map((uri) => ({ uri })),
    route: [{ destination: { host: `${service}.${namespace}.svc.cluster.local`, port: { number: port } } }],
  }))
  return {
    apiVersion: API_VERSION,
    kind: 'VirtualService',
    metadata: { name, namespace },
    spec: { hosts: [host.host], gateways: [gateway], http: host.redirectsToHttps ? [redirect, ...routes] : routes },
  }
}
