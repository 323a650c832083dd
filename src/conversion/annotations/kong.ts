/** Kong's controller (docs/facts/other-ingress-controllers.md#kong). */
import { escapeRegex, regexProblem } from '../model/regular-expression.ts'
import { BACKEND_LIMIT, backendScheme } from './as-nginx.ts'
import {
  claimsHttpsRedirect,
  converted,
  foreign,
  notNeeded,
  readFlag,
  readList,
  readWhole,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './entry.ts'

const PLUGINS = unsupported(
  'error',
  'SECURITY: plugins may authenticate, limit or rewrite; none of them is converted: recreate each one in Istio',
)

const ON_SERVICE = foreign('Kong reads it from Services')

/** `konghq.com/` */
export const KONG: AnnotationTable = {
  protocols,
  protocol: backendScheme((value) => ({
    outcome: 'unsupported',
    level: 'error',
    message: `the backend speaks ${value}: name the port of the Service after its protocol`,
  })),
  'https-redirect-status-code': notNeeded('the redirect is 308'),
  'strip-path': whenTrue(() => converted({ stripsPath: true }, 'the path of the rule is removed before the backend')),
  'preserve-host': (value, place) =>
    (readFlag(value) === false
      ? unsupported('warn', 'backends get the Host of the client')
      : notNeeded('backends get the Host of the client'))(value, place),
  'host-aliases': (value) =>
    converted({ aliases: readList(value.toLowerCase()) }, 'the routes are also served under them'),
  methods,
  plugins: PLUGINS,
  override: PLUGINS,
  path: unsupported('error', 'the path before that of the request is not added: recreate it with rewrite'),
  rewrite: unsupported('error', 'the path is not rewritten: recreate it with rewrite of the VirtualService'),
  'regex-priority': regexPriority,
  'regex-prefix': unsupported(
    'error',
    'paths with this prefix are not read as regular expressions; write /~ before them',
  ),
  snis: unsupported('error', 'SECURITY: the routes are served for other server names as well'),
  'request-buffering': notNeeded("Envoy's buffers need no setting"),
  'response-buffering': notNeeded("Envoy's buffers need no setting"),
  tags: foreign('tags of objects in Kong'),
  'connect-timeout': BACKEND_LIMIT,
  'read-timeout': BACKEND_LIMIT,
  'write-timeout': BACKEND_LIMIT,
  retries: unsupported('warn', "Istio's default is two retries: retries of the route"),
  'client-cert': unsupported('error', 'SECURITY: the gateway sends no client certificate to the backend'),
  'ca-certificates-secret': unsupported('error', 'SECURITY: the certificate of the backend is not verified'),
  'ca-certificates-configmap': unsupported('error', 'SECURITY: the certificate of the backend is not verified'),
  'tls-verify': whenTrue(unsupported('error', 'SECURITY: the certificate of the backend is not verified')),
  'upstream-policy': ON_SERVICE,
}

/** Keys that contain a name. */
export const KONG_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^headers\.(.+)$/, (name) => (value) => headerMatch(name.toLowerCase(), value)],
]

/** Reads values separated by commas; several headers must all be present. `~*` begins a regular expression. */
function headerMatch(name: string, value: string): Effect {
  const values = readList(value)
  if (values.length === 0) return refused(value, 'a value')
  const [only = ''] = values
  const match =
    values.length === 1 && !isExpression(only)
      ? ({ name, kind: 'exact', value: only } as const)
      : ({ name, kind: 'regex', value: values.map(valuePattern).join('|') } as const)
  const problem = match.kind === 'regex' ? regexProblem(match.value) : undefined
  if (problem !== undefined)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `SECURITY: header ${name} is not matched, because ${value} ${problem}: requests with any value reach the routes`,
    }
  return converted({ headerMatches: [match] }, `the routes are for requests with ${name}: ${values.join(' or ')}`)
}

function isExpression(value: string): boolean {
  return value.startsWith('~*')
}

/** Kong's expressions match from the start and ignore letter case; Envoy matches the whole value. */
function valuePattern(value: string): string {
  return isExpression(value) ? `(?i:${value.slice(2)}).*` : escapeRegex(value)
}

const API_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']

/** Requests with another method go to another route, or to none. */
function methods(value: string, { target }: AnnotationPlace): Effect {
  const names = readList(value.toUpperCase())
  const isAllowed = (name: string) => (target === 'istio' ? /^[A-Z]+$/.test(name) : API_METHODS.includes(name))
  const bad = names.filter((name) => !isAllowed(name))
  if (names.length > 0 && bad.length === 0)
    return converted({ methods: names }, `the routes are for ${names.join(', ')}`)
  return {
    outcome: 'unsupported',
    level: 'error',
    message: `SECURITY: ${bad.join(', ') || 'an empty list'} is not a method that the route can match: these paths are left out`,
    settings: { blockedBy: 'methods' },
  }
}

function regexPriority(value: string): Effect {
  const priority = readWhole(value)
  if (priority === undefined) return refused(value, 'a whole number')
  return converted({ regexPriority: priority }, 'regular expressions with a higher priority go first')
}

/** Kong answers 426 to plain requests if https is the only protocol of a route. */
function protocols(value: string): Effect {
  const names = readList(value.toLowerCase())
  const unknown = names.filter((name) => !['http', 'https', 'grpc', 'grpcs'].includes(name))
  if (unknown.length > 0 || names.length === 0)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `SECURITY: ${unknown.join(', ') || 'an empty list'} is not converted; the routes are served over HTTP and, with TLS, over HTTPS`,
    }
  if (names.every((name) => ['https', 'grpcs'].includes(name)))
    return claimsHttpsRedirect('only https: plain requests of hosts with TLS are redirected (308); Kong refuses them')
  if (names.every((name) => ['http', 'grpc'].includes(name)))
    return { outcome: 'approximate', level: 'info', message: 'hosts with TLS are also served over HTTPS' }
  return { outcome: 'not-needed', level: 'info', message: 'the gateway serves ports 80 and 443' }
}
