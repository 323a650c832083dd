// What a cluster's Gateway API has: older versions, no APIs of Istio, the experimental channel; and the rewrites it can express.
import t from 'tap'
import { arrayMember, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, convertTo, ingress, ofKind, type Annotations } from './support/conversion-fixtures.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { shortAnswer } from './support/short-answer.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
}

/** Idioms of public Ingress files (reportportal/kubernetes#185), with requests and the path that the backend gets. */
const IDIOMS: readonly (readonly [path: string, target: string, answers: Readonly<Record<string, string>>])[] = [
  ['/x(/|$)(.*)', '/$2', { '/x': '/', '/x/': '/', '/x/a/b': '/a/b', '/xy': '404' }],
  ['/grafana($|/)(.*)', '/$2', { '/grafana': '/', '/grafana/d/1': '/d/1', '/grafanas': '404' }],
  ['/apis/relay/client(/|$)(.*)', '/client/$2', { '/apis/relay/client/a': '/client/a', '/apis/relay': '404' }],
  ['/uat/?(.*)', '/$1', { '/uat': '/', '/uat/a': '/a' }],
  ['/(.*)', '/$1', { '/': '/', '/a/B': '/a/B' }],
  ['/api/(.*)', '/api/$1', { '/api/a': '/api/a' }],
  ['/api/v1/(.*)', '/$1', { '/api/v1/a': '/a', '/api': '404' }],
]

t.test('rewrites that replace a prefix have an exact form in Gateway API', (t) => {
  for (const [path, target, answers] of IDIOMS) {
    const object = ingress({ annotations: nginx({ 'rewrite-target': target }), paths: [path] })
    const conversion = convert([object], 'gateway-api')
    t.same(
      conversion.report.filter(({ level }) => level === 'error'),
      [],
      `${path} to ${target}`,
    )
    for (const [request, expected] of Object.entries(answers)) {
      const got = routeThroughGatewayApi(conversion.objects, { host: 'a.example.com', path: request, port: 80 })
      t.equal(shortAnswer(got).replace(/^web\.shop:80 /, ''), expected, `${path} to ${target}: ${request}`)
    }
  }
  for (const [path, target] of [
    ['/x(/|$)(.*)', '/$1$2'],
    ['/x(/|$)(.*)', '/$1'],
    ['/(a|b)(/|$)(.*)', '/$3'],
    ['/x(.*)', '/$1'],
    ['/(.*)', '/base/$1'],
    ['/x(/|$)(.*)', '/y$2'],
  ] as const) {
    const object = ingress({ annotations: nginx({ 'rewrite-target': target }), paths: [path] })
    const { report } = convert([object], 'gateway-api')
    t.ok(
      report.some(({ level, about }) => level === 'error' && about.endsWith('rewrite-target')),
      `${path} to ${target} is an error`,
    )
  }
  t.end()
})

/** Each needs an object of Istio; the report says what is lost without it. */
const NEEDY: readonly (readonly [annotations: Annotations, about: string, says: RegExp])[] = [
  [{ 'whitelist-source-range': '10.0.0.0/8' }, 'whitelist-source-range', /^SECURITY: .*every address may call/],
  [{ 'denylist-source-range': '10.0.0.0/8' }, 'denylist-source-range', /^SECURITY: .*every address may call/],
  [{ 'auth-url': 'http://auth.auth.svc.cluster.local/check' }, 'auth-url', /^SECURITY: .*not authenticated/],
  [{ affinity: 'cookie' }, 'affinity', /^needs a DestinationRule/],
  [{ 'upstream-hash-by': '$http_x_user' }, 'upstream-hash-by', /^needs a DestinationRule/],
  [{ 'load-balance': 'round_robin' }, 'load-balance', /^needs a DestinationRule/],
  [{ 'proxy-connect-timeout': '7' }, 'proxy-connect-timeout', /^needs a DestinationRule/],
  [{ 'backend-protocol': 'HTTPS' }, 'backend-protocol', /receive plain HTTP/],
  [{ 'mirror-target': 'https://mirror.example.net$request_uri' }, 'mirror-target', /needs a ServiceEntry/],
]

