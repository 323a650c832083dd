/** Where `--to gateway-api` is not what a case expects: held by the simulators (cases.test.ts) and by a real Envoy (requests.envoy.ts). */
export interface Deviation {
  readonly reason: string
  /** Requests that are answered differently. */
  readonly paths?: RegExp
  readonly verdict?: string
  readonly leavesOut?: readonly ('extra' | 'notifications')[]
}

const WHOLE_ELEMENTS = 'PathPrefix matches whole path elements; a plain prefix would need a regular expression'
const OWN_NAMESPACE = "cert-manager's annotations stay on the Gateway, which is in the Issuer's own namespace"

/** What Gateway API cannot say of a case, and why; everything else holds. A deviation that is not seen any more fails. */
export const DEVIATIONS: Readonly<Record<string, Deviation>> = {
  'istio-golden-simple': { reason: WHOLE_ELEMENTS, paths: /^\/regex1x$/ },
  'ngx-rewrite-capture': {
    reason: 'a captured rest can be cut off a PathPrefix only, which minds case',
    paths: /SOMETHING/,
    verdict: 'approximate',
  },
  'ngx-ssl-redirect-false': {
    reason: 'hosts of one certificate: a reused connection is answered 404 (wildcard-cases.ts)',
    verdict: 'approximate',
  },
  'ngx-rewrite-static': { reason: WHOLE_ELEMENTS, paths: /bar(x|baz)$|BAR/, verdict: 'approximate' },
  'ngx-implementation-specific-wild': { reason: WHOLE_ELEMENTS, paths: /testx$/, verdict: 'approximate' },
  'cm-namespaced-issuer': { reason: OWN_NAMESPACE, verdict: 'exact', leavesOut: ['extra', 'notifications'] },
  'cm-external-issuer': { reason: OWN_NAMESPACE, leavesOut: ['extra'] },
  'dns-ingress-hostname-source': {
    reason: 'external-dns has gateway-hostname-source for routes',
    verdict: 'approximate',
    leavesOut: ['notifications'],
  },
}
