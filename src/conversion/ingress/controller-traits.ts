/**
 * How controllers differ about an Ingress without annotations. Everything else that only one controller means is in its
 * file under `annotations/`.
 */
import type { ControllerClass } from './controller-class.ts'

export interface ControllerTraits {
  /** How a path of type ImplementationSpecific matches (docs/facts/istio-gateway.md#path-types). */
  readonly implementationSpecific: 'text-prefix' | 'elements' | 'wildcards' | 'trailing-wildcard'
  /** Why its own match of such a path may differ from the converted one. */
  readonly matchWarning?: { readonly kind: 'prefix' | 'elements'; readonly text: (path: string) => string }
  /** Why a `*` inside a path is refused. */
  readonly innerWildcardProblem?: string
  /** A regular expression among the paths of a host turns all of them into regular expressions. */
  readonly hasRegexHosts: boolean
  /** Paths that are marked as regular expressions are tried in the order of the Ingress, not the longest first. */
  readonly triesExpressionsAsWritten: boolean
  /**
   * A path `/docs/` redirects requests for `/docs` (301), as nginx does for a location of a proxy
   * (https://nginx.org/en/docs/http/ngx_http_core_module.html#location).
   */
  readonly addsSlash: boolean
  /** A backend may name the target port of its Service. */
  readonly takesTargetPorts: boolean
  /** Plain requests to a host whose TLS is passed through reach its backend over TLS. */
  readonly servesPassedHostsPlain: boolean
  /** Hosts with TLS redirect to HTTPS unless an annotation disables it. Hosts without TLS do not. */
  readonly redirectsTlsHosts: boolean
  /** The name of a controller that serves hosts without `spec.tls` over HTTPS, with its default certificate. */
  readonly servesEveryHostByHttps?: string
  /** A TLS entry without a secret is served with a default certificate. */
  readonly hasDefaultCertificate: boolean
}

export function traitsOf(controller: ControllerClass): ControllerTraits {
  return TRAITS[controller]
}

/** No regular expressions, no redirect, a default certificate. */
const USUAL = {
  hasRegexHosts: false,
  triesExpressionsAsWritten: false,
  addsSlash: false,
  takesTargetPorts: false,
  redirectsTlsHosts: false,
  hasDefaultCertificate: true,
  servesPassedHostsPlain: false,
} as const

/**
 * Redirects: https://kubernetes.github.io/ingress-nginx/user-guide/tls/#server-side-https-enforcement-through-redirect.
 * Istio's own controller serves no HTTPS without a secret (istio/istio pilot/pkg/config/kube/ingress/conversion.go).
 */
const TRAITS: Readonly<Record<ControllerClass, ControllerTraits>> = {
  nginx: {
    ...USUAL,
    implementationSpecific: 'text-prefix',
    hasRegexHosts: true,
    addsSlash: true,
    takesTargetPorts: true,
    servesPassedHostsPlain: true,
    redirectsTlsHosts: true,
    servesEveryHostByHttps: 'ingress-nginx',
  },
  f5: {
    ...USUAL,
    triesExpressionsAsWritten: true,
    implementationSpecific: 'text-prefix',
    addsSlash: true,
    redirectsTlsHosts: true,
  },
  kong: { ...USUAL, implementationSpecific: 'text-prefix' },
  alb: { ...USUAL, implementationSpecific: 'wildcards' },
  gce: {
    ...USUAL,
    implementationSpecific: 'trailing-wildcard',
    innerWildcardProblem: 'Google Cloud allows * only at the end of a path, after a /',
  },
  istio: {
    ...USUAL,
    implementationSpecific: 'trailing-wildcard',
    hasDefaultCertificate: false,
    matchWarning: {
      kind: 'prefix',
      text: (path) =>
        `${path}x also matches, as the path says; Istio's own ingress controller matches whole path elements only`,
    },
  },
  traefik: {
    ...USUAL,
    implementationSpecific: 'elements',
    matchWarning: {
      kind: 'elements',
      text: (path) => `whole path elements match, as with Prefix; Traefik also matches ${path}x`,
    },
  },
  unknown: {
    ...USUAL,
    implementationSpecific: 'elements',
    hasRegexHosts: true,
    matchWarning: {
      kind: 'elements',
      text: () => 'whole path elements match, as with Prefix; its controller may match differently',
    },
  },
}
