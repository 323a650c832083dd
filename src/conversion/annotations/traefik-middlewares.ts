/**
 * Traefik's Middlewares that an Ingress names, read from their objects
 * (https://doc.traefik.io/traefik/reference/routing-configuration/http/middlewares/overview/).
 */
import { RE2JS } from 're2js'
import {
  arrayMember,
  isObject,
  member,
  memberAt,
  ownEntry,
  scalarText,
  stringMember,
  type Json,
} from '../../kubernetes/json.ts'
import { regexProblem } from '../model/regular-expression.ts'
import { asNginx, PASSWORD } from './as-nginx.ts'
import {
  claimsHttpsRedirect,
  converted,
  notNeeded,
  readList,
  unsupported,
  type AnnotationPlace,
  type Effect,
} from './entry.ts'
import { mergeSettings } from './merge-settings.ts'
import { middlewareHeaders } from './traefik-headers.ts'

/** Reads the list of an annotation: `shop-strip@kubernetescrd,limits@file`. */
export function middlewaresEffect(value: string, place: AnnotationPlace): Effect {
  return joined(readList(value).map((name) => namedEffect(name, place, 0)))
}

const TWO_REWRITES: Effect = {
  outcome: 'unsupported',
  level: 'error',
  message: 'two changes of the path after each other have no equivalent; these paths are left out',
  settings: { blockedBy: 'router.middlewares' },
}

function isRewrite({ settings = {} }: Effect): boolean {
  return settings.strippedPrefixes !== undefined || settings.pathReplacement !== undefined
}

/** Chains may not be deeper, so that a loop ends. */
const MAX_CHAIN = 5

function namedEffect(name: string, place: AnnotationPlace, depth: number): NamedEffect {
  const [, key] = /^([^@]+)(?:@kubernetescrd)?$/.exec(name) ?? []
  const object = key === undefined ? undefined : place.middlewares.get(key)
  if (object === undefined || depth > MAX_CHAIN) return { name, effect: UNKNOWN }
  const spec = member(object, 'spec')
  const entries = isObject(spec) ? Object.entries(spec) : []
  const namespace = stringMember(member(object, 'metadata'), 'namespace') ?? 'default'
  const effects = entries.map(([kind, own]) => {
    if (kind === 'chain') return { name: kind, effect: chainEffect(own ?? null, namespace, place, depth) }
    const read = ownEntry(KINDS, kind)
    return { name: kind, effect: read === undefined ? UNKNOWN : read(own ?? null, place) }
  })
  return { name, effect: joined(effects) }
}

interface NamedEffect {
  readonly name: string
  readonly effect: Effect
}

const UNKNOWN: Effect = {
  outcome: 'unsupported',
  level: 'error',
  message:
    'SECURITY: its object is not in the input, or it is not read: it may contain authentication, address lists, rewrites and redirects: include it, or recreate it in Istio',
}

function chainEffect(spec: Json, namespace: string, place: AnnotationPlace, depth: number): Effect {
  const names = arrayMember(spec, 'middlewares').map((one) => {
    return `${stringMember(one, 'namespace') ?? namespace}-${stringMember(one, 'name') ?? ''}`
  })
  return joined(names.map((name) => namedEffect(name, place, depth + 1)))
}

const WORST: readonly Effect['outcome'][] = ['unsupported', 'platform-step', 'approximate', 'converted', 'not-needed']
const LEVELS: readonly Effect['level'][] = ['error', 'warn', 'info']

/** One effect with the worst outcome and level of several, and the settings of all. */
function joined(given: readonly NamedEffect[]): Effect {
  const isTwice = given.filter(({ effect }) => isRewrite(effect)).length > 1
  const parts = isTwice ? [...given, { name: 'router.middlewares', effect: TWO_REWRITES }] : given
  const effects = parts.map(({ effect }) => effect)
  const claim = effects.find((effect) => effect.claim !== undefined)?.claim
  return {
    outcome: WORST.find((outcome) => effects.some((effect) => effect.outcome === outcome)) ?? 'not-needed',
    level: LEVELS.find((level) => effects.some((effect) => effect.level === level)) ?? 'info',
    message: parts.map(({ name, effect }) => `${name}: ${effect.message}`).join('; ') || 'it names nothing',
    settings: mergeSettings(effects.map(({ settings }) => settings ?? {})),
    ...(claim === undefined ? {} : { claim }),
  }
}

type ReadKind = (spec: Json, place: AnnotationPlace) => Effect

const entry =
  (effect: (value: string, place: AnnotationPlace) => Effect): ReadKind =>
  (_, place) =>
    effect('', place)

const LIMIT = entry(
  unsupported('error', 'the requests of a client are not limited: Envoy needs a rate limit service for that'),
)
const OTHER = (message: string) => entry(unsupported('warn', message))

