/** Cilium's ingress controller (docs/facts/other-ingress-controllers.md#cilium). */
import { passthrough, sslRedirect } from './as-nginx.ts'
import { claimsHttpsRedirect, refused, unsupported, type AnnotationTable, type Entry } from './entry.ts'
import { BALANCER } from './load-balancer.ts'

/** `ingress.cilium.io/` */
export const CILIUM: AnnotationTable = {
  'force-https': switched((isOn, place) =>
    isOn ? claimsHttpsRedirect('plain requests are redirected (308; Cilium answers 301)') : sslRedirect('false', place),
  ),
  'tls-passthrough': switched((isOn, place) => passthrough(String(isOn), place)),
  'loadbalancer-mode': BALANCER,
  'loadbalancer-class': BALANCER,
  'service-type': BALANCER,
  'service-external-traffic-policy': BALANCER,
  'insecure-node-port': BALANCER,
  'secure-node-port': BALANCER,
  'host-listener-port': BALANCER,
  'request-timeout': unsupported('warn', 'use timeout of the route, which limits the whole request in Istio as well'),
}

/** Reads `enabled` and `disabled`, or `true` and `false`. */
function switched(entry: (isOn: boolean, place: Parameters<Entry>[1]) => ReturnType<Entry>): Entry {
  return (value, place) => {
    if (['enabled', 'true'].includes(value)) return entry(true, place)
    return ['disabled', 'false'].includes(value) ? entry(false, place) : refused(value, 'enabled or disabled')
  }
}
