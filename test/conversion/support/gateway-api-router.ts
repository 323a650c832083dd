/**
 * What an Istio gateway answers from Gateway API objects: each listener is a server, each route of a listener and host a
 * VirtualService of Gateway API semantics, rules of all routes of a host in the API's precedence. From istio/istio
 * pilot/pkg/config/kube/gateway/{conversion.go,route_collections.go}, snapshot eed52ebb66ad;
 * docs/facts/gateway-api.md#limits.
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
import { answer, type Answer, type Listener, type RoutedRequest } from './envoy-routes.ts'
import { covers, listenersOf, type GatewayServer, type RoutingService } from './istio-router.ts'

type Kind = 'HTTPRoute' | 'GRPCRoute' | 'TLSRoute'

interface ApiListener {
  /** Of the Gateway or ListenerSet that has it. */
  readonly kind: 'Gateway' | 'ListenerSet'
  readonly namespace: string
  readonly name: string
  /** `namespace/name` of the Gateway that serves it. */
  readonly gateway: string
  readonly section: string
  readonly port: number
  readonly protocol: string
  /** Empty for any. */
  readonly hostname: string
  readonly kinds: readonly string[]
  readonly allows: (namespace: string) => boolean
  readonly server: GatewayServer
}

interface BoundRoute {
  readonly key: string
  readonly service: RoutingService
}

export function routeThroughGatewayApi(objects: readonly JsonObject[], request: RoutedRequest): Answer {
  return answer(gatewayApiListeners(objects), request)
}

export function gatewayApiListeners(objects: readonly JsonObject[]): readonly Listener[] {
  const oldest = objects.toSorted(byAge)
  const gateways = oldest.filter((object) => kindOf(object) === 'Gateway')
  const listeners = unconflicted([
    ...gateways.flatMap((object) => readListeners(object, object, objects)),
    ...oldest
      .filter((object) => kindOf(object) === 'ListenerSet')
      .flatMap((object) => {
        const gateway = gateways.find((one) => isParentOf(one, object, objects))
        return gateway === undefined ? [] : readListeners(object, gateway, objects)
      }),
  ])
  const http = (['HTTPRoute', 'GRPCRoute'] as const).flatMap((kind) =>
    merged(ofKind(oldest, kind).flatMap((route) => bindings(route, kind, listeners, objects))),
  )
  const tls = ofKind(oldest, 'TLSRoute').flatMap((route) => bindings(route, 'TLSRoute', listeners, objects))
  return listenersOf(
    listeners.map(({ server }) => server),
    [...http, ...tls.map(({ service }) => service)],
  )
}

function kindOf(object: JsonObject): string {
  return (stringMember(object, 'apiVersion') ?? '').startsWith('gateway.networking.k8s.io/')
    ? (stringMember(object, 'kind') ?? '')
    : ''
}

function ofKind(objects: readonly JsonObject[], kind: Kind): readonly JsonObject[] {
  return objects.filter((object) => kindOf(object) === kind)
}

/** Creation, then namespace, then name (sortConfigByCreationTime of the gateway package). */
function byAge(left: JsonObject, right: JsonObject): number {
  const [a, b] = [left, right].map((object) =>
    ['creationTimestamp', 'namespace', 'name']
      .map((key) => stringMember(member(object, 'metadata'), key) ?? '')
      .join('\0'),
  )
  return a === b ? 0 : (a ?? '') < (b ?? '') ? -1 : 1
}

function namespaceOf(object: JsonObject): string {
  return stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
}

function nameOf(object: JsonObject): string {
  return stringMember(member(object, 'metadata'), 'name') ?? ''
}

const HTTP_KINDS = ['HTTPRoute', 'GRPCRoute']
const KINDS: Readonly<Record<string, readonly string[]>> = { HTTP: HTTP_KINDS, HTTPS: HTTP_KINDS, TLS: ['TLSRoute'] }

