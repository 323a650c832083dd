/**
 * What an Istio gateway answers from Gateways and VirtualServices
 * (docs/facts/istio-gateway.md#gateways-and-virtualservices): how istiod merges servers and VirtualServices into Envoy's
 * virtual hosts, from istio/istio pilot/pkg/model/gateway.go (mergeGateways) and
 * pilot/pkg/networking/core/{gateway.go,route/route.go}, snapshot eed52ebb66ad. Kinds that route nothing are passed over.
 */
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  stringMap,
  stringMember,
  type Json,
  type JsonObject,
} from '../../../src/kubernetes/json.ts'
import {
  answer,
  NO_CHANGE,
  type Answer,
  type FilterChain,
  type Forward,
  type HeaderChange,
  type Listener,
  type PathMatch,
  type Redirect,
  type Route,
  type RoutedRequest,
  type ValueMatch,
  type VirtualHost,
  type WeightedBackend,
} from './envoy-routes.ts'

export interface GatewayServer {
  /** `namespace/name` of the Gateway that has it. */
  readonly gateway: string
  readonly name: string
  readonly port: number
  readonly isTls: boolean
  readonly isPassthrough: boolean
  readonly redirectsToTls: boolean
  /** `host` or `namespace/host`. */
  readonly hosts: readonly string[]
}

export interface RoutingService {
  readonly namespace: string
  readonly gateways: readonly string[]
  readonly hosts: readonly string[]
  readonly http: readonly Json[]
  readonly tls: readonly Json[]
  /** Prefixes match whole path elements: Istio's own conversions of an Ingress and of an HTTPRoute. */
  readonly semantics: 'virtual-service' | 'ingress' | 'gateway'
}

/** `objects` as they would be applied, in that order unless they carry a creation timestamp. */
export function routeThroughIstio(objects: readonly JsonObject[], request: RoutedRequest): Answer {
  return answer(istioListeners(objects), request)
}

export function istioListeners(objects: readonly JsonObject[]): readonly Listener[] {
  const oldest = objects.toSorted(byAge)
  return listenersOf(
    oldest.filter((object) => isKind(object, 'Gateway')).flatMap(readGateway),
    oldest.filter((object) => isKind(object, 'VirtualService')).map(readVirtualService),
  )
}

function isKind(object: JsonObject, kind: string): boolean {
  return object['kind'] === kind && (stringMember(object, 'apiVersion') ?? '').startsWith('networking.istio.io/')
}

/** Creation, then name, then namespace (pilot/pkg/model/config.go, configCompareByCreationTime). */
function byAge(left: JsonObject, right: JsonObject): number {
  const keys = [left, right].map((object) =>
    ['creationTimestamp', 'name', 'namespace'].map((key) => stringMember(member(object, 'metadata'), key) ?? ''),
  )
  const [a = [], b = []] = keys
  const index = a.findIndex((key, position) => key !== b[position])
  return index === -1 ? 0 : (a[index] ?? '') < (b[index] ?? '') ? -1 : 1
}

function readGateway(object: JsonObject): readonly GatewayServer[] {
  const namespace = stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
  const gateway = `${namespace}/${stringMember(member(object, 'metadata'), 'name') ?? ''}`
  return arrayMember(member(object, 'spec'), 'servers').map((server) => {
    const tls = member(server, 'tls')
    const protocol = stringMember(member(server, 'port'), 'protocol') ?? ''
    return {
      gateway,
      name: stringMember(member(server, 'port'), 'name') ?? '',
      port: Number(memberAt(server, 'port', 'number')),
      isTls: protocol === 'HTTPS' || protocol === 'TLS',
      isPassthrough: stringMember(tls, 'mode') === 'PASSTHROUGH',
      redirectsToTls: member(tls, 'httpsRedirect') === true,
      hosts: texts(server, 'hosts').map((host) => qualified(host, namespace)),
    }
  })
}

/** `./host` is the Gateway's own namespace, `* /host` any (sanitizeServerHostNamespace). */
function qualified(host: string, namespace: string): string {
  if (host.startsWith('./')) return `${namespace}/${host.slice(2)}`
  return host.startsWith('*/') ? host.slice(2) : host
}

function texts(value: unknown, key: string): readonly string[] {
  return arrayMember(value, key).map(String)
}

const HTTP_FIELDS = [
  'name',
  'match',
  'route',
  'redirect',
  'rewrite',
  'directResponse',
  'headers',
  'corsPolicy',
  'timeout',
  'retries',
  'mirrors',
  'mirror',
  'mirrorPercentage',
]

