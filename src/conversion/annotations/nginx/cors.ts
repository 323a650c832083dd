/** ingress-nginx: cross-origin requests (docs/facts/ingress-nginx.md#cors). */
import type { Target } from '../../model/conversion-options.ts'
import type { CorsPolicy } from '../../model/ingress-settings.ts'
import {
  approximate,
  checkedPart,
  converted,
  isInForce,
  partOf,
  readFlag,
  readList,
  readWhole,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
  type Entry,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

const ORIGINS: ListRule = {
  fits: {
    istio: /^(?:\*|[a-z][a-z0-9+.-]*:\/\/\S+)$/i,
    'gateway-api': /^(?:\*|https?:\/\/(?:(?:\*\.)?(?:[a-z0-9-]+\.)*[a-z0-9-]+|\*)(?::\d{1,5})?)$/i,
  },
  allowed: {
    istio: '* or an origin with its scheme, https://example.com',
    'gateway-api': '* or an origin of http or https, https://example.com:8443',
  },
}

const API_METHODS = 'GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE, PATCH or *'

const METHODS: ListRule = {
  fits: {
    istio: /^(?:\*|[\w-]+)$/,
    'gateway-api': /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|\*)$/,
  },
  allowed: { istio: 'a method', 'gateway-api': `${API_METHODS} (--to istio takes any)` },
}

const HEADER = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/

const HEADERS: ListRule = {
  fits: { istio: HEADER, 'gateway-api': HEADER },
  allowed: { istio: "a header's name", 'gateway-api': "a header's name" },
}

export const NGINX_CORS: AnnotationTable = nginxTable({
  'enable-cors': whenTrue(cors),
  'cors-allow-origin': listPart(ORIGINS),
  'cors-allow-methods': listPart(METHODS),
  'cors-allow-headers': listPart(HEADERS),
  'cors-expose-headers': listPart(HEADERS),
  'cors-allow-credentials': checkedPart('enable-cors', (value) => readFlag(value) !== undefined, 'true or false'),
  'cors-max-age': checkedPart('enable-cors', (value) => readWhole(value) !== undefined, 'a whole number of seconds'),
})

/** ingress-nginx' own defaults (annotations/cors/main.go). */
const CORS_DEFAULTS = {
  methods: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  headers:
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  maxAgeSeconds: 1728000,
}

/** The values that a list may contain; those of Gateway API are from its CRD. */
interface ListRule {
  readonly fits: Readonly<Record<Target, RegExp>>
  readonly allowed: Readonly<Record<Target, string>>
}

/**
 * A value that only Gateway API cannot express is an error, because browsers will refuse the response. A value that no
 * browser sends is a warning.
 */
function listPart(rule: ListRule): Entry {
  return (value, place) => {
    const bad = readList(value).filter((one) => !rule.fits[place.target].test(one))
    if (bad.length === 0 || !isInForce('enable-cors', place)) return partOf('enable-cors')(value, place)
    const message = `${bad.join(', ')} is left out of the CORS response; allowed is ${rule.allowed[place.target]}`
    return { outcome: 'unsupported', level: bad.some((one) => rule.fits.istio.test(one)) ? 'error' : 'warn', message }
  }
}

function cors(_: string, { sibling, target, hasCorsFilter }: AnnotationPlace): Effect {
  if (!hasCorsFilter)
    return {
      outcome: 'unsupported',
      level: 'error',
      message:
        'before version 1.5 only the experimental channel of Gateway API has the CORS filter: add --experimental if it is installed, or use --to istio',
    }
  const list = (rule: ListRule, value: string) => [
    ...new Set(readList(value).filter((one) => rule.fits[target].test(one))),
  ]
  const origins = list(ORIGINS, sibling('cors-allow-origin') ?? '*')
  const policy: CorsPolicy = {
    origins,
    methods: list(METHODS, sibling('cors-allow-methods') ?? CORS_DEFAULTS.methods),
    headers: list(HEADERS, sibling('cors-allow-headers') ?? CORS_DEFAULTS.headers),
    exposed: list(HEADERS, sibling('cors-expose-headers') ?? ''),
    allowsCredentials: readFlag(sibling('cors-allow-credentials') ?? 'true') ?? true,
    maxAgeSeconds: readWhole(sibling('cors-max-age')) ?? CORS_DEFAULTS.maxAgeSeconds,
  }
  if (origins.length === 0)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: 'no valid origin remains in cors-allow-origin, so no CORS policy is generated',
    }
  const wider = target === 'gateway-api' ? origins.filter((origin) => origin.includes('://*.')) : []
  if (wider.length > 0)
    return approximate(
      'warn',
      { cors: policy },
      `SECURITY: ${wider.join(', ')} is one label in ingress-nginx and any number in Gateway API, so a.b.example.com may call where *.example.com is written; list the origins, or use --to istio`,
    )
  if (!origins.includes('*') || !policy.allowsCredentials) return converted({ cors: policy }, 'a corsPolicy')
  return approximate(
    'warn',
    { cors: policy },
    'any origin with credentials: every origin is reflected; narrow cors-allow-origin',
  )
}
