/** ingress-nginx: CORS (spec/ingress.md 2.4, row 10). */
import type { CorsPolicy } from '../ingress-settings.ts'
import {
  approximate,
  converted,
  partOf,
  readFlag,
  readList,
  readWhole,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from './annotation-entry.ts'
import { nginxTable } from './nginx-table.ts'

/** ingress-nginx' own defaults (annotations/cors/main.go). */
const CORS_DEFAULTS = {
  methods: 'GET, PUT, POST, DELETE, PATCH, OPTIONS',
  headers:
    'DNT,Keep-Alive,User-Agent,X-Requested-With,If-Modified-Since,Cache-Control,Content-Type,Range,Authorization',
  maxAgeSeconds: 1728000,
}

export const NGINX_CORS: AnnotationTable = nginxTable({
  'enable-cors': whenTrue(cors),
  'cors-allow-origin': partOf('enable-cors'),
  'cors-allow-methods': partOf('enable-cors'),
  'cors-allow-headers': partOf('enable-cors'),
  'cors-expose-headers': partOf('enable-cors'),
  'cors-allow-credentials': partOf('enable-cors'),
  'cors-max-age': partOf('enable-cors'),
})

function cors(_: string, { sibling }: AnnotationPlace): Effect {
  const origins = readList(sibling('cors-allow-origin') ?? '*')
  const policy: CorsPolicy = {
    origins,
    methods: readList(sibling('cors-allow-methods') ?? CORS_DEFAULTS.methods),
    headers: readList(sibling('cors-allow-headers') ?? CORS_DEFAULTS.headers),
    exposed: readList(sibling('cors-expose-headers') ?? ''),
    allowsCredentials: readFlag(sibling('cors-allow-credentials') ?? 'true') ?? true,
    maxAgeSeconds: readWhole(sibling('cors-max-age')) ?? CORS_DEFAULTS.maxAgeSeconds,
  }
  if (!origins.includes('*') || !policy.allowsCredentials) return converted({ cors: policy }, 'a corsPolicy')
  return approximate(
    'warn',
    { cors: policy },
    'any origin with credentials: every origin is reflected; narrow cors-allow-origin',
  )
}
