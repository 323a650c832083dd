/**
 * The settings of ingress-nginx itself: its ConfigMap
 * (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/) and its flags
 * (https://kubernetes.github.io/ingress-nginx/user-guide/cli-arguments/). One of them changes every Ingress.
 */
import { arrayMember, memberAt, stringMap, stringMember, type Json, type JsonObject } from '../../../kubernetes/json.ts'
import { referenceTo } from '../../../kubernetes/object.ts'
import type { Note } from '../../model/report.ts'

/** Keys of the ConfigMap, and flags as `--enable-ssl-passthrough`, by name. */
export type ControllerSettings = ReadonlyMap<string, string>

/**
 * Returns the settings of the controller that is among the objects: the workload that runs it, with its ConfigMap. Undefined
 * if there is none.
 */
export function findControllerSettings(objects: readonly JsonObject[]): ControllerSettings | undefined {
  const workload = objects.find((object) => flagsOf(object) !== undefined)
  const flags = workload && flagsOf(workload)
  if (workload === undefined || flags === undefined) return undefined
  const name = flags.get('--configmap')?.replace(/^.*\//, '')
  const { namespace } = referenceTo(workload)
  const map = objects.find((object) => {
    const reference = referenceTo(object)
    return reference.kind === 'ConfigMap' && reference.name === name && reference.namespace === namespace
  })
  return new Map([...flags, ...settingsOfConfigMap(map)])
}

export function settingsOfConfigMap(object: JsonObject | undefined): ControllerSettings {
  return object === undefined ? new Map() : stringMap(memberAt(object, 'data'))
}

/** Undefined for anything that does not run ingress-nginx. */
function flagsOf(object: JsonObject): ReadonlyMap<string, string> | undefined {
  if (!['Deployment', 'DaemonSet'].includes(stringMember(object, 'kind') ?? '')) return undefined
  const containers = arrayMember(memberAt(object, 'spec', 'template', 'spec'), 'containers')
  const controller = containers.find(isController)
  if (controller === undefined) return undefined
  const words = argumentsOf(controller).filter((word) => word.startsWith('--'))
  return new Map(words.map(flagOf))
}

/** `--name=value`, or `--name` for `true`. */
function flagOf(word: string): readonly [string, string] {
  const equals = word.indexOf('=')
  return equals === -1 ? [word, 'true'] : [word.slice(0, equals), word.slice(equals + 1)]
}

function isController(container: Json): boolean {
  const words = argumentsOf(container)
  return (
    words.some(
      (word) =>
        word.endsWith('/nginx-ingress-controller') || word.startsWith('--controller-class=k8s.io/ingress-nginx'),
    ) || /ingress-nginx[/-]controller/.test(stringMember(container, 'image') ?? '')
  )
}

function argumentsOf(container: Json): readonly string[] {
  return [...arrayMember(container, 'command'), ...arrayMember(container, 'args')].filter(
    (word) => typeof word === 'string',
  )
}

/** Keys that are the default of the annotation of the same name. */
const INHERITED = new Set([
  ...['ssl-redirect', 'force-ssl-redirect', 'preserve-trailing-slash', 'proxy-body-size', 'proxy-connect-timeout'],
  ...['proxy-read-timeout', 'proxy-send-timeout', 'proxy-next-upstream', 'proxy-next-upstream-timeout'],
  ...[
    'proxy-next-upstream-tries',
    'proxy-cookie-domain',
    'proxy-cookie-path',
    'proxy-redirect-from',
    'proxy-redirect-to',
  ],
  ...['whitelist-source-range', 'denylist-source-range', 'custom-http-errors', 'limit-rate', 'limit-rate-after'],
  ...[
    'load-balance',
    'service-upstream',
    'ssl-ciphers',
    'enable-modsecurity',
    'enable-owasp-core-rules',
    'server-snippet',
  ],
])

/** The annotations that an Ingress has by the settings of the controller, without its own. */
export function inheritedAnnotations(
  settings: ControllerSettings,
  own: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const isOwn = (key: string) => own.has(`nginx.ingress.kubernetes.io/${key}`)
  // A list of the Ingress replaces that of the controller, under either of its names.
  const isListed = isOwn('allowlist-source-range')
  const inherited = [...settings].filter(
    ([key]) => INHERITED.has(key) && !isOwn(key) && !(isListed && key === 'whitelist-source-range'),
  )
  const renamed = settings.get('location-snippet')
  const snippet =
    renamed === undefined || isOwn('configuration-snippet') ? [] : [['configuration-snippet', renamed] as const]
  const url = settings.get('global-auth-url')
  const isAuthenticated =
    url !== undefined && !isOwn('auth-url') && own.get('nginx.ingress.kubernetes.io/enable-global-auth') !== 'false'
  const auth = isAuthenticated ? [['auth-url', url] as const] : []
  return new Map(
    [...inherited, ...snippet, ...auth].map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
  )
}

/** The value of the header that ingress-nginx adds to HTTPS responses (`header` in its lua_ingress.lua). */
export function hstsOf(settings: ControllerSettings): string | undefined {
  if (settings.get('hsts') === 'false') return undefined
  const subdomains = settings.get('hsts-include-subdomains') === 'false' ? '' : '; includeSubDomains'
  const preload = settings.get('hsts-preload') === 'true' ? '; preload' : ''
  return `max-age=${settings.get('hsts-max-age') ?? '31536000'}${subdomains}${preload}`
}

type Verdict = Pick<Note, 'level' | 'outcome' | 'message'>

const platformStep = (level: Note['level'], message: string): Verdict => ({ level, outcome: 'platform-step', message })
const unsupported = (level: Note['level'], message: string): Verdict => ({ level, outcome: 'unsupported', message })
const notNeeded = (message: string): Verdict => ({ level: 'info', outcome: 'not-needed', message })

/** Of settings that no annotation has. The first pattern that fits counts. */
const VERDICTS: readonly (readonly [RegExp, Verdict])[] = [
  [
    /^(?:use-forwarded-headers|proxy-real-ip-cidr|enable-real-ip|use-proxy-protocol|compute-full-forwarded-for|forwarded-for-header)$/,
    platformStep(
      'warn',
      'the address of the client comes from a proxy in front: set gatewayTopology of the mesh, and gateway.trustedProxies here',
    ),
  ],
  [/^hsts/, { level: 'info', outcome: 'converted', message: 'a response header of the hosts with TLS' }],
  [
    /^(?:global-auth-|block-|limit-|disable-)/,
    unsupported('error', 'SECURITY: it decides who may call or how often, and is not converted: recreate it in Istio'),
  ],
  [/^allow-snippet-annotations$/, notNeeded('snippets of Ingresses are converted or quoted')],
  [
    /^(?:strict-validate-path-type|annotations-risk-level|allow-cross-namespace-resources)$/,
    notNeeded('it checks Ingresses, not requests'),
  ],
  [
    /^(?:add-headers|proxy-set-headers)$/,
    unsupported('error', 'the ConfigMap that it names is not read: put its headers into headers of the routes'),
  ],
  [
    /^(?:ssl-protocols|ssl-ecdh-curve|ssl-early-data|http2|use-http2)$/,
    platformStep('warn', "TLS is set at the Gateway's servers, for all of their hosts"),
  ],
  [
    /^(?:http-snippet|main-snippet|stream-snippet|server-snippet|.*-snippet)$/,
    unsupported('error', 'configuration of nginx itself: recreate what it does in Istio'),
  ],
  [/^http-redirect-code$/, unsupported('info', 'redirects to HTTPS are 308')],
  [
    /^--default-ssl-certificate$/,
    platformStep('error', 'hosts without a certificate of their own used it: give them a secret'),
  ],
  [
    /^--(?:tcp|udp)-services-configmap$/,
    unsupported('error', 'its TCP and UDP services are not Ingresses: each needs a server of the Gateway and a route'),
  ],
  [
    /^--default-backend-service$/,
    unsupported('warn', 'requests for unknown hosts and paths are answered 404 by the gateway'),
  ],
  [/^--enable-ssl-passthrough$/, notNeeded('ssl-passthrough of Ingresses is converted')],
  [/^--/, notNeeded('it is about the controller, not about requests')],
  [
    /^(?:.*(?:log|buffer|hash|worker|gzip|brotli|keepalive|keep-alive|otel|opentelemetry|opentracing|jaeger|zipkin|datadog|resolver|session|http2-max|headers-in|server-tokens|reuse-port|timeout|map-|variables-).*|error-log-level|generate-request-id|nginx-status.*|use-gzip|enable-brotli|ignore-invalid-headers|enable-underscores-in-headers)$/,
    notNeeded('logs, buffers, compression and time limits of nginx itself'),
  ],
]

const UNKNOWN = unsupported(
  'warn',
  'unknown setting, nothing is generated for it: look it up in the documentation of ingress-nginx',
)

/** One note for each setting that is not the default of an annotation. */
export function settingNotes(settings: ControllerSettings): readonly Note[] {
  return [...settings]
    .filter(([key]) => !INHERITED.has(key) && key !== 'location-snippet' && key !== 'global-auth-url')
    .map(([key, value]) => {
      const verdict = VERDICTS.find(([pattern]) => pattern.test(key))?.[1] ?? UNKNOWN
      return { ...verdict, about: `ingress-nginx ${key}`, message: `is ${value}; ${verdict.message}` }
    })
}