/** A Gateway admits no ListenerSets unless it says which (allowedListeners). */
function isParentOf(gateway: JsonObject, set: JsonObject, objects: readonly JsonObject[]): boolean {
  const parent = memberAt(set, 'spec', 'parentRef')
  const isNamed =
    stringMember(parent, 'name') === nameOf(gateway) &&
    (stringMember(parent, 'namespace') ?? namespaceOf(set)) === namespaceOf(gateway)
  const allowed = memberAt(gateway, 'spec', 'allowedListeners')
  return isNamed && allowed !== undefined && allowedNamespaces(allowed, namespaceOf(gateway), objects)(namespaceOf(set))
}

/** Of two listeners of one Gateway with the same port, protocol and host, only the older one counts. */
function unconflicted(listeners: readonly ApiListener[]): readonly ApiListener[] {
  const key = ({ gateway, port, protocol, hostname }: ApiListener) => [gateway, port, protocol, hostname].join(' ')
  const first = new Map(listeners.toReversed().map((listener) => [key(listener), listener]))
  return listeners.filter((listener) => first.get(key(listener)) === listener)
}

function readListeners(owner: JsonObject, gateway: JsonObject, objects: readonly JsonObject[]): readonly ApiListener[] {
  const namespace = namespaceOf(owner)
  const kind = kindOf(owner) === 'Gateway' ? 'Gateway' : 'ListenerSet'
  return arrayMember(member(owner, 'spec'), 'listeners').flatMap((listener): readonly ApiListener[] => {
    const section = stringMember(listener, 'name') ?? ''
    const protocol = stringMember(listener, 'protocol') ?? ''
    const hostname = stringMember(listener, 'hostname') ?? ''
    const tls = member(listener, 'tls')
    const isPassthrough = stringMember(tls, 'mode') === 'Passthrough'
    if (protocol !== 'HTTP' && !isPassthrough && !hasCertificates(tls, kind, namespace, objects)) return []
    const kinds = arrayMember(member(listener, 'allowedRoutes'), 'kinds').map(
      (kind) => stringMember(kind, 'kind') ?? '',
    )
    const port = Number(member(listener, 'port'))
    const id = `${kind} ${namespace}/${nameOf(owner)}~${section}`
    const allows = allowedNamespaces(member(listener, 'allowedRoutes'), namespace, objects)
    const server = {
      gateway: id,
      name: 'default',
      port,
      isTls: protocol !== 'HTTP',
      isPassthrough,
      redirectsToTls: false,
      hosts: [hostname === '' ? '*' : hostname],
    }
    const supported = KINDS[protocol] ?? []
    return [
      {
        kind,
        namespace,
        name: nameOf(owner),
        gateway: `${namespaceOf(gateway)}/${nameOf(gateway)}`,
        section,
        port,
        protocol,
        hostname,
        kinds: kinds.length === 0 ? supported : supported.filter((kind) => kinds.includes(kind)),
        allows,
        server,
      },
    ]
  })
}

/** A certificate of another namespace needs that namespace's grant; without a usable one the listener is not served. */
function hasCertificates(
  tls: Json | undefined,
  kind: string,
  namespace: string,
  objects: readonly JsonObject[],
): boolean {
  const references = arrayMember(tls, 'certificateRefs')
  const from = { kind, namespace }
  return (
    references.length > 0 &&
    references.every((reference) =>
      isGranted(objects, from, {
        kind: 'Secret',
        namespace: stringMember(reference, 'namespace') ?? namespace,
        name: stringMember(reference, 'name') ?? '',
      }),
    )
  )
}

function isGranted(
  objects: readonly JsonObject[],
  from: { kind: string; namespace: string },
  to: { kind: string; namespace: string; name: string },
): boolean {
  if (from.namespace === to.namespace) return true
  return objects.some(
    (object) =>
      kindOf(object) === 'ReferenceGrant' &&
      namespaceOf(object) === to.namespace &&
      arrayMember(member(object, 'spec'), 'from').some(
        (entry) =>
          stringMember(entry, 'group') === 'gateway.networking.k8s.io' &&
          stringMember(entry, 'kind') === from.kind &&
          stringMember(entry, 'namespace') === from.namespace,
      ) &&
      arrayMember(member(object, 'spec'), 'to').some(
        (entry) =>
          stringMember(entry, 'group') === '' &&
          stringMember(entry, 'kind') === to.kind &&
          [undefined, to.name].includes(stringMember(entry, 'name')),
      ),
  )
}

