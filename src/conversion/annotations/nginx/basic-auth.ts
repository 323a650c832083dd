/** ingress-nginx: passwords (docs/facts/ingress-nginx.md#passwords). */
import { partOf, refused, unsupported, type AnnotationTable, type Effect } from '../entry.ts'
import { nginxTable } from './guard.ts'

const BASIC =
  'SECURITY: the routes are no longer protected by a password; neither Istio nor Envoy checks basic or digest passwords: put an external authorization service in front (CUSTOM AuthorizationPolicy), or use RequestAuthentication'

export const NGINX_BASIC_AUTH: AnnotationTable = nginxTable({
  'auth-type': unsupported('error', BASIC),
  'auth-secret': partOf('auth-type'),
  'auth-secret-type': partOf('auth-type'),
  'auth-realm': partOf('auth-type'),
  satisfy: satisfy,
})

function satisfy(value: string): Effect {
  if (value === 'all') return { outcome: 'not-needed', level: 'info', message: 'all policies always apply' }
  if (value !== 'any') return refused(value, 'any or all')
  return {
    outcome: 'unsupported',
    level: 'error',
    message:
      'ingress-nginx accepted either the address or the password; here both are required, so some clients lose access',
  }
}
