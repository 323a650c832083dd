/** ingress-nginx: its web application firewall, ModSecurity. */
import { partOf, unsupported, whenTrue, type AnnotationTable } from '../entry.ts'
import { nginxTable } from './guard.ts'

const WAF =
  'SECURITY: the gateway has no web application firewall; add one as a WasmPlugin (Coraza), or in front of the gateway'

export const NGINX_FIREWALL: AnnotationTable = nginxTable({
  'enable-modsecurity': whenTrue(unsupported('error', WAF)),
  'enable-owasp-core-rules': whenTrue(unsupported('error', WAF)),
  'modsecurity-snippet': unsupported('error', WAF),
  'modsecurity-transaction-id': partOf('enable-modsecurity'),
})
