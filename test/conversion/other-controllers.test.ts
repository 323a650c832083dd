// Annotations of Kong, F5 and Traefik that change which requests a route is for, or where they go
// (docs/facts/other-ingress-controllers.md), asked of the simulated routers.
import t from 'tap'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, type Annotations, type PathText } from './support/conversion-fixtures.ts'
import { ask, linesOf } from './support/ask.ts'
import type { RoutedRequest } from './support/envoy-routes.ts'
import { TARGETS } from './support/targets.ts'

const MIDDLEWARES = 'traefik.ingress.kubernetes.io/router.middlewares'

const of = (prefix: string, annotations: Annotations) =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${prefix}${key}`, value]))

const kong = (name: string, annotations: Annotations, ...paths: readonly (string | PathText)[]) =>
  ingress({ name, className: 'kong', annotations: of('konghq.com/', annotations), paths })

const f5 = (annotations: Annotations, ...paths: readonly (string | PathText)[]) =>
  ingress({ annotations: of('nginx.org/', annotations), paths })

const to = (path: string, service: string, type = 'ImplementationSpecific') => ({ path, service, type })

const request = (path: string, more: Partial<RoutedRequest> = {}) => ({ host: 'a.example.com', path, ...more })

for (const target of TARGETS) {
  t.test(`Kong's methods and headers decide which route a request takes, to ${target}`, (t) => {
    const writes = kong('writes', { methods: 'post, PUT' }, to('/', 'writer'))
    const beta = kong('beta', { 'headers.X-Beta': '~*v[12]' }, to('/', 'beta'))
    const conversion = convert([writes, beta, kong('all', {}, '/')], target)
    t.equal(ask(conversion, target, request('/x')), 'web.shop:80 /x')
    t.equal(ask(conversion, target, request('/x', { method: 'POST' })), 'writer.shop:80 /x')
    t.equal(ask(conversion, target, request('/x', { headers: { 'x-beta': 'V2.1' } })), 'beta.shop:80 /x')
    t.equal(ask(conversion, target, request('/x', { headers: { 'x-beta': 'v3' } })), 'web.shop:80 /x')
    t.match(linesOf(conversion, 'konghq.com/methods'), /^converted info: the routes are for POST, PUT/)
    t.end()
  })

  t.test(`a rewrite of F5 replaces the path of a Service, to ${target}`, (t) => {
    const rewrites = 'serviceName=tea rewrite=/;serviceName=coffee rewrite=/beans/'
    const conversion = convert(
      [f5({ rewrites }, to('/tea/', 'tea', 'Prefix'), to('/coffee/', 'coffee', 'Prefix'), '/')],
      target,
    )
    t.equal(ask(conversion, target, '/tea/abc'), 'tea.shop:80 /abc')
    t.equal(ask(conversion, target, '/coffee/abc'), 'coffee.shop:80 /beans/abc')
    t.equal(ask(conversion, target, '/coffee'), '301 http://a.example.com/coffee/')
    t.equal(ask(conversion, target, '/other'), 'web.shop:80 /other')
    t.match(linesOf(conversion, 'nginx.org/rewrites'), /^converted info/)
    t.end()
  })

  t.test(`a Middleware of Traefik in the input is converted, to ${target}`, (t) => {
    const conversion = convert(
      [...routed('strip'), middleware('strip', { stripPrefix: { prefixes: ['/api'] } })],
      target,
    )
    t.equal(ask(conversion, target, '/api/x'), 'web.shop:80 /x')
    t.match(
      linesOf(conversion, MIDDLEWARES),
      /^converted info: shop-strip@kubernetescrd: stripPrefix: \/api is removed/,
    )
    const www = { redirectRegex: { regex: '^https?://a.example.com/(.*)', replacement: 'https://b.example.com/${1}' } }
    t.equal(
      ask(convert([...routed('www'), middleware('www', www)], target), target, '/api/x'),
      '307 https://b.example.com/api/x',
    )
    t.end()
  })
}

