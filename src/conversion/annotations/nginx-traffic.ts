/** ingress-nginx: how requests are carried, balanced, limited and logged (docs/facts/ingress-nginx.md). */
import type { ConsistentHash } from '../model/ingress-settings.ts'
import { serviceOf } from '../model/service-host.ts'
import {
  beside,
  approximate,
  checkedPart,
  converted,
  notNeeded,
  partOf,
  readWhole,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from './annotation-entry.ts'
import { readSnippet } from './nginx-snippet.ts'
import { nginxTable } from './nginx-table.ts'

const IDLE =
  'a timer between two reads or writes; Istio has no time limit of its own, so that long requests work as they are'
const BUFFER = "Envoy's buffers need no setting"
const LOGS = "access logs are the mesh's: Telemetry, meshConfig.accessLogFile"
const TRACES = "traces are the mesh's: Telemetry, meshConfig.defaultConfig.tracing"
const COOKIES = 'cookies are passed on as the application sets them'
const LOCATIONS = 'Location headers of the application are not rewritten'
const FCGI = 'FastCGI backends cannot be reached through Envoy: put an HTTP front end into the pod'
const SECONDS = 'a whole number of seconds'
const COOKIE = 'the cookie that Envoy sets has no such attribute'

export const NGINX_TRAFFIC: AnnotationTable = nginxTable({
  'proxy-read-timeout': notNeeded(IDLE),
  'proxy-send-timeout': notNeeded(IDLE),
  'proxy-connect-timeout': connectTimeout,
  'proxy-body-size': notNeeded(
    'raises or lowers a limit of nginx (1m) that Envoy has not; to keep one, a platform team can add an EnvoyFilter with a buffer',
  ),
  'client-body-buffer-size': notNeeded(BUFFER),
  'proxy-buffering': notNeeded(BUFFER),
  'proxy-buffers-number': notNeeded(BUFFER),
  'proxy-buffer-size': notNeeded(BUFFER),
  'proxy-busy-buffers-size': notNeeded(BUFFER),
  'proxy-max-temp-file-size': notNeeded(BUFFER),
  'proxy-request-buffering': notNeeded('Envoy streams requests'),
  'proxy-http-version': notNeeded('Envoy speaks HTTP/1.1, or HTTP/2 where the port says so'),
  'connection-proxy-header': notNeeded('Envoy keeps connections to backends by itself'),
  'proxy-next-upstream': (_, place) => retries(place),
  'proxy-next-upstream-tries': tries,
  'proxy-next-upstream-timeout': checkedPart('proxy-next-upstream', isWhole, SECONDS),
  'proxy-cookie-domain': unlessOff(unsupported('warn', COOKIES)),
  'proxy-cookie-path': unlessOff(unsupported('warn', COOKIES)),
  'proxy-redirect-from': unlessOff(unsupported('warn', LOCATIONS)),
  'proxy-redirect-to': unlessOff(unsupported('warn', LOCATIONS)),
  'x-forwarded-prefix': (value) =>
    /\p{Cc}/u.test(value)
      ? { outcome: 'unsupported', level: 'warn', message: 'is no header value' }
      : value.includes('$')
        ? { outcome: 'unsupported', level: 'warn', message: 'groups of the path cannot be put into a header' }
        : converted({ headerChanges: { request: { 'x-forwarded-prefix': value }, response: {} } }, 'a request header'),
  'custom-headers': unsupported(
    'warn',
    'the ConfigMap is not read: put its headers into headers.response.set of the route',
  ),
  'configuration-snippet': readSnippet,
  'server-snippet': unsupported(
    'error',
    'it may do anything to the whole host; what it does has to be said again in Istio, an EnvoyFilter at worst',
  ),
  'stream-snippet': unsupported('error', 'TCP routes are a Gateway server and a VirtualService with tcp'),
  'fastcgi-index': unsupported('warn', FCGI),
  'fastcgi-params-configmap': unsupported('warn', FCGI),
  'mirror-target': mirrorTarget,
  'mirror-uri': unsupported('warn', 'only mirror-target names where to'),
  'mirror-host': beside(
    'mirror-target',
    unsupported('warn', "the mirror gets the request's Host with -shadow behind it"),
  ),
  'mirror-request-body': beside('mirror-target', (value, place) =>
    value === 'off'
      ? unsupported('warn', 'the mirror gets the body, too')(value, place)
      : partOf('mirror-target')(value, place),
  ),
  affinity: affinity,
  'affinity-mode': partOf('affinity'),
  'affinity-canary-behavior': partOf('affinity'),
  'session-cookie-name': partOf('affinity'),
  'session-cookie-path': partOf('affinity'),
  'session-cookie-max-age': checkedPart('affinity', isWhole, SECONDS),
  'session-cookie-expires': checkedPart('affinity', isWhole, SECONDS),
  'session-cookie-hash': notNeeded('Envoy hashes by itself'),
  'session-cookie-domain': unsupported('warn', COOKIE),
  'session-cookie-samesite': unsupported('warn', COOKIE),
  'session-cookie-secure': unsupported('warn', COOKIE),
  'session-cookie-partitioned': unsupported('warn', COOKIE),
  'session-cookie-conditional-samesite-none': unsupported('warn', COOKIE),
  'session-cookie-change-on-failure': notNeeded('Envoy picks another backend where the one is gone'),
  'upstream-hash-by': hashBy,
  'upstream-hash-by-subset': whenTrue(
    unsupported('warn', 'subsets of backends have no equal; each key has one backend'),
  ),
  'upstream-hash-by-subset-size': partOf('upstream-hash-by-subset'),
  'load-balance': loadBalance,
  'ssl-ciphers': unsupported('warn', "ciphers are set at the Gateway's server, for all of its hosts: tls.cipherSuites"),
  'ssl-prefer-server-ciphers': notNeeded("Envoy prefers the server's order"),
  'http2-push-preload': notNeeded('browsers no longer take pushes'),
  'enable-access-log': notNeeded(LOGS),
  'enable-rewrite-log': notNeeded(LOGS),
  'enable-opentelemetry': notNeeded(TRACES),
  'opentelemetry-operation-name': notNeeded(TRACES),
  'opentelemetry-trust-incoming-span': notNeeded(TRACES),
  'enable-opentracing': notNeeded(TRACES),
  'opentracing-trust-incoming-span': notNeeded(TRACES),
  'enable-influxdb': notNeeded('ingress-nginx itself dropped it'),
  'influxdb-measurement': partOf('enable-influxdb'),
  'influxdb-port': partOf('enable-influxdb'),
  'influxdb-host': partOf('enable-influxdb'),
  'influxdb-server-name': partOf('enable-influxdb'),
})

function connectTimeout(value: string): Effect {
  const seconds = readWhole(value.replace(/s$/, ''), 1)
  if (seconds === undefined) return refused(value, SECONDS)
  return converted({ connection: { connectTimeoutSeconds: seconds } }, 'connectTimeout of a DestinationRule')
}

function isWhole(value: string): boolean {
  return readWhole(value) !== undefined
}

function tries(value: string, place: AnnotationPlace): Effect {
  if (!isWhole(value)) return refused(value, 'a whole number')
  return place.sibling('proxy-next-upstream') === undefined
    ? retries(place)
    : partOf('proxy-next-upstream')(value, place)
}

/** nginx' conditions in Envoy's words; what Envoy cannot tell apart falls together. */
const RETRY_ON: Readonly<Record<string, string>> = {
  error: 'connect-failure,reset',
  timeout: 'connect-failure',
  invalid_header: 'reset',
  http_500: '500',
  http_502: '502',
  http_503: '503',
  http_504: '504',
  http_403: '403',
  http_404: '404',
  http_429: '429',
}

function retries({ sibling, target }: AnnotationPlace): Effect {
  if (target === 'gateway-api')
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: "retries of a route are not in Gateway API's standard channel; --to istio has them",
    }
  const conditions = (sibling('proxy-next-upstream') ?? 'error timeout').split(/[\s,]+/).filter((word) => word !== '')
  const tries = readWhole(sibling('proxy-next-upstream-tries')) ?? 3
  if (conditions.includes('off') || tries === 1)
    return converted(
      { retries: { attempts: 0, on: '', perTryTimeoutSeconds: undefined } },
      'no retries, where Istio has two by default',
    )
  const unknown = conditions.filter((word) => RETRY_ON[word] === undefined && word !== 'non_idempotent')
  if (unknown.length > 0)
    return refused(unknown.join(' '), `${Object.keys(RETRY_ON).join(', ')}, non_idempotent or off`)
  const on = [...new Set(conditions.flatMap((word) => (RETRY_ON[word] ?? '').split(',')))]
    .filter((word) => word !== '')
    .join(',')
  const perTryTimeoutSeconds = readWhole(sibling('proxy-next-upstream-timeout'), 1)
  const attempts = tries === 0 ? 3 : tries - 1
  return approximate(
    'info',
    { retries: { attempts, on, perTryTimeoutSeconds } },
    'retries; Envoy also repeats requests that are not idempotent, and its time limit counts for each try',
  )
}

