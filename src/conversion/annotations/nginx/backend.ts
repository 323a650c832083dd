/** ingress-nginx: the protocol of backends, and fallbacks for them (docs/facts/ingress-nginx.md#backends). */
import type { BackendTls } from '../../model/ingress-settings.ts'
import {
  approximate,
  checkedPart,
  notNeeded,
  partOf,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from '../entry.ts'
import { nginxTable } from './guard.ts'

const FCGI = 'FastCGI backends cannot be reached through Envoy: add an HTTP server to the pod'

export const NGINX_BACKEND: AnnotationTable = nginxTable({
  'backend-protocol': backendProtocol,
  'secure-backends': whenTrue((_, place) => backendProtocol('HTTPS', place)),
  'grpc-backend': whenTrue((_, place) => backendProtocol('GRPC', place)),
  'proxy-ssl-secret': partOf('backend-protocol'),
  'proxy-ssl-name': partOf('backend-protocol'),
  'proxy-ssl-server-name': checkedPart('backend-protocol', isOnOrOff, 'on or off'),
  'proxy-ssl-verify': checkedPart('backend-protocol', isOnOrOff, 'on or off'),
  'proxy-ssl-verify-depth': notNeeded('Envoy checks the whole chain'),
  'proxy-ssl-ciphers': unsupported('warn', 'the gateway uses its own ciphers towards backends'),
  'proxy-ssl-protocols': unsupported('warn', 'the gateway uses its own TLS versions towards backends'),
  'fastcgi-index': unsupported('warn', FCGI),
  'fastcgi-params-configmap': unsupported('warn', FCGI),
  'default-backend': unsupported(
    'warn',
    'Istio has no backend for Services without endpoints and answers 503: handle the fallback in the application',
  ),
  'custom-http-errors': unsupported(
    'warn',
    'the gateway passes responses on unchanged, so error pages must come from the application',
  ),
  'disable-proxy-intercept-errors': notNeeded('the gateway never intercepts errors'),
})

const GRPC =
  "name the Service's port grpc, or set appProtocol: grpc, so that the gateway speaks HTTP/2 to it; a route cannot configure this"

function isOnOrOff(value: string): boolean {
  return value === 'on' || value === 'off'
}

function backendProtocol(value: string, place: AnnotationPlace): Effect {
  switch (value.toUpperCase()) {
    case 'AUTO_HTTP':
      return autoProtocol(place)
    case 'HTTP':
      return { outcome: 'not-needed', level: 'info', message: 'the gateway uses this protocol by default' }
    case 'HTTPS':
      return approximate(
        'warn',
        { connection: { tls: readBackendTls(place) } },
        `${tlsMessage(place)}; plain HTTP under the mesh's own mutual TLS is better`,
      )
    case 'GRPC':
      return approximate('warn', { isGrpc: true }, GRPC)
    case 'GRPCS':
      return approximate(
        'warn',
        { isGrpc: true, connection: { tls: readBackendTls(place) } },
        `${GRPC}; ${tlsMessage(place)}`,
      )
    case 'FCGI':
    case 'AJP':
      return {
        outcome: 'unsupported',
        level: 'error',
        message: `${value} backends cannot be reached through Envoy: add an HTTP server to the pod`,
      }
    default:
      return refused(value, 'HTTP, HTTPS, AUTO_HTTP, GRPC, GRPCS or FCGI')
  }
}

/** nginx uses the client's protocol for the backend (`buildProxyPass` in ingress-nginx' template.go). */
function autoProtocol({ ingress }: AnnotationPlace): Effect {
  if (ingress.tls.length === 0)
    return { outcome: 'not-needed', level: 'info', message: 'the gateway speaks HTTP to it, as ingress-nginx for HTTP' }
  const message =
    'ingress-nginx speaks HTTPS to the backend for requests that came over HTTPS; the gateway always speaks HTTP. If the port of the Service speaks TLS only, use backend-protocol: HTTPS'
  return { outcome: 'unsupported', level: 'warn', message }
}

/** By default nginx verifies no certificate and sends no server name. */
function readBackendTls({ ingress, sibling }: AnnotationPlace): BackendTls {
  const secret = sibling('proxy-ssl-secret')
  return {
    verifies: sibling('proxy-ssl-verify') === 'on',
    serverName:
      sibling('proxy-ssl-server-name') === 'on' || sibling('proxy-ssl-verify') === 'on'
        ? sibling('proxy-ssl-name')
        : undefined,
    secret: secret === undefined || secret.includes('/') ? secret : `${ingress.namespace}/${secret}`,
  }
}

function tlsMessage({ sibling }: AnnotationPlace): string {
  const how = sibling('proxy-ssl-verify') === 'on' ? 'verified TLS' : 'TLS that is not verified, as in ingress-nginx'
  return `a DestinationRule makes the gateway speak ${how} to the port itself; under STRICT mutual TLS, keep the port PERMISSIVE`
}