function allowedNamespaces(
  allowed: Json | undefined,
  own: string,
  objects: readonly JsonObject[],
): (namespace: string) => boolean {
  const namespaces = member(allowed, 'namespaces')
  const from = stringMember(namespaces, 'from') ?? 'Same'
  if (from === 'All') return () => true
  if (from === 'Same') return (namespace) => namespace === own
  const selector = member(namespaces, 'selector')
  const expressions = arrayMember(selector, 'matchExpressions')
  if (expressions.some((expression) => stringMember(expression, 'operator') !== 'In'))
    throw new Error('only matchExpressions with operator In are simulated')
  const wanted = [...stringMap(member(selector, 'matchLabels'))]
  return (namespace) => {
    const object = objects.find((candidate) => candidate['kind'] === 'Namespace' && nameOf(candidate) === namespace)
    const labels = new Map([
      ...stringMap(memberAt(object, 'metadata', 'labels')),
      ['kubernetes.io/metadata.name', namespace],
    ])
    const isIn = (expression: Json) =>
      arrayMember(expression, 'values').includes(labels.get(stringMember(expression, 'key') ?? '') ?? '')
    return wanted.every(([key, value]) => labels.get(key) === value) && expressions.every(isIn)
  }
}

/** One service for each listener that the route may attach to, and for each of its hosts that the listener serves. */
function bindings(
  route: JsonObject,
  kind: Kind,
  listeners: readonly ApiListener[],
  objects: readonly JsonObject[],
): readonly BoundRoute[] {
  const spec = member(route, 'spec')
  const names = arrayMember(spec, 'hostnames').map(String)
  const hostnames = names.length === 0 ? ['*'] : names
  const entries =
    kind === 'TLSRoute'
      ? []
      : byPrecedence(arrayMember(spec, 'rules').flatMap((rule) => httpEntries(rule, route, kind, objects)))
  const attached = listeners.filter((listener) =>
    arrayMember(spec, 'parentRefs').some((parent) => attaches(parent, route, kind, hostnames, listener)),
  )
  return attached.flatMap((listener) =>
    hostnames
      .filter((host) => !isIsolated(host, listener, listeners))
      .map((host) => {
        const tls = kind === 'TLSRoute' ? tlsEntries(spec, listener, host, namespaceOf(route)) : []
        const service = {
          namespace: namespaceOf(route),
          gateways: [listener.server.gateway],
          hosts: [host],
          http: entries,
          tls,
          semantics: 'gateway' as const,
        }
        return { key: `${listener.server.gateway}\0${host}`, service }
      }),
  )
}

function attaches(
  parent: Json,
  route: JsonObject,
  kind: Kind,
  hostnames: readonly string[],
  listener: ApiListener,
): boolean {
  const [section, port] = [stringMember(parent, 'sectionName'), member(parent, 'port')]
  return (
    (stringMember(parent, 'kind') ?? 'Gateway') === listener.kind &&
    (stringMember(parent, 'namespace') ?? namespaceOf(route)) === listener.namespace &&
    stringMember(parent, 'name') === listener.name &&
    (section === undefined || section === listener.section) &&
    (port === undefined || port === listener.port) &&
    listener.kinds.includes(kind) &&
    listener.allows(namespaceOf(route)) &&
    hostnames.some((host) => overlap(host, listener.hostname === '' ? '*' : listener.hostname))
  )
}

function overlap(left: string, right: string): boolean {
  return covers(left, right) || covers(right, left)
}

