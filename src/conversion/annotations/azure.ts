/** The controller of Azure's application gateway (docs/facts/other-ingress-controllers.md#azure). */
import { notNeeded, unsupported, type AnnotationTable } from './entry.ts'
import { BALANCER, FIREWALL, OFFLOADED, REDIRECT_THERE } from './load-balancer.ts'

export const APPGW: AnnotationTable = {
  'backend-path-prefix': unsupported(
    'error',
    'the path is rewritten by the load balancer; use rewrite of the VirtualService',
  ),
  'ssl-redirect': REDIRECT_THERE,
  'appgw-ssl-certificate': OFFLOADED,
  'waf-policy-for-path': FIREWALL,
  'request-timeout': notNeeded('Istio sets no time limit'),
  'connection-draining': notNeeded('Envoy drains by itself'),
  'connection-draining-timeout': notNeeded('Envoy drains by itself'),
  'cookie-based-affinity': unsupported('warn', 'the closest equivalent is consistentHash of a DestinationRule'),
  'use-private-ip': BALANCER,
}
