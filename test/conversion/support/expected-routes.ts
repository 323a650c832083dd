/**
 * The routes that a case expects, as VirtualServices of their own: whatever else was converted into, it has to answer
 * every request as these do. And the requests that tell routes apart: each path that any of them names, and its neighbours.
 */
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import type { ExpectedRoute, ExpectedServer } from './cases.ts'
import type { RoutedRequest } from './envoy-routes.ts'

/** Without `servers`, each host is served on port 80. */
export function expectedObjects(
  routes: readonly ExpectedRoute[],
  servers: readonly ExpectedServer[] = [
    { port: 80, protocol: 'HTTP', hosts: [...new Set(routes.map(({ host }) => host))] },
  ],
): readonly JsonObject[] {
  const hosts = [...new Set(routes.map(({ host }) => host))]
  return [
    ...hosts.map((host, index) => object('Gateway', `expected-${index}`, { servers: serversOf(host, servers) })),
    ...hosts.map((host, index) =>
      object('VirtualService', `expected-${index}`, {
        hosts: [host],
        gateways: [`expected-${index}`],
        http: routes.filter((route) => route.host === host).map(httpEntry),
      }),
    ),
  ]
}

/** A Gateway for each host: a wildcard's VirtualService would also be bound to narrower hosts of its own Gateway. */
function serversOf(host: string, servers: readonly ExpectedServer[]): readonly JsonObject[] {
  return servers
    .filter(({ hosts }) => hosts.includes(host))
    .map(({ port, protocol }) => ({
      port: { number: port, name: `p${port}`, protocol },
      hosts: [host],
      ...(protocol === 'HTTPS' ? { tls: { mode: 'SIMPLE', credentialName: 'c' } } : {}),
    }))
}

function object(kind: string, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'networking.istio.io/v1', kind, metadata: { name, namespace: 'expected' }, spec }
}

function httpEntry({ ports, match = [], to, split, redirect, rewrite, headers, cors }: ExpectedRoute): JsonObject {
  const uris = match.map(({ headers: wanted, ...uri }) => ({
    uri,
    ...(wanted === undefined ? {} : { headers: wanted }),
  }))
  const every: readonly JsonObject[] = uris.length === 0 ? [{}] : uris
  const matches = ports === undefined ? every : ports.flatMap((port) => every.map((entry) => ({ ...entry, port })))
  const backends = split ?? (to === undefined ? [] : [{ to, weight: 100 }])
  return {
    match: matches,
    ...(redirect === undefined ? {} : { redirect: redirectEntry(redirect) }),
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(headers === undefined ? {} : { headers }),
    ...(cors === undefined ? {} : { corsPolicy: cors }),
    ...(backends.length === 0 ? {} : { route: backends.map(destination) }),
  }
}

function redirectEntry({ scheme, authority, uri, code }: NonNullable<ExpectedRoute['redirect']>): JsonObject {
  return {
    redirectCode: code,
    ...(scheme === undefined ? {} : { scheme }),
    ...(authority === undefined ? {} : { authority }),
    ...(uri === undefined ? {} : { uri }),
  }
}

function destination({ to, weight }: { readonly to: string; readonly weight: number }): Json {
  const [host = '', port = ''] = to.split(':')
  return { destination: { host, port: { number: Number(port) } }, weight }
}

/** Each path as it is, with a slash, an element, a letter and a query behind it, in capitals, and cut short; on each port. */
export function neighbours(routes: readonly ExpectedRoute[], ports: readonly number[]): readonly RoutedRequest[] {
  const hosts = [...new Set(routes.map(({ host }) => host.replace('*', 'one')))]
  const values = routes.flatMap(({ match = [] }) =>
    match.map((entry) => String(entry['exact'] ?? entry['prefix'] ?? plainPath(String(entry['regex'])))),
  )
  const paths = new Set([
    '/',
    '/zzz',
    ...values.flatMap((value) => [
      value,
      `${value}/`,
      `${value}/x/y?q=/z`,
      `${value}x`,
      value.toUpperCase(),
      value.slice(0, -1),
    ]),
  ])
  const headers = [{}, ...routes.flatMap(({ match = [] }) => match.flatMap((entry) => headerValues(entry['headers'])))]
  return hosts.flatMap((host) =>
    [...paths]
      .map((path) => path.replaceAll(/\/{2,}/g, '/'))
      .filter((path) => path.startsWith('/'))
      .flatMap((path) => ports.flatMap((port) => headers.map((given) => ({ host, path, port, headers: given })))),
  )
}

/** `(?i)/foo(/|$)(.*).*` is about `/foo`. */
function plainPath(regex: string): string {
  return regex.replace(/^\(\?i\)/, '').replace(/[($.*\\[].*$/, '')
}

function headerValues(headers: Json | undefined): readonly Readonly<Record<string, string>>[] {
  return Object.entries((headers ?? {}) as JsonObject).flatMap(([name, match]) => {
    const value = (match as JsonObject)['exact']
    return typeof value === 'string' ? [{ [name]: value }, { [name]: `${value}x` }] : []
  })
}