/** By the member of `spec`. */
const KINDS: Readonly<Record<string, ReadKind>> = {
  stripPrefix: (spec) => {
    const strippedPrefixes = arrayMember(spec, 'prefixes').filter((prefix) => typeof prefix === 'string')
    return converted({ strippedPrefixes }, `${strippedPrefixes.join(', ')} is removed from the path`)
  },
  stripPrefixRegex: (spec) => {
    const pattern = arrayMember(spec, 'regex')
      .filter((text) => typeof text === 'string')
      .map((text) => text.replace(/^\^/, ''))
      .join('|')
    return replacement(`^(?:${pattern})/?(.*)$`, `/$${groupsIn(pattern) + 1}`)
  },
  addPrefix: (spec) => replacement('^(.*)$', `${stringMember(spec, 'prefix') ?? ''}$1`),
  replacePath: (spec) => replacement('^/.*$', stringMember(spec, 'path') ?? '/'),
  replacePathRegex: (spec) => replacement(stringMember(spec, 'regex') ?? '', stringMember(spec, 'replacement') ?? ''),
  redirectScheme: (spec) =>
    stringMember(spec, 'scheme') === 'https'
      ? claimsHttpsRedirect('plain requests are redirected (308)')
      : {
          outcome: 'unsupported',
          level: 'error',
          message: 'it redirects to another scheme than https, which is not converted',
        },
  redirectRegex: redirectRegex,
  headers: (spec, { target }) => middlewareHeaders(spec, target),
  ipAllowList: addressList,
  ipWhiteList: addressList,
  basicAuth: entry(PASSWORD),
  digestAuth: entry(PASSWORD),
  forwardAuth: (spec, place) => {
    const effect = asNginx('auth-url')(stringMember(spec, 'address') ?? '', place)
    const headers = arrayMember(spec, 'authResponseHeaders')
      .filter((name) => typeof name === 'string')
      .join(', ')
    return headers === ''
      ? effect
      : { ...effect, message: `${effect.message}. Add ${headers} as headersToUpstreamOnAllow` }
  },
  rateLimit: LIMIT,
  inFlightReq: LIMIT,
  compress: entry(notNeeded('responses are not compressed by the gateway; applications may')),
  contentType: entry(notNeeded('Envoy does not guess content types')),
  buffering: OTHER('bodies are not limited or buffered: an EnvoyFilter with the buffer filter limits them'),
  retry: OTHER("Istio's default is two retries: retries of the route"),
  circuitBreaker: OTHER('the closest equivalent is outlierDetection of a DestinationRule'),
  errors: OTHER('error pages must come from the application'),
  grpcWeb: OTHER('an EnvoyFilter with the grpc_web filter is needed'),
}

function groupsIn(pattern: string): number {
  return (pattern.match(/\((?!\?)/g) ?? []).length
}

/** Go's `$1` and `${1}` are RE2's `\\1`. */
function replacement(pattern: string, text: string): Effect {
  const problem = pattern === '' ? 'is empty' : regexProblem(pattern)
  const substitution = text.replaceAll('\\', '\\\\').replaceAll(/\$\{?(\d)\}?/g, '\\$1')
  if (problem !== undefined || substitution.includes('$'))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${pattern} with ${text} ${problem ?? 'has a named group'}; these paths are left out`,
      settings: { blockedBy: 'router.middlewares' },
    }
  return converted({ pathReplacement: { pattern, substitution } }, `the path is rewritten by ${pattern}`)
}

function addressList(spec: Json, place: AnnotationPlace): Effect {
  const ranges = arrayMember(spec, 'sourceRange').filter((range) => typeof range === 'string')
  return asNginx('allowlist-source-range')(ranges.join(','), place)
}

/** What follows the host in a request that is tried on an expression. */
const PROBE = 'some/path?and=query'

/** Converted if it puts another scheme or host before the same path, for each host of the Ingress. */
function redirectRegex(spec: Json, { ingress }: AnnotationPlace): Effect {
  const [pattern, text] = [stringMember(spec, 'regex') ?? '', stringMember(spec, 'replacement') ?? '']
  const lost: Effect = {
    outcome: 'unsupported',
    level: 'error',
    message: `the redirect of ${pattern} to ${text} is not converted: recreate it with redirect of the VirtualService`,
  }
  if (pattern === '' || regexProblem(pattern) !== undefined) return lost
  const compiled = RE2JS.compile(pattern)
  const code = scalarText(memberAt(spec, 'permanent')) === 'true' ? 308 : 307
  const redirects = ingress.rules.map(({ host }) => {
    const [plain, secure] = ['http', 'https'].map((scheme) =>
      compiled.matcher(`${scheme}://${host}/${PROBE}`).replaceAll(text.replaceAll(/\$\{(\d)\}/g, '$$$1')),
    )
    return { host, url: plain === secure ? plain : undefined }
  })
  const found = redirects.map(({ host, url }) => {
    const [, scheme, authority] = /^(https?):\/\/([^/$]+)\/some\/path\?and=query$/.exec(url ?? '') ?? []
    return authority === undefined
      ? undefined
      : ([host, { scheme: scheme === 'http' ? 'http' : 'https', authority, path: undefined, code }] as const)
  })
  const hostRedirects = new Map(found.filter((one) => one !== undefined))
  return found.includes(undefined) ? lost : converted({ hostRedirects }, `requests are redirected (${code})`)
}
