/**
 * The Gateway and VirtualServices that serve what an Ingress served, for its host and path rules. What cannot be
 * converted here is named in `leftOut`, never dropped: a printed route is right, or is not printed.
 */
import type { JsonObject } from '../kubernetes/json.ts'
import { annotationConcern, changesRouting } from './annotation-concerns.ts'
import { controllerClass, type ControllerClass } from './controller-class.ts'
import type { Backend, Ingress, IngressPath, IngressRule } from './ingress.ts'
import { gatewayObject, virtualServiceObject, type HostRoutes, type Route, type TlsServer } from './istio-objects.ts'
import { credentialName, labelName, subdomainName } from './object-names.ts'
import { byPrecedence, uriMatches } from './path-matches.ts'

export interface ConversionContext {
  readonly gatewaySelector: Readonly<Record<string, string>>
  readonly gatewayNamespace: string
  /** The number of a Service's named port; undefined where the Service or the name is not there. */
  readonly portNumber: (namespace: string, service: string, portName: string) => number | undefined
  readonly controllerOf: (className: string) => string | undefined
}

export interface Conversion {
  readonly objects: readonly JsonObject[]
  readonly hosts: readonly HostRoutes[]
  readonly tls: readonly TlsServer[]
  /** Steps in the gateway's namespace, which the Ingress' owner usually may not take. */
  readonly platformSteps: readonly string[]
  readonly leftOut: readonly string[]
}

export function convertIngress(ingress: Ingress, context: ConversionContext): Conversion {
  const controller = controllerClass(ingress, context.controllerOf)
  const leftOut = [...annotationLosses(ingress)]
  const blocked = changesRouting(ingress.annotations)
  if (blocked !== undefined)
    return { objects: [], hosts: [], tls: [], platformSteps: [], leftOut: [`all routes: ${blocked}`, ...leftOut] }
  const tls = tlsServers(ingress, leftOut)
  const hosts = hostRoutes(ingress, controller, tls, context, leftOut)
  const steps = ingress.tls
    .filter(({ secret }) => secret !== '')
    .map(
      ({ secret }) =>
        `copy or issue secret ${ingress.namespace}/${secret} as ${context.gatewayNamespace}/${credentialName(ingress.namespace, secret)}`,
    )
  return { objects: objectsFor(ingress, hosts, tls, context), hosts, tls, platformSteps: [...new Set(steps)], leftOut }
}

function annotationLosses({ annotations }: Ingress): readonly string[] {
  return [...annotations.keys()].toSorted().flatMap((key) => annotationConcern(key) ?? [])
}

/** Entries by secret; one without hosts serves the hosts of the rules. */
function tlsServers(ingress: Ingress, leftOut: string[]): readonly TlsServer[] {
  const bySecret = new Map<string, Set<string>>()
  for (const [index, { hosts, secret }] of ingress.tls.entries()) {
    if (secret === '') leftOut.push(`spec.tls[${index}]: it names no secret`)
    else
      bySecret.set(
        secret,
        new Set([...(bySecret.get(secret) ?? []), ...(hosts.length > 0 ? hosts : namedHosts(ingress))]),
      )
  }
  return [...bySecret]
    .filter(([, hosts]) => hosts.size > 0)
    .map(([secret, hosts]) => ({ hosts: [...hosts], credentialName: credentialName(ingress.namespace, secret) }))
}

function namedHosts({ rules }: Ingress): readonly string[] {
  return rules.map(({ host }) => host).filter((host) => host !== '')
}

function hostRoutes(
  ingress: Ingress,
  controller: ControllerClass,
  tls: readonly TlsServer[],
  context: ConversionContext,
  leftOut: string[],
): readonly HostRoutes[] {
  const redirects =
    controller === 'nginx' && ingress.annotations.get('nginx.ingress.kubernetes.io/ssl-redirect') !== 'false'
  for (const rule of ingress.rules) leftOut.push(...hostLosses(rule))
  if (ingress.defaultBackend !== undefined && namedHosts(ingress).length === 0)
    leftOut.push('spec.defaultBackend: without a host it would take every host of the gateway')
  return [...new Set(namedHosts(ingress))]
    .map((host) => ({
      host,
      routes: routesOf(ingress, host, controller, context, leftOut),
      redirectsToHttps: redirects && tls.some((server) => server.hosts.includes(host)),
    }))
    .filter(({ routes }) => routes.length > 0)
}

/** Gateways match a wildcard by suffix, Ingress controllers by exactly one label (spec/ingress.md section 1.8, `pkg/config/host`). */
function hostLosses({ host, field }: IngressRule): readonly string[] {
  if (host === '') return [`${field}: a rule without a host would take every host of the gateway`]
  if (!host.startsWith('*.')) return []
  return [`${field}.host: ${host} covered one more label only; the VirtualService also takes a.b${host.slice(1)}`]
}

function routesOf(
  ingress: Ingress,
  host: string,
  controller: ControllerClass,
  context: ConversionContext,
  leftOut: string[],
): readonly Route[] {
  const paths = ingress.rules.filter((rule) => rule.host === host).flatMap((rule) => rule.paths)
  const fallback: IngressPath = {
    path: '/',
    pathType: 'Prefix',
    backend: ingress.defaultBackend,
    field: 'spec.defaultBackend',
  }
  const all = ingress.defaultBackend === undefined ? paths : [...paths.toSorted(byPrecedence), fallback]
  const seen = new Set<string>()
  return all.toSorted(byPrecedence).flatMap((path) => {
    const port = portOf(ingress, path.backend, context)
    const matches = uriMatches(path, controller)
    const key = JSON.stringify(matches)
    if (seen.has(key)) return path === fallback ? [] : lose(leftOut, `${path.field}: the same path stands before it`)
    seen.add(key)
    if (path.backend === undefined) return lose(leftOut, `${path.field}.backend: it names no Service`)
    if (port === undefined)
      return lose(
        leftOut,
        `${path.field}.backend: port ${String(path.backend.port)} of Service ${path.backend.service} is not known here`,
      )
    return [{ path: path.path, matches, service: path.backend.service, port }]
  })
}

function lose(leftOut: string[], text: string): readonly Route[] {
  leftOut.push(text)
  return []
}

function portOf(ingress: Ingress, backend: Backend | undefined, context: ConversionContext): number | undefined {
  if (backend === undefined || typeof backend.port === 'number') return backend?.port as number | undefined
  return context.portNumber(ingress.namespace, backend.service, backend.port)
}

function objectsFor(
  ingress: Ingress,
  hosts: readonly HostRoutes[],
  tls: readonly TlsServer[],
  context: ConversionContext,
): readonly JsonObject[] {
  if (hosts.length === 0) return []
  const { namespace } = ingress
  const gateway = labelName(ingress.name)
  const names = hosts.map(({ host }) => host)
  return [
    gatewayObject(namespace, gateway, context.gatewaySelector, names, tls),
    ...hosts.map((host) =>
      virtualServiceObject(namespace, subdomainName(ingress.name, host.host), `${namespace}/${gateway}`, host),
    ),
  ]
}
