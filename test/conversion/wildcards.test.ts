/**
 * A wildcard beside narrower hosts, in both APIs: each host has its own routes, whichever VirtualService or route is older.
 * The same cases go through a real Envoy, with their certificates (wildcards.envoy.ts).
 */
import t from 'tap'
import { arrayMember, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, reportOf } from './support/conversion-fixtures.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { shortAnswer } from './support/short-answer.ts'
import { wildcardCases } from './support/wildcard-cases.ts'

const ROUTERS = { istio: routeThroughIstio, 'gateway-api': routeThroughGatewayApi } as const

for (const target of ['istio', 'gateway-api'] as const)
  for (const older of ['*', 'a'])
    t.test(`each host has its own routes in ${target}, with those of ${older} older`, (t) => {
      for (const { title, ingresses, requests } of wildcardCases(target, 'shop', 'w')) {
        const objects = convert(ingresses, target).objects.map((object) => aged(object, older))
        for (const [request, expected] of requests)
          t.equal(
            shortAnswer(ROUTERS[target](objects, request)),
            expected,
            `${title}: ${request.port === 443 ? 'https' : 'http'}://${request.host}${request.path}`,
          )
      }
      t.end()
    })

function aged(object: JsonObject, older: string): JsonObject {
  const [host = ''] = [memberAt(object, 'spec', 'hosts'), memberAt(object, 'spec', 'hostnames')].flat().map(String)
  const creationTimestamp = host.startsWith(older) ? '2026-01-01T00:00:00Z' : '2026-01-02T00:00:00Z'
  return { ...object, metadata: { ...(object['metadata'] as JsonObject), creationTimestamp } }
}

const cases = wildcardCases('istio', 'shop', 'w')
const ofCase = (title: string): readonly JsonObject[] => {
  const found = cases.find((one) => one.title.startsWith(title))
  if (found === undefined) throw new Error(`no such case: ${title}`)
  return found.ingresses
}
const apart = ofCase('each has a certificate')
const plain = ofCase('only the narrower')
const together = ofCase('one certificate is for both')
const pair = ofCase('one certificate is for two hosts')
const tiers = ofCase('a wildcard within a wildcard')
const guarded = ofCase('the narrower host requires')
const gatewaysOf = (ingresses: readonly JsonObject[]) =>
  Object.fromEntries(
    ofKind(convert(ingresses), 'VirtualService').map((object) => [
      String(memberAt(object, 'spec', 'hosts')),
      String(memberAt(object, 'spec', 'gateways')),
    ]),
  )