t.test("without Istio's own APIs nothing of them is printed, and what needs them is an error", (t) => {
  for (const [annotations, about, says] of NEEDY) {
    const given = [ingress({ annotations: nginx(annotations), secret: 'tls' })]
    const groups = (objects: readonly JsonObject[]) =>
      objects.filter((object) => /istio\.io/.test(JSON.stringify(object)))
    t.not(groups(convertTo({}, given).objects).length, 0, `${about} needs one`)
    const { objects, report } = convertTo({ hasIstioApis: false }, given, { className: 'approuting-istio' })
    t.same(groups(objects), [], about)
    t.match(
      report.filter((line) => line.about === `${NGINX}${about}`),
      [{ level: 'error', outcome: 'unsupported', message: says }],
      about,
    )
    t.match(ofKind({ objects, report, notes: [], hosts: [], existing: new Map() }, 'Gateway'), [
      { spec: { gatewayClassName: 'approuting-istio' } },
    ])
  }
  const verified = nginx({
    ...{ 'backend-protocol': 'HTTPS', 'proxy-ssl-verify': 'on', 'proxy-ssl-name': 'web.internal' },
    'proxy-ssl-secret': 'shop/ca',
  })
  const { objects, report } = convertTo({ hasIstioApis: false }, [ingress({ annotations: verified })])
  t.ok(objects.some(({ kind }) => kind === 'BackendTLSPolicy'))
  t.match(
    report.find(({ about }) => about.endsWith('backend-protocol')),
    { outcome: 'approximate', message: /^a BackendTLSPolicy/ },
  )
  t.end()
})

t.test('what only the experimental channel has is printed only where it is installed', (t) => {
  const lines = (about: string, features: Parameters<typeof convertTo>[0], annotations: Annotations) =>
    convertTo(features, [ingress({ annotations: nginx(annotations), paths: [{ path: '/', port: 443 }] })])
      .report.filter((line) => line.about.endsWith(about) && line.outcome === 'unsupported')
      .map(({ level }) => level)
  const cors = { 'enable-cors': 'true' }
  t.same(lines('enable-cors', { version: 5 }, cors), [])
  t.same(lines('enable-cors', { version: 4 }, cors), ['error'])
  t.same(lines('enable-cors', { version: 4, isExperimental: true }, cors), [])
  const passed = { 'ssl-passthrough': 'true' }
  t.same(lines('spec.rules', { version: 5 }, passed), [])
  t.same(lines('spec.rules', { version: 4 }, passed), ['error'])
  const old = convertTo({ version: 4, isExperimental: true }, [ingress({ annotations: nginx(passed) })])
  t.match(ofKind(old, 'TLSRoute'), [{ apiVersion: 'gateway.networking.k8s.io/v1alpha2' }])
  const retries = { 'proxy-next-upstream': 'error timeout http_502 non_idempotent', 'proxy-next-upstream-tries': '3' }
  t.same(lines('proxy-next-upstream', {}, retries), ['warn'])
  const routes = ofKind(convertTo({ isExperimental: true }, [ingress({ annotations: nginx(retries) })]), 'HTTPRoute')
  t.match(routes, [{ spec: { rules: [{ retry: { attempts: 2, codes: [502] } }] } }])
  t.notMatch(JSON.stringify(convertTo({}, [ingress({ annotations: nginx(retries) })]).objects), /"retry"/)
  t.end()
})

t.test('before 1.5 Gateways have all listeners, read the secrets by a grant, and go on at 64', (t) => {
  const hosts = Array.from({ length: 70 }, (_, index) => `h${index}.example.com`)
  const given = hosts.map((host, index) =>
    ingress({ namespace: `team-${index % 2}`, name: `web-${index}`, host, secret: `tls-${index}` }),
  )
  const conversion = convertTo({ version: 4 }, given)
  t.same(ofKind(conversion, 'ListenerSet'), [])
  t.same(
    ofKind(conversion, 'Gateway').map((gateway) => [
      memberAt(gateway, 'metadata', 'name'),
      arrayMember(memberAt(gateway, 'spec'), 'listeners').length,
    ]),
    [
      ['nginx', 64],
      ['nginx-2', 8],
    ],
  )
  for (const path of ['/x'])
    for (const host of hosts) {
      const namespace = `team-${Number(host.slice(1, host.indexOf('.'))) % 2}`
      const over = (port: number) => shortAnswer(routeThroughGatewayApi(conversion.objects, { host, path, port }))
      t.equal(over(443), `web.${namespace}:80 /x`, host)
      t.match(over(80), /^308 /, host)
    }
  const issued = { 'cert-manager.io/cluster-issuer': 'letsencrypt' }
  const certificates = convertTo({ version: 4 }, [ingress({ annotations: issued, secret: 'tls' })])
  t.match(ofKind(certificates, 'Certificate'), [{ metadata: { name: 'shop-tls', namespace: 'istio-system' } }])
  t.match(ofKind(certificates, 'Gateway'), [
    { spec: { listeners: [{}, { tls: { certificateRefs: [{ name: 'shop-tls' }] } }] } },
  ])
  t.end()
})