/** A host that another listener of the port names more exactly belongs to that one alone (hostnameAllowedByIsolation). */
function isIsolated(host: string, own: ApiListener, listeners: readonly ApiListener[]): boolean {
  if (own.hostname !== '' && !own.hostname.startsWith('*')) return false
  if (own.hostname !== '' && !overlap(host, own.hostname)) return true
  return listeners.some(
    (other) =>
      other !== own &&
      other.gateway === own.gateway &&
      other.port === own.port &&
      other.protocol === own.protocol &&
      other.hostname !== own.hostname &&
      other.hostname.length >= own.hostname.length &&
      other.hostname !== '' &&
      covers(other.hostname, host),
  )
}

/** Routes that share a listener and a host are one list, in the order of precedence; equal rules from the oldest route. */
function merged(routes: readonly BoundRoute[]): readonly RoutingService[] {
  const services = new Map<string, RoutingService>()
  for (const { key, service } of routes) {
    const known = services.get(key)
    services.set(
      key,
      known === undefined ? service : { ...known, http: byPrecedence([...known.http, ...service.http]) },
    )
  }
  return [...services.values()]
}

const RANKS = ['regex', 'prefix', 'exact']

/**
 * Exact, then prefix, then regex; the longer; with a method; with more headers; with more query parameters
 * (sortHTTPRoutes).
 */
function byPrecedence(entries: readonly Json[]): readonly Json[] {
  return entries
    .map((entry) => ({ entry, key: precedence(arrayMember(entry, 'match')[0]) }))
    .toSorted((left, right) => {
      const index = left.key.findIndex((value, position) => value !== right.key[position])
      return index === -1 ? 0 : (right.key[index] ?? 0) - (left.key[index] ?? 0)
    })
    .map(({ entry }) => entry)
}

function precedence(match: Json | undefined): readonly number[] {
  if (match === undefined) return [-2]
  const uri = member(match, 'uri')
  const kind = RANKS.find((name) => member(uri, name) !== undefined)
  return [
    kind === undefined ? -1 : RANKS.indexOf(kind),
    kind === undefined ? 0 : (stringMember(uri, kind) ?? '').length,
    member(match, 'method') === undefined ? 0 : 1,
    sizeOf(member(match, 'headers')),
    sizeOf(member(match, 'queryParams')),
  ]
}

function sizeOf(value: Json | undefined): number {
  return isObject(value) ? Object.keys(value).length : 0
}

/** A rule as VirtualService entries, one for each of its matches. */
function httpEntries(rule: Json, route: JsonObject, kind: Kind, objects: readonly JsonObject[]): readonly Json[] {
  const matches = arrayMember(rule, 'matches')
  // The API server writes the default match into an HTTPRoute: prefix `/`.
  const none = kind === 'HTTPRoute' ? {} : undefined
  const to = destinations(rule, namespaceOf(route), kind, objects)
  const all: readonly (Json | undefined)[] = matches.length === 0 ? [none] : matches
  return all.map((match) => {
    const converted = match === undefined ? undefined : kind === 'GRPCRoute' ? grpcMatch(match) : httpMatch(match)
    const entry: JsonObject = {
      ...filters(arrayMember(rule, 'filters')),
      ...(converted === undefined ? {} : { match: [converted] }),
    }
    if (entry['redirect'] !== undefined) return entry
    return to.length === 0 ? { ...entry, directResponse: { status: 500 } } : { ...entry, route: to }
  })
}

/** References without a grant, and weights of 0, get nothing; with none left the answer is 500. */
function destinations(rule: Json, namespace: string, kind: Kind, objects: readonly JsonObject[]): readonly Json[] {
  const references = arrayMember(rule, 'backendRefs').filter((reference) => member(reference, 'weight') !== 0)
  return references.flatMap((reference) => {
    if ((stringMember(reference, 'kind') ?? 'Service') !== 'Service') return []
    if (member(reference, 'filters') !== undefined) throw new Error('filters of a backendRef are not simulated')
    const to = {
      kind: 'Service',
      namespace: stringMember(reference, 'namespace') ?? namespace,
      name: stringMember(reference, 'name') ?? '',
    }
    if (!isGranted(objects, { kind, namespace }, to)) {
      if (references.length > 1) throw new Error('a split with a reference that is not granted is not simulated')
      return []
    }
    const port = member(reference, 'port') ?? null
    return [
      {
        destination: { host: `${to.name}.${to.namespace}.svc.cluster.local`, port: { number: port } },
        weight: member(reference, 'weight') ?? 1,
      },
    ]
  })
}