function readVirtualService(object: JsonObject): RoutingService {
  const spec = member(object, 'spec')
  const namespace = stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
  const semantics = stringMap(memberAt(object, 'metadata', 'annotations')).get('internal.istio.io/route-semantics')
  const gateways = texts(spec, 'gateways').map((name) => (name.includes('/') ? name : `${namespace}/${name}`))
  for (const entry of arrayMember(spec, 'http')) onlyKnown(entry, HTTP_FIELDS)
  if (member(spec, 'tcp') !== undefined || member(spec, 'exportTo') !== undefined)
    throw new Error('tcp and exportTo are not simulated')
  return {
    namespace,
    gateways,
    hosts: texts(spec, 'hosts'),
    http: arrayMember(spec, 'http'),
    tls: arrayMember(spec, 'tls'),
    semantics: semantics === 'ingress' || semantics === 'gateway' ? semantics : 'virtual-service',
  }
}

function onlyKnown(value: Json, known: readonly string[]): void {
  const unknown = Object.keys(isObject(value) ? value : {}).filter((key) => !known.includes(key))
  if (unknown.length > 0) throw new Error(`not simulated: ${unknown.join(', ')} in ${JSON.stringify(value)}`)
}

/** Servers and services from the oldest on: TLS hosts that an older server has are not served again. */
export function listenersOf(
  servers: readonly GatewayServer[],
  services: readonly RoutingService[],
): readonly Listener[] {
  const ports = [...new Set(servers.map(({ port }) => port))]
  return ports.map((port) => {
    const here = servers.filter((server) => server.port === port)
    const isPlain = here[0]?.isTls === false
    const kept = here.filter((server) => server.isTls !== isPlain)
    return { port, chains: isPlain ? [plainChain(kept, services)] : tlsChains(kept, services) }
  })
}

function plainChain(servers: readonly GatewayServer[], services: readonly RoutingService[]): FilterChain {
  return { sniHosts: undefined, virtualHosts: virtualHosts(servers, services) }
}

function tlsChains(servers: readonly GatewayServer[], services: readonly RoutingService[]): readonly FilterChain[] {
  const taken = new Set<string>()
  const isNew = (hosts: readonly string[]) => {
    if (hosts.some((host) => taken.has(host))) return false
    for (const host of hosts) taken.add(host)
    return true
  }
  const takenSni = new Set<string>()
  const chains = servers
    .filter(({ hosts }) => isNew(hosts))
    .flatMap((server): readonly FilterChain[] => {
      if (server.isPassthrough) return passthroughChains(server, services, takenSni)
      const sniHosts = [...new Set(server.hosts.map(withoutNamespace))]
      return [{ sniHosts, virtualHosts: virtualHosts([server], services) }]
    })
  refuseRepeats(chains.flatMap(({ sniHosts = [] }) => sniHosts))
  return chains
}

/** Istio compares hosts with their namespaces, Envoy without: it refuses the whole listener (istio/istio#13717). */
function refuseRepeats(sniHosts: readonly string[]): void {
  const repeated = sniHosts.find((host, index) => sniHosts.indexOf(host) !== index)
  if (repeated !== undefined) throw new Error(`Envoy refuses the listener: two filter chains for ${repeated}`)
}

function withoutNamespace(host: string): string {
  return host.slice(host.indexOf('/') + 1)
}

/** A chain for each match of a bound VirtualService's `tls`; the first to name an SNI host has it. */
function passthroughChains(
  server: GatewayServer,
  services: readonly RoutingService[],
  taken: Set<string>,
): readonly FilterChain[] {
  return bound(server, services).flatMap(({ tls }) =>
    tls.flatMap((entry) =>
      arrayMember(entry, 'match').flatMap((match): readonly FilterChain[] => {
        onlyKnown(match, ['sniHosts', 'port'])
        const sniHosts = texts(match, 'sniHosts')
        const port = member(match, 'port')
        if ((port !== undefined && port !== server.port) || sniHosts.some((host) => taken.has(host))) return []
        for (const host of sniHosts) taken.add(host)
        return [{ sniHosts, virtualHosts: new Map(), passthrough: backends(arrayMember(entry, 'route')) }]
      }),
    ),
  )
}

function bound(server: GatewayServer, services: readonly RoutingService[]): readonly RoutingService[] {
  return services.filter(
    (service) => service.gateways.includes(server.gateway) && servedHosts(server, service).length > 0,
  )
}

/** Of a server's and a service's host the narrower one is served, where one covers the other. */
function servedHosts(server: GatewayServer, service: RoutingService): readonly string[] {
  const own = server.hosts
    .filter((host) => !host.includes('/') || host.startsWith(`${service.namespace}/`))
    .map(withoutNamespace)
  return own.flatMap((host) =>
    service.hosts.flatMap((wanted) => (covers(wanted, host) ? [host] : covers(host, wanted) ? [wanted] : [])),
  )
}

