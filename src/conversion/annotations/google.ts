/** The controller of Google Kubernetes Engine (docs/facts/other-ingress-controllers.md#google). */
import { claimsHttpsRedirect, foreign, notNeeded, platformStep, type AnnotationTable } from './entry.ts'
import { BALANCER, OFFLOADED } from './load-balancer.ts'

export const GCE_KUBERNETES: AnnotationTable = {
  'ingress.global-static-ip-name': BALANCER,
  'ingress.regional-static-ip-name': BALANCER,
  'ingress.allow-http': (value, place) =>
    value === 'false'
      ? claimsHttpsRedirect('plain requests are redirected (308); Google refuses them')
      : notNeeded('plain requests are served anyway')(value, place),
}

export const GCE: AnnotationTable = { 'pre-shared-cert': OFFLOADED }

export const GKE: AnnotationTable = {
  'managed-certificates': OFFLOADED,
  certmap: OFFLOADED,
  'v1beta1.FrontendConfig': platformStep(
    'warn',
    "a FrontendConfig of Google's load balancer: redirect and TLS policy belong to the one in front of the gateway",
  ),
  'internal-load-balancer-allow-global-access': BALANCER,
}

/** Google's controller writes these about its own load balancer. */
export const GCE_STATUS: AnnotationTable = Object.fromEntries(
  [
    'backends',
    'forwarding-rule',
    'https-forwarding-rule',
    'target-proxy',
    'https-target-proxy',
    'url-map',
    'static-ip',
    'ssl-cert',
    'redirect-url-map',
  ].map((name) => [name, foreign("status that Google's controller wrote about its load balancer")]),
)
