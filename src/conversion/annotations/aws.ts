/**
 * The AWS Load Balancer Controller
 * (https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/). Its load balancer
 * ends TLS in front of the gateway (docs/facts/other-ingress-controllers.md#aws).
 */
import { member, parseJson, stringMember, type Json } from '../../kubernetes/json.ts'
import type { RedirectCode, RedirectTarget } from '../model/ingress-settings.ts'
import { isToHttps } from './alb-actions.ts'
import { converted, notNeeded, unsupported, whenTrue, type AnnotationTable, type Effect, type Entry } from './entry.ts'
import { BALANCER, FIREWALL, OFFLOADED, REDIRECT_THERE } from './load-balancer.ts'

const LOGIN = unsupported(
  'error',
  'SECURITY: the routes are no longer authenticated; use RequestAuthentication with an AuthorizationPolicy, or an authorization service',
)

const HEALTH = notNeeded(
  "the load balancer checks the gateway, not the application; Istio's own health checks are outlierDetection",
)

export const ALB: AnnotationTable = {
  'load-balancer-name': BALANCER,
  'group.name': BALANCER,
  'group.order': notNeeded('the order of routes is given by their paths'),
  tags: BALANCER,
  'ip-address-type': BALANCER,
  scheme: BALANCER,
  subnets: BALANCER,
  'security-groups': FIREWALL,
  'manage-backend-security-group-rules': BALANCER,
  'customer-owned-ipv4-pool': BALANCER,
  'ipam-ipv4-pool-id': BALANCER,
  'load-balancer-attributes': BALANCER,
  'wafv2-acl-arn': FIREWALL,
  'wafv2-acl-name': FIREWALL,
  'waf-acl-id': FIREWALL,
  'shield-advanced-protection': FIREWALL,
  'listen-ports': (value, place) => (value.includes('HTTPS') ? OFFLOADED(value, place) : BALANCER(value, place)),
  'ssl-redirect': REDIRECT_THERE,
  'inbound-cidrs': FIREWALL,
  'security-group-prefix-lists': FIREWALL,
  'certificate-arn': OFFLOADED,
  'ssl-policy': BALANCER,
  'mutual-authentication': FIREWALL,
  'target-type': notNeeded('the gateway always speaks to pods'),
  'target-node-labels': notNeeded('the gateway always speaks to pods'),
  'multi-cluster-target-group': BALANCER,
  'backend-protocol': (value, place) =>
    value === 'HTTP'
      ? notNeeded('the gateway uses this protocol by default')(value, place)
      : unsupported('error', 'the backend speaks TLS: a DestinationRule with tls is needed')(value, place),
  'backend-protocol-version': unsupported('warn', "the Service's port name or appProtocol says it: http2, grpc"),
  'target-group-attributes': unsupported(
    'warn',
    'stickiness and slow start are consistentHash and warmup of a DestinationRule',
  ),
  'healthcheck-port': HEALTH,
  'healthcheck-protocol': HEALTH,
  'healthcheck-path': HEALTH,
  'healthcheck-interval-seconds': HEALTH,
  'healthcheck-timeout-seconds': HEALTH,
  'healthy-threshold-count': HEALTH,
  'unhealthy-threshold-count': HEALTH,
  'success-codes': HEALTH,
  'auth-type': LOGIN,
  'auth-idp-cognito': LOGIN,
  'auth-idp-oidc': LOGIN,
  'auth-on-unauthenticated-request': LOGIN,
  'auth-scope': LOGIN,
  'auth-session-cookie': LOGIN,
  'auth-session-timeout': LOGIN,
  'jwt-validation': LOGIN,
  'use-regex-path-match': whenTrue(unsupported('error', 'its paths are regular expressions, which are not supported')),
}

/** Keys that contain a name. */
export const ALB_PATTERNS: readonly (readonly [RegExp, (name: string) => Entry])[] = [
  [/^actions\.(.+)$/, (name) => (value) => readAction(name, value)],
  [
    /^conditions\.(.+)$/,
    () =>
      unsupported(
        'error',
        'conditions other than host and path are not supported: match headers, methods or queries in the VirtualService',
      ),
  ],
  [/^transforms\.(.+)$/, () => unsupported('error', 'rewrites of the load balancer are not supported')],
  [/^listener-attributes\.(.+)$/, () => BALANCER],
]

/**
 * Reads an action such as
 * `{"type":"redirect","redirectConfig":{"Protocol":"HTTPS","Port":"443","StatusCode":"HTTP_301"}}`.
 */
function readAction(name: string, value: string): Effect {
  const action = parseJson(value)
  const config = member(action, 'redirectConfig') ?? member(action, 'RedirectConfig')
  const kind = stringMember(action, 'type') ?? stringMember(action, 'Type')
  if (kind !== 'redirect' || config === undefined)
    return {
      outcome: 'unsupported',
      level: 'error',
      message: `action ${name} is not a redirect; paths that lead to it are left out`,
    }
  const target = readRedirectConfig(config)
  const settings = { actions: new Map([[name, target]]) }
  if (isToHttps(target))
    return {
      outcome: 'platform-step',
      level: 'warn',
      message: 'redirects http to https: redirect at the load balancer; here it would never end',
      settings,
    }
  return converted(settings, `paths that lead to ${name} redirect`)
}

function readRedirectConfig(config: Json): RedirectTarget {
  const literal = (key: string): string | undefined => {
    const text = stringMember(config, key)
    return text === undefined || text.includes('#{') ? undefined : text
  }
  const scheme = literal('Protocol')?.toLowerCase()
  const code: RedirectCode = stringMember(config, 'StatusCode') === 'HTTP_302' ? 302 : 301
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : undefined,
    authority: literal('Host'),
    path: literal('Path'),
    code,
  }
}
