/** NGINX Ingress Controller of F5 (docs/facts/other-ingress-controllers.md#f5). */
import { ownEntry } from '../../kubernetes/json.ts'
import { backendsOf } from '../ingress/ingress.ts'
import type { IngressSettings } from '../model/ingress-settings.ts'
import { asNginx, BACKEND_LIMIT, backendTls } from './as-nginx.ts'
import {
  approximate,
  beside,
  converted,
  notNeeded,
  platformStep,
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
import { readSnippet } from './nginx/snippet.ts'

const BUFFER = notNeeded("Envoy's buffers need no setting")

const LIMIT = unsupported(
  'error',
  'the number of requests of a client is not limited: Envoy needs a rate limit service for a limit of each address',
)

const LOGIN = unsupported('error', 'SECURITY: the routes are no longer authenticated; recreate it in Istio')

/** `nginx.org/` and `nginx.com/` */
export const F5: AnnotationTable = {
  'redirect-to-https': asNginx('force-ssl-redirect'),
  'ssl-redirect': (value, place) => asNginx('ssl-redirect')(value, place),
  'http-redirect-code': notNeeded('the redirect is 308'),
  'ssl-services': protocolOf('HTTPS', 'TLS'),
  'grpc-services': protocolOf('GRPC', 'gRPC'),
  'websocket-services': notNeeded('websockets work on every route'),
  rewrites,
  'rewrite-target': asNginx('rewrite-target'),
  'app-root': asNginx('app-root'),
  'path-regex': pathRegex,
  'proxy-hide-headers': hideHeaders,
  'proxy-set-headers': setHeaders,
  'proxy-pass-headers': notNeeded('the gateway passes every header on'),
  hsts: whenTrue(hsts),
  'hsts-max-age': beside('hsts', notNeeded('part of hsts')),
  'hsts-include-subdomains': beside('hsts', notNeeded('part of hsts')),
  'hsts-behind-proxy': beside('hsts', notNeeded('part of hsts')),
  'server-tokens': notNeeded('the gateway names no version of nginx'),
  'location-snippets': (value, place) => readSnippet(value, place, 'location'),
  'server-snippets': (value, place) => readSnippet(value, place, 'server'),
  'mergeable-ingress-type': notNeeded('all Ingresses of a host share its routes'),
  'listen-ports': platformStep('error', 'the gateway serves port 80: add a server with the ports to the Gateway'),
  'listen-ports-ssl': platformStep(
    'error',
    'the gateway serves HTTPS at port 443: add a server with the ports to the Gateway',
  ),
  'lb-method': unsupported('warn', 'the closest equivalent is loadBalancer of a DestinationRule'),
  'sticky-cookie-services': unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
  'use-cluster-ip': notNeeded('the gateway always balances over the endpoints of the Service'),
  'client-max-body-size': notNeeded('Envoy does not limit the size of a body'),
  'proxy-connect-timeout': BACKEND_LIMIT,
  'proxy-read-timeout': BACKEND_LIMIT,
  'proxy-send-timeout': BACKEND_LIMIT,
  'proxy-buffering': BUFFER,
  'proxy-buffers': BUFFER,
  'proxy-buffer-size': BUFFER,
  'proxy-busy-buffers-size': BUFFER,
  'proxy-max-temp-file-size': BUFFER,
  'client-body-buffer-size': BUFFER,
  keepalive: notNeeded('Envoy keeps connections to backends by itself'),
  'max-fails': notNeeded("Istio's own health checks are outlierDetection"),
  'fail-timeout': notNeeded("Istio's own health checks are outlierDetection"),
  'max-conns': unsupported('warn', 'the closest equivalent is connectionPool of a DestinationRule'),
  'upstream-zone-size': BUFFER,
  'limit-req-rate': LIMIT,
  'limit-req-key': beside('limit-req-rate', LIMIT),
  'limit-req-zone-size': beside('limit-req-rate', LIMIT),
  'limit-req-burst': beside('limit-req-rate', LIMIT),
  'limit-req-delay': beside('limit-req-rate', LIMIT),
  'limit-req-no-delay': beside('limit-req-rate', LIMIT),
  'limit-req-reject-code': beside('limit-req-rate', LIMIT),
  'limit-req-dry-run': beside('limit-req-rate', LIMIT),
  'limit-req-log-level': beside('limit-req-rate', LIMIT),
  'limit-req-scale': beside('limit-req-rate', LIMIT),
  'basic-auth-secret': LOGIN,
  'basic-auth-realm': beside('basic-auth-secret', LOGIN),
  'jwt-key': LOGIN,
  'jwt-realm': beside('jwt-key', LOGIN),
  'jwt-token': beside('jwt-key', LOGIN),
  'jwt-login-url': beside('jwt-key', LOGIN),
}

/** The list names Services, but the setting applies to all backends of the Ingress. */
function protocolOf(protocol: 'HTTPS' | 'GRPC', word: string): Entry {
  return (value, place) => {
    const named = readList(value)
    const services = [...new Set(backendsOf(place.ingress).flatMap((backend) => backend?.service ?? []))]
    const speaking = services.filter((service) => named.includes(service))
    if (speaking.length === 0)
      return { outcome: 'not-needed', level: 'info', message: 'it names no Service of this Ingress' }
    if (speaking.length === services.length) return backendTls(protocol)(value, place)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${speaking.join(', ')} speaks ${word} and other Services of this Ingress do not: put its rules into a separate Ingress`,
    }
  }
}

const EXPRESSIONS: Readonly<Record<string, IngressSettings['pathExpressions']>> = {
  case_sensitive: 'case-sensitive',
  case_insensitive: 'case-insensitive',
  exact: 'exact',
}

/** Reads `serviceName=tea rewrite=/;serviceName=coffee rewrite=/beans/`. */
function rewrites(value: string): Effect {
  const parts = value.split(';').filter((part) => part.trim() !== '')
  const read = parts.map((part) => /^\s*serviceName=(\S+)\s+rewrite=(\/[^\s$]*)\s*$/.exec(part))
  const bad = parts.filter((_, index) => read[index] === null)
  const prefixesOf = new Map(
    read.flatMap((found) => (found === null ? [] : [[found[1] ?? '', found[2] ?? ''] as const])),
  )
  if (bad.length > 0 || prefixesOf.size === 0)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${bad.join(';').trim() || 'an empty list'} is not serviceName=NAME rewrite=PATH; these paths are left out`,
      settings: { blockedBy: 'rewrites' },
    }
  const texts = [...prefixesOf].map(([service, path]) => `the path of ${service} becomes ${path}`)
  return converted({ prefixesOf }, texts.join('; '))
}

/** F5 refuses any other value; `true` is how users of ingress-nginx write it. */
function pathRegex(value: string): Effect {
  if (value === 'true')
    return approximate('warn', { pathExpressions: 'case-sensitive' }, 'true is read as case_sensitive; F5 refuses it')
  const pathExpressions = ownEntry(EXPRESSIONS, value)
  if (pathExpressions === undefined) return refused(value, Object.keys(EXPRESSIONS).join(', '))
  return converted({ pathExpressions }, `the paths are ${value === 'exact' ? 'exact' : 'regular expressions'}`)
}

function hideHeaders(value: string): Effect {
  const remove = readList(value.toLowerCase())
  const response = { set: {}, add: {}, remove }
  return converted({ headerChanges: { request: EMPTY, response } }, `${remove.join(', ')} is removed from responses`)
}

const EMPTY = { set: {}, add: {}, remove: [] }

/** Reads `X-Team: a, X-User`. A header without a value is passed on from the client, which the gateway does anyway. */
function setHeaders(value: string): Effect {
  const pairs = readList(value).map((text) => text.split(':').map((part) => part.trim()))
  const set = Object.fromEntries(
    pairs.flatMap(([name = '', text]) => (text === undefined ? [] : [[name.toLowerCase(), text] as const])),
  )
  const values = Object.values(set)
  if (values.some((text) => /[$%\p{Cc}]/u.test(text)))
    return { outcome: 'unsupported', level: 'error', message: `${value}: nginx variables have no equivalent` }
  if (values.length === 0) return { outcome: 'not-needed', level: 'info', message: 'the gateway passes headers on' }
  return converted({ headerChanges: { request: { set, add: {}, remove: [] }, response: EMPTY } }, 'request headers')
}

function hsts(_: string, { sibling }: AnnotationPlace): Effect {
  const seconds = readWhole(sibling('hsts-max-age')) ?? 2592000
  const suffix = readFlag(sibling('hsts-include-subdomains') ?? '') === true ? '; includeSubDomains' : ''
  const set = { 'strict-transport-security': `max-age=${seconds}${suffix}` }
  return converted({ headerChanges: { request: EMPTY, response: { set, add: {}, remove: [] } } }, 'a response header')
}