/** `off` and `default` leave headers of the application as they are. */
function unlessOff(entry: Entry): Entry {
  return (value, place) =>
    ['off', 'default'].includes(value)
      ? notNeeded('headers are passed on as they are')(value, place)
      : entry(value, place)
}

/** `https://mirror.example.com$request_uri` */
function mirrorTarget(value: string, { gateway }: AnnotationPlace): Effect {
  const text = value.replace(/\$request_uri$/, '')
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || text.includes('$') || !/^https?:$/.test(url.protocol))
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: `${value}: a mirror has to be an http(s) URL that ends in $request_uri`,
    }
  const usesTls = url.protocol === 'https:'
  const mirror = {
    host: url.hostname,
    port: Number(url.port) || (usesTls ? 443 : 80),
    service: serviceOf(url.hostname, gateway.clusterDomain),
    usesTls,
  }
  const lost = [url.pathname === '/' ? '' : url.pathname, url.search].join('')
  const message = 'a mirror; it gets the Host of the request with -shadow behind it'
  if (lost === '') return approximate('info', { mirror }, message)
  return approximate('warn', { mirror }, `${message}, and the path of the request without ${lost} before it`)
}

function affinity(value: string, { sibling }: AnnotationPlace): Effect {
  if (value !== 'cookie') return refused(value, 'cookie')
  const hash: ConsistentHash = {
    kind: 'cookie',
    name: sibling('session-cookie-name') ?? 'INGRESSCOOKIE',
    path: sibling('session-cookie-path'),
    ttlSeconds: readWhole(sibling('session-cookie-max-age')) ?? readWhole(sibling('session-cookie-expires')) ?? 0,
  }
  return approximate(
    'info',
    { connection: { hash } },
    'consistentHash by that cookie: sessions move when backends come and go',
  )
}

