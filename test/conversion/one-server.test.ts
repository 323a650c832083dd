// A gateway has one HTTPS server for a host, whichever namespaces have routes for it, in one conversion or in several: Envoy
// refuses a listener with two filter chains for one server name, and then no HTTPS host of the gateway is updated any more
// (istio/istio#13717, istio/istio#16573, istio/istio#24385).
import t from 'tap'
import type { Conversion } from '../../src/conversion/convert-ingresses.ts'
import { arrayMember, member, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, type IngressText } from './support/conversion-fixtures.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { servedHosts } from './support/served-hosts.ts'
import { shortAnswer } from './support/short-answer.ts'

const HOST = 'www.example.com'
const NGINX = 'nginx.ingress.kubernetes.io/'
const web = (text: IngressText = {}) => ingress({ name: 'web', host: HOST, secret: 'www', ...text })
const pay = (text: IngressText = {}) =>
  ingress({
    namespace: 'pay',
    name: 'pay',
    host: HOST,
    secret: 'www',
    paths: [{ path: '/pay', service: 'pay' }],
    ...text,
  })

function ask(objects: readonly JsonObject[], path: string, isTls = true): string {
  return shortAnswer(routeThroughIstio(objects, { host: HOST, path, port: isTls ? 443 : 80 }))
}

function lines({ report }: Conversion, id: string): string {
  return report
    .filter(({ ingress: of, about }) => of === id && about.startsWith('spec.tls'))
    .map(({ level, message }) => `${level}: ${message}`)
    .join('\n')
}

t.test('an existing Gateway that passes the TLS of a host through cannot serve its routes', (t) => {
  const tls = { mode: 'PASSTHROUGH' }
  const servers = [{ port: { number: 443, name: 'tls', protocol: 'TLS' }, hosts: [HOST], tls }]
  const existing = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { namespace: 'edge', name: 'passing' },
    spec: { selector: { istio: 'ingressgateway' }, servers },
  }
  const conversion = convert([web()], 'istio', {}, [existing])
  t.match(lines(conversion, 'shop/web'), /^error: TLS of www\.example\.com is passed through by Gateway edge\/passing/)
  t.end()
})

t.test('a TLS host of two namespaces: one server, to which both VirtualServices bind', (t) => {
  const conversion = convert([web(), pay()])
  t.same(servedHosts(conversion.objects), [
    `443 HTTPS ${HOST} SIMPLE shop/www`,
    `443 HTTPS ${HOST} SIMPLE shop/www`,
    `80 HTTP ${HOST}`,
    `80 HTTP ${HOST}`,
  ])
  const [gateway, ...others] = ofKind(conversion, 'Gateway')
  t.same(others, [], 'the other namespace needs no Gateway of its own')
  t.match(gateway, { metadata: { namespace: 'shop' }, spec: { servers: [{ hosts: [`shop/${HOST}`, `pay/${HOST}`] }] } })
  t.same(
    ofKind(conversion, 'VirtualService').map((object) => memberAt(object, 'spec', 'gateways')),
    [['shop/web'], ['shop/web']],
  )
  t.equal(ask(conversion.objects, '/pay'), 'pay.pay:80 /pay')
  t.equal(ask(conversion.objects, '/x'), 'web.shop:80 /x')
  t.match(ask(conversion.objects, '/pay', false), /^308 https/)
  t.match(lines(conversion, 'pay/pay'), /^info: www\.example\.com is served by Gateway shop\/web/)
  t.notMatch(lines(conversion, 'pay/pay'), /copy secret/)
  t.end()
})

t.test('the other hosts of an Ingress stay in its own namespace', (t) => {
  const rule = (host: string) => ({
    host,
    http: {
      paths: [
        {
          path: host === HOST ? '/pay' : '/',
          pathType: 'Prefix',
          backend: { service: { name: 'pay', port: { number: 80 } } },
        },
      ],
    },
  })
  const both = pay({
    spec: {
      rules: [rule(HOST), rule('pay.example.com')],
      tls: [{ hosts: [HOST, 'pay.example.com'], secretName: 'www' }],
    },
  })
  const { objects } = convert([web(), both])
  t.equal(shortAnswer(routeThroughIstio(objects, { host: 'pay.example.com', path: '/', port: 443 })), 'pay.pay:80 /')
  t.equal(ask(objects, '/x'), 'web.shop:80 /x')
  t.end()
})

