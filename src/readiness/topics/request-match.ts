/**
 * Whether a rule of an AuthorizationPolicy matches a request without an identity, such as a probe of kubelet's
 * (https://istio.io/latest/docs/reference/config/security/authorization-policy/).
 */
import { arrayMember, member, stringMember, type Json } from '../../kubernetes/json.ts'

/** A request in plain text: it has neither a principal nor a JWT. */
export interface PlainRequest {
  readonly port: number
  /** Undefined if the proxy forwards the bytes without reading them as HTTP. */
  readonly http:
    { readonly method: 'GET' | 'POST'; readonly path: string; readonly host: string | undefined } | undefined
}

/** `maybe`: it depends on addresses or headers that the manifests do not give. */
export type Match = 'yes' | 'no' | 'maybe'

type Action = 'ALLOW' | 'DENY'

export function matchRule(rule: Json, request: PlainRequest, action: Action): Match {
  const from = arrayMember(rule, 'from').map((entry) => matchSource(member(entry, 'source')))
  const to = arrayMember(rule, 'to').map((entry) => matchOperation(member(entry, 'operation'), request, action))
  const when = arrayMember(rule, 'when').map((condition) => matchCondition(condition, request))
  return all([from.length === 0 ? 'yes' : any(from), to.length === 0 ? 'yes' : any(to), ...when])
}

const all = (found: readonly Match[]): Match =>
  found.includes('no') ? 'no' : found.includes('maybe') ? 'maybe' : 'yes'
const any = (found: readonly Match[]): Match =>
  found.includes('yes') ? 'yes' : found.includes('maybe') ? 'maybe' : 'no'

const IDENTITIES = ['principals', 'namespaces', 'requestPrincipals', 'serviceAccounts']
const ADDRESSES = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks']

/** The negative fields, such as `notPrincipals`, match every request without an identity. */
function matchSource(source: Json | undefined): Match {
  if (IDENTITIES.some((key) => arrayMember(source, key).length > 0)) return 'no'
  return ADDRESSES.some((key) => arrayMember(source, key).length > 0) ? 'maybe' : 'yes'
}

const HTTP_ONLY = ['hosts', 'notHosts', 'methods', 'notMethods', 'paths', 'notPaths']

/**
 * Of a connection that is not HTTP, Istio drops an ALLOW rule with HTTP fields, and the fields themselves of a DENY rule
 * (https://istio.io/latest/docs/tasks/security/authorization/authz-tcp/).
 */
function matchOperation(operation: Json | undefined, { port, http }: PlainRequest, action: Action): Match {
  const ports = matchField(operation, 'ports', 'notPorts', (text) => (text === String(port) ? 'yes' : 'no'))
  if (http === undefined)
    return action === 'ALLOW' && HTTP_ONLY.some((key) => arrayMember(operation, key).length > 0) ? 'no' : ports
  const path = http.path.split('?')[0] ?? http.path
  return all([
    ports,
    matchField(operation, 'methods', 'notMethods', (text) => matchText(text, http.method)),
    matchField(operation, 'paths', 'notPaths', (text) => (text.includes('{') ? 'maybe' : matchText(text, path))),
    matchField(operation, 'hosts', 'notHosts', (text) => matchHost(text, http.host, port)),
  ])
}

function matchField(
  operation: Json | undefined,
  key: string,
  negative: string,
  matches: (text: string) => Match,
): Match {
  const texts = (name: string) => arrayMember(operation, name).filter((text) => typeof text === 'string')
  const wanted = texts(key)
  const unwanted = any(texts(negative).map(matches))
  return all([
    wanted.length === 0 ? 'yes' : any(wanted.map(matches)),
    unwanted === 'yes' ? 'no' : unwanted === 'maybe' ? 'maybe' : 'yes',
  ])
}

/** Exact, `prefix*`, `*suffix` or `*`. */
function matchText(pattern: string, text: string): Match {
  if (pattern === '*' || pattern === text) return 'yes'
  if (pattern.endsWith('*')) return text.startsWith(pattern.slice(0, -1)) ? 'yes' : 'no'
  return pattern.startsWith('*') && text.endsWith(pattern.slice(1)) ? 'yes' : 'no'
}

/** kubelet's Host header is the pod's address, unless the probe sets one. */
function matchHost(pattern: string, host: string | undefined, port: number): Match {
  if (pattern === '*') return 'yes'
  if (host !== undefined) return matchText(pattern.toLowerCase(), host.toLowerCase())
  return /^[\d.:[\]a-f]*\*$/i.test(pattern) || /^[\d.]+(?::\d+)?$/.test(pattern) || pattern === `*:${port}`
    ? 'maybe'
    : 'no'
}

/** The keys whose values are identities; `request.auth.claims[group]` is one of the last kind. */
const IDENTITY_KEY = /^(?:source\.(?:principal|namespace|serviceAccount)$|request\.auth\.)/

function matchCondition(condition: Json, { port }: PlainRequest): Match {
  const key = stringMember(condition, 'key') ?? ''
  const values = arrayMember(condition, 'values')
  if (IDENTITY_KEY.test(key)) return values.length > 0 ? 'no' : 'yes'
  if (key !== 'destination.port') return 'maybe'
  const isWanted = values.length === 0 || values.includes(String(port))
  return isWanted && !arrayMember(condition, 'notValues').includes(String(port)) ? 'yes' : 'no'
}