/** `*.a` covers any number of labels before `.a`, and narrower wildcards (pkg/config/host, SubsetOf). */
export function covers(wide: string, narrow: string): boolean {
  if (!wide.startsWith('*')) return wide === narrow
  return narrow.startsWith('*')
    ? narrow.length >= wide.length && narrow.endsWith(wide.slice(1))
    : narrow.endsWith(wide.slice(1))
}

/** Routes of several services on one host follow one another; catch-alls of all of them come last. */
function virtualHosts(
  servers: readonly GatewayServer[],
  services: readonly RoutingService[],
): ReadonlyMap<string, VirtualHost> {
  const hosts = new Map<string, VirtualHost>()
  for (const server of servers) {
    for (const service of bound(server, services)) {
      const routes = routesOf(service, server.port, server.isTls)
      if (routes.length === 0) continue
      for (const host of new Set(servedHosts(server, service).map((name) => name.toLowerCase()))) {
        const known = hosts.get(host) ?? { routes: [], redirectsAllToTls: false }
        hosts.set(host, {
          routes: [...known.routes, ...routes],
          redirectsAllToTls: known.redirectsAllToTls || server.redirectsToTls,
        })
      }
    }
    if (server.redirectsToTls)
      for (const host of server.hosts.map(withoutNamespace))
        hosts.set(host, { routes: hosts.get(host)?.routes ?? [], redirectsAllToTls: true })
  }
  for (const host of hosts.values()) host.routes = catchAllsLast(host.routes)
  return hosts
}

function catchAllsLast(routes: readonly Route[]): readonly Route[] {
  return [...routes.filter((route) => !isCatchAll(route)), ...routes.filter(isCatchAll)]
}

function isCatchAll({ path, headers, query, method }: Route): boolean {
  const isAnyPath =
    ((path.kind === 'prefix' || path.kind === 'elements') && path.value === '/') ||
    (path.kind === 'regex' && path.value === '.*')
  return isAnyPath && headers.length === 0 && query.length === 0 && method === undefined
}

/** Nothing after a catch-all of the same service is programmed. */
function routesOf({ http, semantics }: RoutingService, port: number, isTls: boolean): readonly Route[] {
  const routes: Route[] = []
  for (const entry of http) {
    const matches = arrayMember(entry, 'match')
    for (const match of matches.length === 0 ? [{}] : matches) {
      const wanted = member(match, 'port')
      if (wanted !== undefined && wanted !== port) continue
      const route = readRoute(entry, match, port, isTls, semantics)
      routes.push(route)
      if (isCatchAll(route)) return routes
    }
  }
  return routes
}

const MATCH_FIELDS = ['name', 'uri', 'ignoreUriCase', 'headers', 'withoutHeaders', 'queryParams', 'method', 'port']

function readRoute(
  entry: Json,
  match: Json,
  port: number,
  isTls: boolean,
  semantics: RoutingService['semantics'],
): Route {
  onlyKnown(match, MATCH_FIELDS)
  const path = pathMatch(member(match, 'uri'), semantics)
  const method = member(match, 'method')
  return {
    path,
    ignoresCase: member(match, 'ignoreUriCase') === true,
    headers: [...valueMatches(match, 'headers', false), ...valueMatches(match, 'withoutHeaders', true)],
    query: valueMatches(match, 'queryParams', false),
    method: method === undefined ? undefined : { name: ':method', match: stringMatch(method), isInverted: false },
    action: action(entry, path, port, isTls, semantics),
  }
}

function pathMatch(uri: Json | undefined, semantics: RoutingService['semantics']): PathMatch {
  if (uri === undefined) return { kind: 'prefix', value: '/' }
  const { kind, value } = stringMatch(uri)
  if (kind === 'present') throw new Error(`a uri match without a value: ${JSON.stringify(uri)}`)
  if (kind !== 'prefix' || semantics === 'virtual-service' || value === '/') return { kind, value }
  return { kind: 'elements', value: value.replace(/\/$/, '') }
}

function valueMatches(match: Json, key: string, isInverted: boolean): readonly ValueMatch[] {
  const values = member(match, key)
  return Object.entries(isObject(values) ? values : {}).map(([name, value]) => ({
    name,
    match: stringMatch(value ?? null),
    isInverted,
  }))
}

function stringMatch(value: Json): ValueMatch['match'] {
  for (const kind of ['exact', 'prefix', 'regex'] as const) {
    const text = stringMember(value, kind)
    if (text !== undefined)
      return kind === 'regex' && text === '*' ? { kind: 'present', value: '' } : { kind, value: text }
  }
  if (isObject(value) && Object.keys(value).length === 0) return { kind: 'present', value: '' }
  throw new Error(`not a string match: ${JSON.stringify(value)}`)
}

