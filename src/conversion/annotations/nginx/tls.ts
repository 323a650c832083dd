/** ingress-nginx: TLS towards clients, and client certificates (docs/facts/ingress-nginx.md#tls). */
import {
  approximate,
  beside,
  checkedPart,
  converted,
  notNeeded,
  readWhole,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

export const NGINX_TLS: AnnotationTable = nginxTable({
  'auth-tls-secret': clientCertificate,
  'auth-tls-verify-client': checkedPart(
    'auth-tls-secret',
    (value) => ['on', 'off', 'optional', 'optional_no_ca'].includes(value),
    'on, off, optional or optional_no_ca',
  ),
  'auth-tls-verify-depth': checkedPart('auth-tls-secret', (value) => readWhole(value) !== undefined, 'a whole number'),
  'auth-tls-match-cn': beside(
    'auth-tls-secret',
    unsupported(
      'error',
      "SECURITY: the name in the client's certificate is not checked; an AuthorizationPolicy can look at x-forwarded-client-cert",
    ),
  ),
  'auth-tls-error-page': beside('auth-tls-secret', unsupported('warn', 'a failed TLS handshake cannot show a page')),
  'auth-tls-pass-certificate-to-upstream': beside(
    'auth-tls-secret',
    unsupported(
      'warn',
      'the gateway sends x-forwarded-client-cert in place of ssl-client-cert, once forwardClientCertDetails of gatewayTopology asks for it',
    ),
  ),
  'ssl-passthrough': whenTrue(() =>
    converted(
      { isPassthrough: true },
      'TLS is passed through by server name; no other annotation of the host has an effect, as in ingress-nginx',
    ),
  ),
  'ssl-ciphers': unsupported('warn', "ciphers are set at the Gateway's server, for all of its hosts: tls.cipherSuites"),
  'ssl-prefer-server-ciphers': notNeeded("Envoy prefers the server's order"),
  'http2-push-preload': notNeeded('browsers no longer support HTTP/2 push'),
})

/** `off` requests no certificate. `optional_no_ca` accepts any certificate, a mode that Istio does not have. */
function clientCertificate(value: string, { ingress, sibling }: AnnotationPlace): Effect {
  const verify = sibling('auth-tls-verify-client') ?? 'on'
  const secret = value.includes('/') ? value : `${ingress.namespace}/${value}`
  if (verify === 'off') return { outcome: 'not-needed', level: 'info', message: 'auth-tls-verify-client is off' }
  if (verify === 'optional_no_ca')
    return {
      outcome: 'unsupported',
      level: 'error',
      message:
        'SECURITY: optional_no_ca accepts any certificate; Istio has no such mode, and the gateway asks for no certificate',
    }
  const settings = { clientCertificate: { secret, isOptional: verify === 'optional' } }
  const message = `the gateway asks for a client certificate; it reads the CA of ${secret} from a secret in its own namespace, see spec.tls; a failed check ends the handshake, nginx answered 400`
  return { ...approximate('warn', settings, message), claim: 'client-certificate' }
}