function httpMatch(match: Json): JsonObject {
  known(match, ['path', 'headers', 'queryParams', 'method'])
  const method = stringMember(match, 'method')
  const value = stringMember(member(match, 'path'), 'value') ?? '/'
  return {
    uri: uriMatch(stringMember(member(match, 'path'), 'type') ?? 'PathPrefix', value),
    ...valueMatches('headers', arrayMember(match, 'headers')),
    ...valueMatches('queryParams', arrayMember(match, 'queryParams')),
    ...(method === undefined ? {} : { method: { exact: method } }),
  }
}

function known(value: Json, fields: readonly string[]): void {
  const unknown = Object.keys(isObject(value) ? value : {}).filter((key) => !fields.includes(key))
  if (unknown.length > 0) throw new Error(`not simulated: ${unknown.join(', ')} in ${JSON.stringify(value)}`)
}

function uriMatch(type: string, value: string): JsonObject {
  if (type === 'Exact') return { exact: value }
  if (type === 'RegularExpression') return { regex: value }
  return { prefix: value === '/' ? value : value.replace(/\/$/, '') }
}

function valueMatches(field: string, entries: readonly Json[]): JsonObject {
  if (entries.length === 0) return {}
  const matches = entries.map((entry): readonly [string, Json] => {
    const value = stringMember(entry, 'value') ?? ''
    return [
      stringMember(entry, 'name') ?? '',
      stringMember(entry, 'type') === 'RegularExpression' ? { regex: value } : { exact: value },
    ]
  })
  return { [field]: Object.fromEntries(matches) }
}

/**
 * | service | method | Exact            | RegularExpression  |
 * |---------|--------|------------------|--------------------|
 * | S       | M      | exact /S/M       | regex /S/M         |
 * | S       |        | prefix /S/       | regex /S/.+        |
 * |         | M      | regex /[^/]+/M   | regex /[^/]+/M     |
 */
function grpcMatch(match: Json): JsonObject {
  known(match, ['method', 'headers'])
  const headers = valueMatches('headers', arrayMember(match, 'headers'))
  const method = member(match, 'method')
  if (method === undefined) return headers
  const [service, name] = [stringMember(method, 'service'), stringMember(method, 'method')]
  if (service === undefined) return { uri: { regex: `/[^/]+/${name ?? ''}` }, ...headers }
  if (stringMember(method, 'type') === 'RegularExpression')
    return { uri: { regex: `/${service}/${name ?? '.+'}` }, ...headers }
  return { uri: name === undefined ? { prefix: `/${service}/` } : { exact: `/${service}/${name}` }, ...headers }
}

function filters(list: readonly Json[]): JsonObject {
  const entries = list.map((filter): readonly [string, JsonObject] => {
    switch (stringMember(filter, 'type')) {
      case 'RequestHeaderModifier':
        return ['request', headerChange(member(filter, 'requestHeaderModifier'))]
      case 'ResponseHeaderModifier':
        return ['response', headerChange(member(filter, 'responseHeaderModifier'))]
      case 'RequestRedirect':
        return ['redirect', redirect(member(filter, 'requestRedirect') ?? {})]
      case 'URLRewrite':
        return ['rewrite', rewrite(member(filter, 'urlRewrite') ?? {})]
      case 'CORS':
        return ['corsPolicy', cors(member(filter, 'cors') ?? {})]
      case 'RequestMirror':
        return ['mirrors', {}]
      default:
        throw new Error(`Istio refuses the filter ${JSON.stringify(filter)}`)
    }
  })
  const { request, response, ...rest } = Object.fromEntries(entries)
  if (request === undefined && response === undefined) return rest
  return {
    ...rest,
    headers: { ...(request === undefined ? {} : { request }), ...(response === undefined ? {} : { response }) },
  }
}

