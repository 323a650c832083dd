/** Apache APISIX's ingress controller (docs/facts/other-ingress-controllers.md#apisix). */
import { ownEntry } from '../../kubernetes/json.ts'
import type { RedirectCode } from '../model/ingress-settings.ts'
import { asNginx, BACKEND_LIMIT, backendScheme, PASSWORD } from './as-nginx.ts'
import {
  beside,
  claimsHttpsRedirect,
  converted,
  notNeeded,
  refused,
  unsupported,
  whenTrue,
  type AnnotationPlace,
  type AnnotationTable,
  type Effect,
} from './entry.ts'

const AUTH = unsupported(
  'error',
  'SECURITY: the routes are no longer authenticated; put an external authorization service in front (CUSTOM AuthorizationPolicy)',
)

const METHODS = unsupported(
  'error',
  'SECURITY: requests of every method reach the routes: match method in the VirtualService',
)

const CORS = unsupported('warn', 'no CORS policy is generated: set corsPolicy of the route')

const REWRITE = unsupported('error', 'the path is not rewritten: recreate it with rewrite of the VirtualService')

/** `k8s.apisix.apache.org/` */
export const APISIX: AnnotationTable = {
  'http-to-https': whenTrue(() => claimsHttpsRedirect('plain requests are redirected (308; APISIX answers 301)')),
  'http-redirect': (value, place) => httpRedirect(value, place),
  'http-redirect-code': beside('http-redirect', notNeeded('part of http-redirect')),
  'allowlist-source-range': asNginx('allowlist-source-range'),
  'blocklist-source-range': asNginx('denylist-source-range'),
  'http-allow-methods': METHODS,
  'http-block-methods': METHODS,
  'auth-type': PASSWORD,
  'auth-uri': AUTH,
  'auth-ssl-verify': AUTH,
  'auth-request-headers': AUTH,
  'auth-upstream-headers': AUTH,
  'auth-client-headers': AUTH,
  'enable-csrf': whenTrue(unsupported('error', 'SECURITY: the routes are no longer protected from forged requests')),
  'csrf-key': unsupported('error', 'SECURITY: the routes are no longer protected from forged requests'),
  'use-regex': whenTrue(() => ({
    outcome: 'unsupported',
    level: 'error',
    message: 'its paths are regular expressions of APISIX; these paths are left out',
    settings: { blockedBy: 'use-regex' },
  })),
  'rewrite-target': REWRITE,
  'rewrite-target-regex': REWRITE,
  'rewrite-target-regex-template': REWRITE,
  'enable-cors': whenTrue(CORS),
  'cors-allow-origin': beside('enable-cors', CORS),
  'cors-allow-headers': beside('enable-cors', CORS),
  'cors-allow-methods': beside('enable-cors', CORS),
  'enable-websocket': notNeeded('websockets work on every route'),
  'upstream-scheme': backendScheme((value) => refused(value, 'http, https, grpc or grpcs')),
  'upstream-retries': unsupported('warn', "Istio's default is two retries: retries of the route"),
  'upstream-connect-timeout': BACKEND_LIMIT,
  'upstream-read-timeout': BACKEND_LIMIT,
  'upstream-send-timeout': BACKEND_LIMIT,
  'plugin-config-name': unsupported(
    'error',
    'SECURITY: plugins may authenticate, limit or rewrite; none of them is converted: recreate each one in Istio',
  ),
  'svc-namespace': unsupported(
    'error',
    'the Services are in another namespace: the routes lead to the one of the Ingress',
  ),
}

const CODES: Readonly<Record<string, RedirectCode>> = { '301': 301, '302': 302, '303': 303, '307': 307, '308': 308 }

/** A redirect to a path. APISIX' variables in it have no equivalent. */
function httpRedirect(value: string, { sibling }: AnnotationPlace): Effect {
  const code = ownEntry(CODES, sibling('http-redirect-code') ?? '302')
  if (code === undefined || !/^\/[^$]*$/.test(value))
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `${value} with ${sibling('http-redirect-code') ?? '302'} cannot be a redirect of Istio: a path without variables, and one of ${Object.keys(CODES).join(', ')}; these paths are left out`,
      settings: { blockedBy: 'http-redirect' },
    }
  return converted(
    { redirect: { scheme: undefined, authority: undefined, path: value, code } },
    `redirects with ${code}`,
  )
}