t.test('a host that has TLS in one namespace only is served over HTTPS for all, and redirects', (t) => {
  for (const order of [0, 1]) {
    const given = [web({ className: 'nginx' }), ingress({ namespace: 'pay', name: 'pay', host: HOST, paths: ['/pay'] })]
    const { objects } = convert(order === 0 ? given : given.toReversed())
    t.equal(ask(objects, '/pay'), 'web.pay:80 /pay')
    t.match(ask(objects, '/pay', false), /^308 https/)
  }
  t.end()
})

t.test('different certificates are an error, and there is still one server', (t) => {
  const conversion = convert([web(), pay({ secret: 'other' })])
  t.equal(ofKind(conversion, 'Gateway').length, 1)
  t.match(lines(conversion, 'pay/pay'), /^error: .*certificate of that one, secret shop\/www instead of other/m)
  t.end()
})

t.test('guards of the second namespace hold, and so does its client certificate', (t) => {
  const listed = convert([web(), pay({ annotations: { [`${NGINX}whitelist-source-range`]: '10.0.0.0/8' } })])
  t.match(ofKind(listed, 'AuthorizationPolicy'), [{ metadata: { name: 'pay.pay-sources' } }])
  const certified = convert([web(), pay({ annotations: { [`${NGINX}auth-tls-secret`]: 'pay/ca' } })])
  t.match(servedHosts(certified.objects), [`443 HTTPS ${HOST} MUTUAL shop/www`])
  t.end()
})

t.test('TLS that one namespace passes through leaves the other port 80, and the report says so', (t) => {
  const isPassed = { [`${NGINX}ssl-passthrough`]: 'true' }
  const passed = ingress({ name: 'web', host: HOST, annotations: isPassed })
  const plain = convert([passed, ingress({ namespace: 'pay', name: 'pay', host: HOST, paths: ['/pay'] })])
  t.equal(ask(plain.objects, '/pay', false), 'web.pay:80 /pay')
  const secured = convert([passed, pay()])
  t.match(lines(secured, 'pay/pay'), /^error: TLS of www\.example\.com is passed through by Gateway shop\/web/m)
  const twice = convert([passed, pay({ annotations: isPassed })])
  t.doesNotThrow(() => routeThroughIstio(twice.objects, { host: HOST, path: '/', port: 443 }))
  t.ok(twice.report.some(({ level, message }) => level === 'error' && /cannot be passed through/.test(message)))
  t.end()
})

t.test('a Gateway that is there already serves its hosts', (t) => {
  const first = convert([web()])
  const there = ofKind(first, 'Gateway')
  const second = convert([pay()], 'istio', {}, there)
  t.same(ofKind(second, 'Gateway'), [], 'no second Gateway')
  t.match(ofKind(second, 'VirtualService'), [{ spec: { gateways: ['shop/web'] } }])
  t.match(lines(second, 'pay/pay'), /^info: Gateway shop\/web already serves www\.example\.com/m)
  t.match(lines(second, 'pay/pay'), /^warn: Gateway shop\/web must also list pay\/www\.example\.com/m)
  const sibling = convert([web({ name: 'two', paths: [{ path: '/two', service: 'two' }] })], 'istio', {}, there)
  t.same(ofKind(sibling, 'Gateway'), [])
  t.equal(ask([...first.objects, ...sibling.objects], '/two'), 'two.shop:80 /two')
  t.notMatch(lines(sibling, 'shop/two'), /must also list|instead of/)
  t.same(convert([web()], 'istio', {}, there).objects, first.objects, 'a second run prints the same')
  t.end()
})

interface There {
  readonly title: string
  readonly gateway: JsonObject
  readonly binds: readonly string[]
}

const tls = { mode: 'SIMPLE', credentialName: 'public' }
const https = { number: 443, name: 'https', protocol: 'HTTPS' }
const http = { number: 80, name: 'http', protocol: 'HTTP' }

function gateway(spec: JsonObject): JsonObject {
  const whole = { selector: { istio: 'ingressgateway' }, ...spec }
  return {
    apiVersion: 'networking.istio.io/v1beta1',
    kind: 'Gateway',
    metadata: { name: 'public', namespace: 'infra' },
    spec: whole,
  }
}

