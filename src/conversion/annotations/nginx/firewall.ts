/** ingress-nginx: its web application firewall, ModSecurity. */
import { partOf, unsupported, whenTrue, type AnnotationTable } from '../entry.ts'
import { nginxTable } from './guard.ts'

const WAF =
  'SECURITY: there is no web application firewall in the gateway; a WasmPlugin (Coraza) or a firewall in front can be one'

export const NGINX_FIREWALL: AnnotationTable = nginxTable({
  'enable-modsecurity': whenTrue(unsupported('error', WAF)),
  'enable-owasp-core-rules': whenTrue(unsupported('error', WAF)),
  'modsecurity-snippet': unsupported('error', WAF),
  'modsecurity-transaction-id': partOf('enable-modsecurity'),
})