t.test('a wildcard that would answer for a narrower host gets a separate Gateway; the other keeps its name', (t) => {
  const gateways = ofKind(convert(apart), 'Gateway')
  t.match(gateways, [
    { metadata: { name: 'w0' }, spec: { servers: [{ hosts: ['shop/a.w0.test'] }, { hosts: ['shop/a.w0.test'] }] } },
    {
      metadata: { name: 'w0-wildcard-w0-test-bnjt0z' },
      spec: { servers: [{ hosts: ['shop/*.w0.test'] }, { hosts: ['shop/*.w0.test'] }] },
    },
  ])
  t.match(
    reportOf(apart).find(({ about }) => about === 'spec.tls'),
    { level: 'info', outcome: 'converted', message: /^\*\.w0\.test gets a separate Gateway \(w0-wildcard-w0-test-/ },
  )
  t.equal(ofKind(convert(plain), 'Gateway').length, 2, 'with or without a certificate of the wildcard')
  t.equal(ofKind(convert(together), 'Gateway').length, 1, 'not where one server has both')
  t.equal(ofKind(convert(tiers), 'Gateway').length, 3, 'each wildcard, where they are within each other')
  t.end()
})

t.test('a narrower host is also served where a browser may reuse a connection for it', (t) => {
  t.same(gatewaysOf(apart), {
    'a.w0.test': 'shop/w0,shop/w0-wildcard-w0-test-bnjt0z',
    '*.w0.test': 'shop/w0-wildcard-w0-test-bnjt0z',
  })
  t.same(
    gatewaysOf(plain),
    { '*.w1.test': 'shop/w1-wildcard-w1-test-q2st8h', 'a.w1.test': 'shop/w1' },
    'no certificate',
  )
  t.equal(gatewaysOf(guarded)['a.w6.test'], 'shop/w6', 'not past the certificate that it asks for')
  t.end()
})

t.test('in a Gateway that is shared the wildcard may win, and that is an error', (t) => {
  const message =
    'a.w0.test has its own TLS server. In a shared Gateway, the routes of *.w0.test may override its routes. Use a separate Gateway for *.w0.test'
  const wide = ingress({ name: 'wide', host: '*.w0.test', secret: 'wide' })
  const narrow = ingress({ name: 'narrow', host: 'a.w0.test', secret: 'narrow' })
  for (const [name, ingresses] of [
    ['w0', apart],
    ['wide', [narrow, wide]],
  ] as const) {
    const errors = (target: 'istio' | 'gateway-api') =>
      convert(ingresses, target, { shared: 'edge/public' }).report.filter(({ level }) => level === 'error')
    t.match(errors('istio'), [{ ingress: `shop/${name}`, about: 'spec.tls', message }])
    t.same(errors('gateway-api'), [], 'a route names its listener')
  }
  t.match(ofKind(convert([narrow, wide], 'gateway-api', { shared: 'edge/public' }), 'HTTPRoute').at(2), {
    spec: { hostnames: ['*.w0.test'], parentRefs: [{ name: 'public', sectionName: 'https--any.w0.test' }] },
  })
  t.end()
})

t.test('a shared Gateway lets clients bypass a client certificate, which is reported as a security error', (t) => {
  const open = ingress({ namespace: 'shop', name: 'open', host: 'c.w6.test', secret: 'open' })
  const errors = convert([...guarded, open], 'istio', { shared: 'edge/public' }).report.filter(
    ({ level }) => level === 'error',
  )
  t.match(errors, [
    {
      message: /^SECURITY: a\.w6\.test requires a client certificate\. .*. Use a separate Gateway for \*\.w6\.test$/,
    },
    { message: /^c\.w6\.test has its own TLS server\. .*. Use a separate Gateway for \*\.w6\.test$/ },
  ])
  t.end()
})

t.test('in Gateway API a reused connection of a browser reaches the wrong host, which is reported', (t) => {
  const told = (ingresses: readonly JsonObject[]) =>
    reportOf(ingresses, 'gateway-api').filter(({ about, level }) => about === 'spec.tls' && level === 'warn')
  t.match(told(apart), [
    {
      outcome: 'approximate',
      message: /^browsers may reuse an HTTP\/2 connection to a host of \*\.w0\.test for a\.w0\.test\. /,
    },
  ])
  t.same(told(plain), [], 'not where the wildcard has no certificate')
  const message = /between a\.w2\.test, \*\.w2\.test, .*use --to istio to avoid this$/
  t.match(told(together), [{ message }], 'once, where one certificate is for both')
  t.equal(told(together).length, 1)
  t.match(
    told(pair),
    [{ message: /between a\.w3\.test, b\.w3\.test, .* reach the wrong listener/ }],
    'nor by another host',
  )
  t.end()
})

t.test(
  'a route of Gateway API names its listener; that of a shared Gateway only where it would attach to a narrower one',
  (t) => {
    const parents = (ingresses: readonly JsonObject[], shared: string) =>
      ofKind(convert(ingresses, 'gateway-api', { shared }), 'HTTPRoute').map((route) => {
        const references = memberAt(route, 'spec', 'parentRefs') as readonly JsonObject[]
        return references.map(({ kind = 'Gateway', sectionName = '', port = '' }) =>
          [kind, ' ', sectionName, port].join(''),
        )
      })
    t.same(parents(apart, ''), [
      ['Gateway http', 'ListenerSet https--any.w0.test'],
      ['Gateway http', 'ListenerSet https-a.w0.test'],
    ])
    t.same(
      parents(plain, ''),
      [['Gateway http'], ['Gateway http', 'ListenerSet https-a.w1.test']],
      'no listener of its own',
    )
    t.same(parents(apart, 'edge/public'), [['Gateway https--any.w0.test'], ['Gateway 80'], ['Gateway ']])
    t.same(parents(plain, 'edge/public'), [['Gateway 80'], ['Gateway ']], 'no listener of its own')
    t.end()
  },
)

t.test('a host has the certificate of a wildcard, and a server of its own where a narrower one has another', (t) => {
  const secrets = ofKind(convert(ofCase('a host has the certificate of a wildcard')), 'Gateway').flatMap((gateway) =>
    arrayMember(memberAt(gateway, 'spec'), 'servers').flatMap((server) => {
      const credential = memberAt(server, 'tls', 'credentialName')
      return credential === undefined ? [] : [`${String(memberAt(server, 'hosts'))} ${String(credential)}`]
    }),
  )
  t.same(secrets.toSorted(), [
    'shop/*.b.w9.test shop.some-w9.test',
    'shop/*.w9.test shop.wild-w9.test',
    'shop/c.b.w9.test shop.wild-w9.test',
  ])
  t.end()
})

t.test('two wildcards of one certificate move together', (t) => {
  const hosts = ['*.a.test', '*.b.test', 'x.a.test', 'y.b.test']
  const tls = [
    { hosts: hosts.slice(2), secretName: 'own' },
    { hosts: hosts.slice(0, 2), secretName: 'wild' },
  ]
  const backend = { service: { name: 'web', port: { number: 80 } } }
  const rules = hosts.map((host) => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }))
  const gateways = ofKind(convert([ingress({ spec: { rules, tls } })]), 'Gateway')
  t.equal(gateways.length, 2)
  t.match(gateways[1], { spec: { servers: [{ hosts: ['shop/*.a.test', 'shop/*.b.test'] }, {}] } })
  t.end()
})

t.test('a wildcard without a listener attaches to the nearest one above it', (t) => {
  const of = (host: string, secret?: string) =>
    ingress({ name: `i${host.replaceAll(/[*.]/g, '')}`, host, ...(secret === undefined ? {} : { secret }) })
  const ingresses = [of('*.test', 'one'), of('*.b.test', 'two'), of('*.c.b.test'), of('x.c.b.test', 'three')]
  const routes = ofKind(convert(ingresses, 'gateway-api', { shared: 'edge/public' }), 'HTTPRoute')
  const own = routes.filter((route) => String(memberAt(route, 'spec', 'hostnames')) === '*.c.b.test')
  t.match(own, [
    { spec: { parentRefs: [{ sectionName: 'https--any.b.test' }] } },
    { spec: { parentRefs: [{ port: 80 }] } },
  ])
  t.end()
})