/** The variables that have an equal; `$request_uri` and combinations have none. */
function hashBy(value: string): Effect {
  const variable = value.replace(/^\$\{(\w+)\}$/, '$$$1')
  const header = /^\$http_(\w+)$/.exec(variable)?.[1]
  const argument = /^\$arg_(\w+)$/.exec(variable)?.[1]
  const cookie = /^\$cookie_(\w+)$/.exec(variable)?.[1]
  const hash: ConsistentHash | undefined =
    header !== undefined
      ? { kind: 'header', name: header.replaceAll('_', '-') }
      : variable === '$host' || variable === '$http_host'
        ? { kind: 'header', name: ':authority' }
        : argument !== undefined
          ? { kind: 'query', name: argument }
          : cookie !== undefined
            ? { kind: 'cookie', name: cookie, path: undefined, ttlSeconds: 0 }
            : ['$remote_addr', '$binary_remote_addr'].includes(variable)
              ? { kind: 'source-ip' }
              : undefined
  if (hash === undefined)
    return {
      outcome: 'unsupported',
      level: 'warn',
      message: `${value} has no equal: consistentHash takes a header, a query parameter, a cookie or the address`,
    }
  return approximate('info', { connection: { hash } }, 'consistentHash of a DestinationRule')
}

function loadBalance(value: string): Effect {
  if (value === 'round_robin') return converted({ connection: { balancer: 'ROUND_ROBIN' } }, 'a simple balancer')
  if (value === 'ewma')
    return approximate('info', { connection: { balancer: 'LEAST_REQUEST' } }, 'LEAST_REQUEST is the nearest')
  return refused(value, 'round_robin or ewma')
}