function headerChange(modifier: Json | undefined): JsonObject {
  const pairs = (key: string) =>
    Object.fromEntries(
      arrayMember(modifier, key).map((entry) => [
        stringMember(entry, 'name') ?? '',
        stringMember(entry, 'value') ?? '',
      ]),
    )
  return { set: pairs('set'), add: pairs('add'), remove: arrayMember(modifier, 'remove') }
}

/** Without a port the request's own is kept, unless a scheme is given (createRedirectFilter). */
function redirect(filter: Json): JsonObject {
  known(filter, ['scheme', 'hostname', 'path', 'port', 'statusCode'])
  const path = member(filter, 'path')
  const [scheme, hostname, port] = [
    stringMember(filter, 'scheme'),
    stringMember(filter, 'hostname'),
    member(filter, 'port'),
  ]
  const [full, prefix] = [stringMember(path, 'replaceFullPath'), stringMember(path, 'replacePrefixMatch')]
  return {
    redirectCode: member(filter, 'statusCode') ?? 302,
    ...(scheme === undefined ? {} : { scheme }),
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(port === undefined ? (scheme === undefined ? { derivePort: 'FROM_REQUEST_PORT' } : {}) : { port }),
    ...(full === undefined ? {} : { uri: full }),
    ...(prefix === undefined ? {} : { prefixRewrite: prefix }),
  }
}

function rewrite(filter: Json): JsonObject {
  known(filter, ['hostname', 'path'])
  const path = member(filter, 'path')
  const [full, prefix] = [stringMember(path, 'replaceFullPath'), stringMember(path, 'replacePrefixMatch')]
  const hostname = stringMember(filter, 'hostname')
  return {
    ...(hostname === undefined ? {} : { authority: hostname }),
    ...(full === undefined ? {} : { uriRegexRewrite: { match: '/.*', rewrite: full } }),
    ...(prefix === undefined ? {} : { uri: prefix.replace(/\/$/, '') || '/' }),
  }
}

/** `*` is any well-formed origin, a trailing `*` a prefix, any other `*` a regular expression (createCorsFilter). */
function cors(filter: Json): JsonObject {
  known(filter, ['allowOrigins', 'allowMethods', 'allowHeaders', 'exposeHeaders', 'allowCredentials', 'maxAge'])
  const origins = arrayMember(filter, 'allowOrigins').map(String)
  const maxAge = member(filter, 'maxAge')
  const lists = ['allowMethods', 'allowHeaders', 'exposeHeaders'].flatMap((key) =>
    member(filter, key) === undefined ? [] : [[key, arrayMember(filter, key)] as const],
  )
  return {
    allowOrigins: origins.map(corsOrigin),
    ...Object.fromEntries(lists),
    ...(member(filter, 'allowCredentials') === true ? { allowCredentials: true } : {}),
    ...(typeof maxAge === 'number' && maxAge > 0 ? { maxAge: `${maxAge}s` } : {}),
  }
}

function corsOrigin(origin: string): JsonObject {
  if (origin === '*') return { regex: '^[a-zA-Z][a-zA-Z0-9+.-]*://[^/\\s?#]+$' }
  if (!origin.includes('*')) return { exact: origin }
  if (origin.indexOf('*') === origin.length - 1) return { prefix: origin.slice(0, -1) }
  const quoted = origin.replaceAll(/[.+?^${}()|[\]\\/-]/g, '\\$&').replaceAll('*', '.*')
  return { regex: `^${quoted}$` }
}

/** A passthrough listener's SNI hosts are those of the route that the listener covers, and the other way round. */
function tlsEntries(spec: Json | undefined, listener: ApiListener, host: string, namespace: string): readonly Json[] {
  const own = listener.hostname === '' ? '*' : listener.hostname
  const sniHosts = covers(own, host) ? [host] : covers(host, own) ? [own] : []
  return arrayMember(spec, 'rules').map((rule) => ({
    match: [{ sniHosts }],
    route: destinations(rule, namespace, 'TLSRoute', []),
  }))
}