function action(
  entry: Json,
  path: PathMatch,
  port: number,
  isTls: boolean,
  semantics: RoutingService['semantics'],
): Route['action'] {
  const redirect = member(entry, 'redirect')
  if (redirect !== undefined) return readRedirect(redirect, port, isTls)
  const direct = member(entry, 'directResponse')
  if (direct !== undefined) return { kind: 'direct', code: Number(member(direct, 'status')) }
  return forward(entry, path, semantics)
}

/**
 * Other codes pass Istio's validation and leave the route without an action; Envoy then refuses the routes of every host
 * of the port (seen: "embedded message failed validation ... field: action, reason: is required").
 */
function readRedirect(redirect: Json, port: number, isTls: boolean): Redirect {
  onlyKnown(redirect, ['uri', 'prefixRewrite', 'authority', 'scheme', 'redirectCode', 'port', 'derivePort'])
  const code = Number(member(redirect, 'redirectCode') ?? 301)
  if (![301, 302, 303, 307, 308].includes(code))
    throw new Error(`Envoy refuses redirectCode ${code} and all routes beside it`)
  const scheme = stringMember(redirect, 'scheme')
  return {
    kind: 'redirect',
    code,
    scheme,
    authority: stringMember(redirect, 'authority'),
    port: redirectPort(redirect, scheme ?? (isTls ? 'https' : 'http'), port),
    path: stringMember(redirect, 'uri'),
    prefixRewrite: stringMember(redirect, 'prefixRewrite'),
  }
}

function redirectPort(redirect: Json, scheme: string, listenPort: number): number | undefined {
  const given = member(redirect, 'port')
  const port = stringMember(redirect, 'derivePort') === 'FROM_REQUEST_PORT' ? listenPort : given
  if (port === undefined || (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https')) return undefined
  return Number(port)
}

function forward(entry: Json, path: PathMatch, semantics: RoutingService['semantics']): Forward {
  const rewrite = member(entry, 'rewrite')
  if (rewrite !== undefined) onlyKnown(rewrite, ['uri', 'authority', 'uriRegexRewrite'])
  const headers = member(entry, 'headers')
  const request = headerChange(member(headers, 'request'))
  return {
    kind: 'forward',
    to: backends(arrayMember(entry, 'route')),
    ...pathRewrite(rewrite, path, semantics),
    authority: stringMember(rewrite, 'authority') ?? request.set['host'] ?? request.set[':authority'],
    requestHeaders: request,
    responseHeaders: headerChange(member(headers, 'response')),
    cors: member(entry, 'corsPolicy'),
  }
}

/** `/` in an HTTPRoute's rewrite takes the prefix away, and leaves a single slash (applyHTTPRouteDestination). */
function pathRewrite(
  rewrite: Json | undefined,
  path: PathMatch,
  semantics: RoutingService['semantics'],
): Pick<Forward, 'prefixRewrite' | 'regexRewrite'> {
  const regex = member(rewrite, 'uriRegexRewrite')
  if (regex !== undefined)
    return {
      regexRewrite: { match: stringMember(regex, 'match') ?? '', rewrite: stringMember(regex, 'rewrite') ?? '' },
    }
  const uri = stringMember(rewrite, 'uri')
  if (uri !== '/' || semantics !== 'gateway') return { prefixRewrite: uri }
  const prefix = path.kind === 'elements' ? path.value.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&') : ''
  return { regexRewrite: { match: `^${prefix}(/?)(.*)`, rewrite: '/\\2' } }
}

function headerChange(value: Json | undefined): HeaderChange {
  if (value === undefined) return NO_CHANGE
  onlyKnown(value, ['set', 'add', 'remove'])
  return {
    set: lowered(member(value, 'set')),
    add: lowered(member(value, 'add')),
    remove: texts(value, 'remove').map((name) => name.toLowerCase()),
  }
}

function lowered(value: Json | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries([...stringMap(value)].map(([name, text]) => [name.toLowerCase(), text]))
}

/** A destination of weight 0 beside others gets nothing. */
function backends(route: readonly Json[]): readonly WeightedBackend[] {
  const all = route.map((entry) => {
    onlyKnown(entry, ['destination', 'weight', 'headers'])
    onlyKnown(member(entry, 'destination') ?? {}, ['host', 'port', 'subset'])
    const host = stringMember(member(entry, 'destination'), 'host') ?? ''
    const port = memberAt(entry, 'destination', 'port', 'number')
    if (typeof port !== 'number') throw new Error(`a destination without a port: ${JSON.stringify(entry)}`)
    return { to: `${host}:${port}`, weight: Number(member(entry, 'weight') ?? 0) }
  })
  return all.length === 1 ? all.map(({ to }) => ({ to, weight: 100 })) : all.filter(({ weight }) => weight > 0)
}