const THERE: readonly There[] = [
  {
    title: 'for any namespace, with port 80',
    gateway: gateway({
      servers: [
        { port: https, hosts: [HOST], tls },
        { port: http, hosts: ['*'] },
      ],
    }),
    binds: ['infra/public'],
  },
  {
    title: 'without port 80, which a Gateway of the Ingress then serves',
    gateway: gateway({ servers: [{ port: https, hosts: [`*/${HOST}`], tls }] }),
    binds: ['shop/web', 'infra/public'],
  },
  {
    title: 'another host is no reason',
    gateway: gateway({ servers: [{ port: https, hosts: ['api.example.com'], tls }] }),
    binds: ['shop/web'],
  },
  {
    title: 'nor is a Gateway of other pods',
    gateway: gateway({ selector: { istio: 'internal' }, servers: [{ port: https, hosts: [HOST], tls }] }),
    binds: ['shop/web'],
  },
  {
    title: 'nor one that says nothing',
    gateway: gateway({ servers: [7, { port: https, hosts: [null] }] }),
    binds: ['shop/web'],
  },
]

t.test('a Gateway of the platform team', (t) => {
  for (const row of THERE) {
    const conversion = convert([web()], 'istio', {}, [row.gateway])
    const [service] = ofKind(conversion, 'VirtualService')
    t.same(member(member(service, 'spec'), 'gateways'), row.binds, row.title)
    if (row.binds.includes('infra/public'))
      t.equal(ask([row.gateway, ...conversion.objects], '/x'), 'web.shop:80 /x', row.title)
  }
  t.end()
})

t.test('in Gateway API one listener serves a host of two namespaces, and admits the routes of both', (t) => {
  const conversion = convert([web(), pay()], 'gateway-api')
  t.match(ofKind(conversion, 'Gateway'), [{ metadata: { name: 'nginx', namespace: 'istio-system' } }])
  const sets = ofKind(conversion, 'ListenerSet')
  const listeners = sets.flatMap((set) => memberAt(set, 'spec', 'listeners') as readonly JsonObject[])
  const same = listeners.filter(({ hostname }) => hostname === HOST)
  t.match(same, [
    {
      allowedRoutes: { namespaces: { selector: { matchExpressions: [{ operator: 'In', values: ['pay', 'shop'] }] } } },
    },
  ])
  t.equal(same.length, 1)
  t.match(JSON.stringify(conversion.report), /www\.example\.com is served by ListenerSet shop\/nginx, because/)
  const references = ofKind(conversion, 'HTTPRoute')
    .filter((route) => memberAt(route, 'metadata', 'namespace') === 'pay')
    .flatMap((route) => memberAt(route, 'spec', 'parentRefs') as readonly JsonObject[])
  t.match(references, [
    { kind: 'ListenerSet', namespace: 'shop', name: 'nginx', sectionName: `https-${HOST}` },
    { name: 'nginx', namespace: 'istio-system', sectionName: 'http' },
  ])
  t.end()
})

t.test('a host has the certificate of the Ingress with its rule, by its name before a wildcard', async (t) => {
  const wild = ingress({ name: 'all', host: '*.example.com', secret: 'wild' })
  const own = ingress({ name: 'one', host: 'a.example.com', secret: 'own' })
  const both = ingress({ name: 'both', host: 'a.example.com' })
  const rule = (host: string) => ({ host, http: { paths: [pathTo('web')] } })
  const listed = (...tls: readonly JsonObject[]): JsonObject => ({
    ...both,
    spec: { ingressClassName: 'nginx', rules: [rule('*.example.com'), rule('a.example.com')], tls },
  })
  const [wildcard, named] = [
    { hosts: ['*.example.com'], secretName: 'wild' },
    { hosts: ['a.example.com'], secretName: 'own' },
  ]
  const expected = { '*.example.com': 'wild', 'a.example.com': 'own' }
  for (const [title, ingresses] of [
    ['two Ingresses', [wild, own]],
    ['the other order', [own, wild]],
    ['one Ingress, the wildcard first', [listed(wildcard, named)]],
    ['one Ingress, the name first', [listed(named, wildcard)]],
  ] as const)
    t.same(certificatesOf(convert(ingresses, 'gateway-api').objects), expected, title)
  const lines = convert([listed(wildcard, named)], 'gateway-api').report.map(({ message }) => message)
  t.notMatch(lines.join('\n'), /already uses secret/, 'the wildcard leaves the host out, and nothing is lost')
})

/** The secret of each listener's host. */
function certificatesOf(objects: readonly JsonObject[]): Readonly<Record<string, string>> {
  const listeners = objects.flatMap((object) => arrayMember(memberAt(object, 'spec'), 'listeners'))
  return Object.fromEntries(
    listeners.flatMap((listener) =>
      arrayMember(memberAt(listener, 'tls'), 'certificateRefs').map((reference) => [
        String(memberAt(listener, 'hostname')),
        String(memberAt(reference, 'name')),
      ]),
    ),
  )
}

function pathTo(name: string): JsonObject {
  return { path: '/', pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }
}
