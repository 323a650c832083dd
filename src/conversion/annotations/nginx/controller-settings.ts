/**
 * The settings of ingress-nginx itself: its ConfigMap
 * (https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/) and its flags
 * (https://kubernetes.github.io/ingress-nginx/user-guide/cli-arguments/). One of them changes every Ingress.
 */
import { arrayMember, memberAt, stringMap, stringMember, type Json, type JsonObject } from '../../../kubernetes/json.ts'
import { referenceTo } from '../../../kubernetes/object.ts'

/** Keys of the ConfigMap, and flags as `--enable-ssl-passthrough`, by name. */
export type ControllerSettings = ReadonlyMap<string, string>

/**
 * Returns the settings of the controller that is among the objects: the workload that runs it, with its ConfigMaps. Undefined
 * if there is none.
 */
export function findControllerSettings(objects: readonly JsonObject[]): ControllerSettings | undefined {
  const [workload, ...further] = objects.filter((object) => flagsOf(object) !== undefined)
  const flags = workload && flagsOf(workload)
  if (workload === undefined || flags === undefined) return undefined
  const { namespace } = referenceTo(workload)
  const named = (flag: string) => configMapNamed(flags.get(flag), namespace, objects)
  const streams = STREAM_FLAGS.flatMap((flag) => {
    const services = named(flag)
    return services === undefined ? [] : [[flag, streamText(services)] as const]
  })
  return new Map([...flags, ...streams, ...furtherControllers(further), ...settingsOfConfigMap(named('--configmap'))])
}

const STREAM_FLAGS = ['--tcp-services-configmap', '--udp-services-configmap'] as const

/** Returns the ConfigMaps that the controllers among the objects read. */
export function configMapsOfControllers(
  objects: readonly JsonObject[],
): readonly { readonly namespace: string; readonly name: string }[] {
  return objects.flatMap((object) => {
    const flags = flagsOf(object)
    const references = ['--configmap', ...STREAM_FLAGS].flatMap((flag) => flags?.get(flag) ?? [])
    return references.map((reference) => placeOf(reference, referenceTo(object).namespace))
  })
}

function configMapNamed(
  reference: string | undefined,
  controllerNamespace: string,
  objects: readonly JsonObject[],
): JsonObject | undefined {
  const wanted = placeOf(reference ?? '', controllerNamespace)
  return objects.find((object) => {
    const { kind, name, namespace } = referenceTo(object)
    return kind === 'ConfigMap' && name === wanted.name && namespace === wanted.namespace
  })
}

/** `reference` is `namespace/name`, or a name in the controller's namespace. */
function placeOf(reference: string, controllerNamespace: string) {
  const [, place = '$(POD_NAMESPACE)', name = ''] = /^(?:(.*)\/)?([^/]*)$/.exec(reference) ?? []
  return { namespace: place.startsWith('$(') ? controllerNamespace : place, name }
}

/** `9000 to data/redis:6379`: the port of the controller, and the Service. */
function streamText(services: JsonObject): string {
  const { namespace, name } = referenceTo(services)
  const entries = [...settingsOfConfigMap(services)].map(([port, service]) => `${port} to ${service}`)
  return `${namespace}/${name}: ${entries.join(', ') || 'no services'}`
}

/** The name under which `findControllerSettings` lists the controllers that it does not read. */
export const FURTHER = 'of further controllers'

function furtherControllers(workloads: readonly JsonObject[]): readonly (readonly [string, string])[] {
  const names = workloads.map((workload) => {
    const { namespace, name } = referenceTo(workload)
    return `${namespace}/${name}`
  })
  return names.length === 0 ? [] : [[FURTHER, names.join(', ')]]
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
export const INHERITED = new Set([
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

/** Whether ingress-nginx ignores an annotation that it would read with other settings, and why. */
export function ignoredBecause(key: string, settings: ControllerSettings): string | undefined {
  const name = key.replace(/^nginx\.ingress\.kubernetes\.io\//, '')
  if (/-snippet$/.test(name) && settings.get('allow-snippet-annotations') === 'false')
    return 'ingress-nginx ignores it, because allow-snippet-annotations is false'
  const hasFlags = [...settings.keys()].some((setting) => setting.startsWith('--'))
  if (name === 'ssl-passthrough' && hasFlags && settings.get('--enable-ssl-passthrough') !== 'true')
    return 'ingress-nginx ignores it, because it runs without --enable-ssl-passthrough, and ends TLS itself'
  return undefined
}
