/**
 * Annotations of an Ingress that the printed Gateway and VirtualService do not carry. Until the whole registry of
 * spec/ingress.md 2.4 is there, everything that is not known to be harmless is named.
 */

/** Carry nothing that a route could lose. */
const HARMLESS = [
  /^kubernetes\.io\/ingress\.class$/,
  /^kubectl\.kubernetes\.io\//,
  /^meta\.helm\.sh\//,
  /^istio-onramp\.io\//,
  /^argocd\.argoproj\.io\//,
  /^nginx\.ingress\.kubernetes\.io\/ssl-redirect$/,
]

/** These change what a path means or where it goes, so that no route can be printed without them. */
const ROUTING: readonly (readonly [string, string])[] = [
  ['nginx.ingress.kubernetes.io/rewrite-target', 'rewrite-target makes every path of the host a regular expression'],
  ['nginx.ingress.kubernetes.io/use-regex', 'use-regex makes every path of the host a regular expression'],
  ['nginx.ingress.kubernetes.io/canary', 'a canary needs its main Ingress'],
  ['nginx.ingress.kubernetes.io/ssl-passthrough', 'ssl-passthrough ends TLS in the application'],
  ['nginx.ingress.kubernetes.io/permanent-redirect', 'the host is redirected'],
  ['nginx.ingress.kubernetes.io/temporal-redirect', 'the host is redirected'],
  ['nginx.ingress.kubernetes.io/server-snippet', 'a server-snippet may route anything'],
]

const LOSSES: readonly (readonly [RegExp, string])[] = [
  [/^nginx\.ingress\.kubernetes\.io\/auth-/, 'the routes would be left without their authentication'],
  [
    /^nginx\.ingress\.kubernetes\.io\/(whitelist|denylist|allowlist)-source-range$/,
    'the routes would be open to every address',
  ],
  [/^cert-manager\.io\//, "the certificate has to be issued by a Certificate in the gateway's namespace"],
  [/^acme\.cert-manager\.io\//, "the certificate has to be issued by a Certificate in the gateway's namespace"],
  [/^external-dns\.alpha\.kubernetes\.io\//, 'put it on the VirtualService'],
]

/** Why no route of the Ingress can be printed; undefined where all can. */
export function changesRouting(annotations: ReadonlyMap<string, string>): string | undefined {
  return ROUTING.find(([key]) => (annotations.get(key) ?? 'false') !== 'false')?.[1]
}

/** `KEY (what losing it means)`; undefined for an annotation that loses nothing. */
export function annotationConcern(key: string): string | undefined {
  if (HARMLESS.some((pattern) => pattern.test(key))) return undefined
  const loss = LOSSES.find(([pattern]) => pattern.test(key))
  return `annotation ${key}${loss === undefined ? '' : ` (${loss[1]})`}`
}
