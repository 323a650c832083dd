// Not run, but type-checked: a misspelt field of an emitted object does not compile. Each line below the directive is wrong,
// and TypeScript reports a directive that no error follows.
import type { Gateway as ApiGateway, Listener } from '../../src/conversion/emit/gateway-api/gateway.ts'
import type { HttpRouteFilter } from '../../src/conversion/emit/gateway-api/http-route-filter.ts'
import type { HTTPRoute } from '../../src/conversion/emit/gateway-api/http-route.ts'
import type { Gateway, Server } from '../../src/conversion/emit/istio/gateway.ts'
import type { HttpAction, HttpRedirect } from '../../src/conversion/emit/istio/http-action.ts'
import type { VirtualService } from '../../src/conversion/emit/istio/virtual-service.ts'
import type { AuthorizationPolicy, Operation } from '../../src/conversion/emit/mesh/authorization-policy.ts'
import type { DestinationRule } from '../../src/conversion/emit/mesh/destination-rule-object.ts'
import { defined } from '../../src/kubernetes/json.ts'

const metadata = { name: 'web', namespace: 'shop' }
const destination = { host: 'web.shop.svc.cluster.local', port: { number: 80 } }

export const server: Server = {
  port: { number: 443, name: 'https', protocol: 'HTTPS' },
  hosts: ['shop/a.example.com'],
  // @ts-expect-error -- the field is credentialName
  tls: { mode: 'SIMPLE', credentialname: 'shop-tls' },
}
export const gateway: Gateway = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata,
  // @ts-expect-error -- the field is servers
  spec: { selector: {}, server: [] },
}
export const virtualService: VirtualService = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'VirtualService',
  metadata,
  // @ts-expect-error -- the field is uri
  spec: { hosts: [], gateways: [], http: [{ match: [{ url: { prefix: '/' } }], route: [{ destination }] }] },
}
// @ts-expect-error -- the field is corsPolicy, in an object whose undefined members are left out
export const action: HttpAction = defined({ route: [{ destination }], cors: undefined })
// @ts-expect-error -- a scheme that is not one
export const redirect: HttpRedirect = defined({ scheme: 'htps', redirectCode: 308 })
export const rule: DestinationRule = {
  apiVersion: 'networking.istio.io/v1',
  kind: 'DestinationRule',
  metadata,
  spec: {
    host: 'web',
    // @ts-expect-error -- the field is insecureSkipVerify
    trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, tls: { mode: 'SIMPLE', skipVerify: true } }] },
  },
}
export const policy: AuthorizationPolicy = {
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata,
  // @ts-expect-error -- a CUSTOM policy names a provider
  spec: { selector: { matchLabels: {} }, action: 'CUSTOM', rules: [] },
}
// @ts-expect-error -- the field is paths
export const operation: Operation = { hosts: ['a.example.com'], path: ['/admin'] }
// @ts-expect-error -- the field is hostname
export const listener: Listener = defined({ name: 'https', port: 443, protocol: 'HTTPS', hostName: 'a.example.com' })
export const apiGateway: ApiGateway = {
  // @ts-expect-error -- the group of Gateway API
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata,
  spec: { gatewayClassName: 'istio', listeners: [] },
}
export const httpRoute: HTTPRoute = {
  apiVersion: 'gateway.networking.k8s.io/v1',
  kind: 'HTTPRoute',
  metadata,
  // @ts-expect-error -- the field is backendRefs
  spec: { parentRefs: [{ name: 'web' }], rules: [{ backends: [{ name: 'web', port: 80 }] }] },
}
// @ts-expect-error -- the field is urlRewrite
export const filter: HttpRouteFilter = { type: 'URLRewrite', rewrite: { hostname: 'b.example.com' } }
