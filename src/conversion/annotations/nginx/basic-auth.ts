/** ingress-nginx: passwords (docs/facts/ingress-nginx.md#passwords). */
import { partOf, refused, unsupported, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable } from './guard.ts'

const BASIC =
  'SECURITY: without it the routes have no password; neither Istio nor Envoy checks basic or digest passwords: put an external authorization service in front (CUSTOM AuthorizationPolicy), or use RequestAuthentication'

export const NGINX_BASIC_AUTH: AnnotationTable = nginxTable({
  'auth-type': unsupported('error', BASIC),
  'auth-secret': partOf('auth-type'),
  'auth-secret-type': partOf('auth-type'),
  'auth-realm': partOf('auth-type'),
  satisfy: satisfy,
})

function satisfy(value: string): Effect {
  if (value === 'all') return { outcome: 'not-needed', level: 'info', message: 'policies always all count' }
  if (value !== 'any') return refused(value, 'any or all')
  return {
    outcome: 'unsupported',
    level: 'error',
    message:
      'one of address list and password sufficed; here both have to be met, so that some who came in no longer do',
  }
}
