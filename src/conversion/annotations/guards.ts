/** Controllers whose annotations are not known individually. */
import { unsupported, type Entry } from './entry.ts'

/** Prefixes of other controllers. */
export const OTHER_PREFIXES = [
  'ingress.pomerium.io/',
  'zalando.org/',
  'getambassador.io/',
  'higress.io/',
  'ingress.citrix.com/',
  'ingress.voyagermesh.com/',
  'k8s.ngrok.com/',
  'bfe.ingress.kubernetes.io/',
  'ingress.bluemix.net/',
] as const

const GUARD = unsupported(
  'error',
  'SECURITY: it may contain authentication, address lists or other policies, which are not converted: recreate them in Istio',
)

const TLS = unsupported(
  'error',
  'SECURITY: it may decide over TLS or over which requests are served, which is not converted: recreate it in Istio',
)

const REWRITE = unsupported(
  'error',
  'it changes paths in a way that is not converted: recreate it in the VirtualService',
)

/** Reports every annotation that may protect the routes as an error. */
export const GUARD_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [
    /(auth|jwt|oidc|plugin|polic|protect|waf|allow|deny|block|whitelist|secret|snippet|filter|config|middleware)/,
    () => GUARD,
  ],
  [/(https|ssl|tls|cert|sni|protocol|method)/, () => TLS],
  [/(rewrite|strip-path|regex)/, () => REWRITE],
]