t.test('expressions of Kong go before other paths, the highest priority first', (t) => {
  const low = kong('low', {}, to('/~/users/[a-z]+', 'low'))
  const high = kong('high', { 'regex-priority': '5' }, to('/~/u.*', 'high'))
  const plain = kong('plain', {}, to('/users/admin/pages', 'plain'))
  t.equal(ask(convert([low, plain]), 'istio', '/users/admin/pages'), 'low.shop:80 /users/admin/pages')
  t.equal(ask(convert([low, high]), 'istio', '/users/admin'), 'high.shop:80 /users/admin')
  const other = convert([low, high], 'gateway-api')
  t.match(linesOf(other, 'spec.rules[0].http.paths[0]'), /error: .* the Gateway API tries .* first/)
  t.end()
})

t.test('Kong removes what the expression of a path matched', (t) => {
  const strip = kong('strip', { 'strip-path': 'true' }, '/~/v(\\d+)')
  t.equal(ask(convert([strip]), 'istio', '/v12/a/b'), 'web.shop:80 /a/b')
  t.equal(ask(convert([strip]), 'istio', '/v12'), 'web.shop:80 /')
  t.match(linesOf(convert([strip], 'gateway-api'), 'spec.rules[0].http.paths[0].path'), /^unsupported error/)
  t.end()
})

t.test('expressions of F5 are tried in the order of the Ingress', (t) => {
  const annotations = { 'path-regex': 'case_sensitive' }
  const conversion = convert([f5(annotations, to('/t.*', 'first'), to('/tea/[a-z]+', 'second'))])
  t.equal(ask(conversion, 'istio', '/tea/x'), 'first.shop:80 /tea/x')
  t.end()
})

function routed(...names: readonly string[]): readonly JsonObject[] {
  const annotations = { [MIDDLEWARES]: names.map((name) => `shop-${name}@kubernetescrd`).join(',') }
  return [ingress({ className: 'traefik', annotations, paths: [{ path: '/api', type: 'Prefix' }] })]
}

function middleware(name: string, spec: JsonObject): JsonObject {
  return { apiVersion: 'traefik.io/v1alpha1', kind: 'Middleware', metadata: { namespace: 'shop', name }, spec }
}

t.test('Middlewares: each kind, chains, and those that are not known', (t) => {
  const linesWith = (spec: JsonObject) => linesOf(convert([...routed('m'), middleware('m', spec)]), MIDDLEWARES)
  t.match(linesWith({ basicAuth: { secret: 'users' } }), /^unsupported error: .*SECURITY/)
  t.match(linesWith({ ipAllowList: { sourceRange: ['10.0.0.0/8'] } }), /^approximate error: .*AuthorizationPolicy/)
  t.match(linesWith({ forwardAuth: { address: 'http://auth.shop.svc.cluster.local/check' } }), /extensionProviders/)
  t.match(linesWith({ rateLimit: { average: 5 } }), /^unsupported error/)
  t.match(linesWith({ compress: {} }), /^not-needed info/)
  t.match(linesWith({ plugin: { x: {} } }), /^unsupported error: .*SECURITY/)
  t.match(
    linesOf(convert(routed('gone')), MIDDLEWARES),
    /^unsupported error: .*SECURITY: its object is not in the input/,
  )
  const headers = { customResponseHeaders: { 'X-A': '1', Server: '' }, stsSeconds: 60 }
  const chain = middleware('all', { chain: { middlewares: [{ name: 'h' }, { name: 's' }] } })
  const parts = [middleware('h', { headers }), middleware('s', { stripPrefix: { prefixes: ['/api'] } })]
  const conversion = convert([...routed('all'), chain, ...parts])
  t.equal(ask(conversion, 'istio', '/api/x'), 'web.shop:80 /x <strict-transport-security=max-age=60 <x-a=1')
  t.equal(ofKind(conversion, 'VirtualService').length, 1)
  const two = [middleware('a', { addPrefix: { prefix: '/x' } }), ...parts]
  t.match(linesOf(convert([...routed('a', 's'), ...two]), MIDDLEWARES), /two changes of the path/)
  t.end()
})

t.test('annotations of a controller that is not known one by one may protect its routes', (t) => {
  for (const key of [
    'appprotect.f5.com/app-protect-enable',
    'ingress.pomerium.io/policy',
    'zalando.org/skipper-filter',
  ])
    t.match(linesOf(convert([ingress({ className: 'other', annotations: { [key]: 'x' } })]), key), /error: SECURITY/)
  t.end()
})
