/** The prefix of early controllers, which HAProxy's and Contour's controllers still read. */
import { asNginx, PASSWORD, sslRedirect } from './as-nginx.ts'
import { claimsHttpsRedirect, readFlag, unsupported, type AnnotationTable } from './entry.ts'

/** `ingress.kubernetes.io/ssl-redirect`, which F5's controller also reads. */
export const LEGACY_F5: AnnotationTable = { 'ssl-redirect': sslRedirect }

/** `ingress.kubernetes.io/`, the common ancestor of several prefixes. */
export const LEGACY: AnnotationTable = {
  'force-ssl-redirect': (value, place) =>
    readFlag(value) === true
      ? claimsHttpsRedirect('plain requests of hosts with TLS are redirected (308)')
      : sslRedirect(value, place),
  'ssl-redirect': sslRedirect,
  'whitelist-source-range': asNginx('allowlist-source-range'),
  'auth-type': PASSWORD,
  'auth-secret': PASSWORD,
  'rewrite-target': unsupported('error', 'the path is rewritten; use rewrite of the VirtualService'),
}
