/** The CORS policy of a VirtualService. */
import { defined } from '../../../kubernetes/json.ts'
import type { CorsPolicy as CorsSettings } from '../../model/ingress-settings.ts'
import { escapeRegex } from '../../model/regular-expression.ts'

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#CorsPolicy */
export type CorsPolicy = {
  readonly allowOrigins: readonly OriginMatch[]
  readonly allowMethods: readonly string[]
  readonly allowHeaders: readonly string[]
  readonly exposeHeaders?: readonly string[]
  readonly allowCredentials: boolean
  readonly maxAge: string
}

type OriginMatch = { readonly exact: string } | { readonly regex: string }

export function corsOf(cors: CorsSettings | undefined): CorsPolicy | undefined {
  if (cors === undefined) return undefined
  return defined({
    allowOrigins: cors.origins.map(originMatch),
    allowMethods: cors.methods,
    allowHeaders: cors.headers,
    exposeHeaders: cors.exposed.length === 0 ? undefined : cors.exposed,
    allowCredentials: cors.allowsCredentials,
    maxAge: `${cors.maxAgeSeconds}s`,
  })
}

function originMatch(origin: string): OriginMatch {
  if (origin === '*') return { regex: '.*' }
  return origin.includes('*') ? { regex: origin.split('*').map(escapeRegex).join('[^.]+') } : { exact: origin }
}
