// Which requests reach which backend where several Ingresses have one host: as in the controller that served them
// (docs/facts/ingress-nginx.md), asked by requests through the simulated routers.
import t from 'tap'
import { convertIngresses, type Conversion } from '../../src/conversion/convert-ingresses.ts'
import { DEFAULT_GATEWAY, type ServicePort, type Target } from '../../src/conversion/model/conversion-options.ts'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, type Annotations } from './support/conversion-fixtures.ts'
import { argo, nginx, of, ORDERS, PASSED_HOSTS, prefix, requestOf, SLASHES } from './support/location-cases.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { shortAnswer } from './support/short-answer.ts'
import { TARGETS } from './support/targets.ts'

function ask({ objects }: Conversion, target: Target, text: string): string {
  const request = requestOf(text)
  return shortAnswer(
    target === 'istio' ? routeThroughIstio(objects, request) : routeThroughGatewayApi(objects, request),
  )
}

interface ClassRow {
  readonly title: string
  readonly first: JsonObject
  readonly second: JsonObject
  /** The answer for /admin, which only the second has. */
  readonly admin: string
}

const open = (className: string, annotations: Annotations = {}) =>
  ingress({ name: 'public', className, annotations, paths: [prefix('/', 'web')] })
const admin = (className: string, annotations: Annotations = {}, namespace = 'shop') =>
  ingress({ namespace, name: 'admin', className, annotations, paths: [prefix('/admin', 'admin')] })
const SCHEME = 'alb.ingress.kubernetes.io/scheme'

/** https://kubernetes.github.io/ingress-nginx/user-guide/multiple-ingress/: a controller serves its own class only. */
const CLASSES: readonly ClassRow[] = [
  {
    title: 'two classes of ingress-nginx',
    first: open('nginx-external'),
    second: admin('nginx-internal'),
    admin: 'web.shop:80 /admin',
  },
  {
    title: 'two classes, in two namespaces',
    first: open('nginx-external'),
    second: admin('nginx-internal', {}, 'ops'),
    admin: 'web.shop:80 /admin',
  },
  {
    title: 'two classes by the old annotation',
    first: open('gce'),
    second: ingress({
      ...{ name: 'admin', annotations: { 'kubernetes.io/ingress.class': 'gce-internal' } },
      paths: [prefix('/admin', 'admin')],
    }),
    admin: 'web.shop:80 /admin',
  },
  {
    title: 'two load balancers of AWS, of which one is internal',
    first: open('alb', { [SCHEME]: 'internet-facing' }),
    second: admin('alb'),
    admin: 'web.shop:80 /admin',
  },
  { title: 'two controllers', first: open('nginx'), second: admin('traefik'), admin: 'web.shop:80 /admin' },
  { title: 'one class', first: open('nginx'), second: admin('nginx'), admin: 'admin.shop:80 /admin' },
]

t.test('routes of another class do not become reachable', (t) => {
  for (const { title, first, second, admin: answer } of CLASSES) {
    const conversion = convert([first, second])
    t.equal(ask(conversion, 'istio', '/admin'), answer, title)
    t.equal(ask(conversion, 'istio', '/x'), 'web.shop:80 /x', `${title}: the first one stays`)
    const isApart = title !== 'one class'
    t.same(
      securityLines(conversion).map(({ about }) => about),
      isApart ? ['spec.rules[0]'] : [],
      title,
    )
    t.equal(classNotes(conversion).length, isApart ? 1 : 0, `${title}: a warning for the further class`)
  }
  t.end()
})

t.test('in Gateway API each class has a Gateway of its own, so both keep their routes', (t) => {
  for (const { title, first, second, admin: answer } of CLASSES) {
    const conversion = convert([first, second], 'gateway-api')
    const gateways = ofKind(conversion, 'Gateway').map((gateway) => String(memberAt(gateway, 'metadata', 'name')))
    const through = (name: string, path: string) => {
      const isOther = (object: JsonObject) =>
        object['kind'] === 'Gateway' && memberAt(object, 'metadata', 'name') !== name
      return ask(
        { ...conversion, objects: conversion.objects.filter((object) => !isOther(object)) },
        'gateway-api',
        path,
      )
    }
    t.equal(through(gateways[0] ?? '', '/admin'), answer, title)
    t.equal(through(gateways[0] ?? '', '/x'), 'web.shop:80 /x', title)
    t.equal(
      through(gateways.at(-1) ?? '', '/admin'),
      'admin.shop:80 /admin'.replace('shop', namespaceOf(second)),
      title,
    )
    t.equal(gateways.length, title === 'one class' ? 1 : 2, title)
    t.same(securityLines(conversion), [], title)
    t.equal(classNotes(conversion).length, gateways.length - 1, `${title}: a warning about the second load balancer`)
  }
  t.end()
})

function namespaceOf(object: JsonObject): string {
  return String(memberAt(object, 'metadata', 'namespace'))
}

function securityLines({ report }: Conversion) {
  return report.filter(
    ({ level, message }) => level === 'error' && /^SECURITY: a\.example\.com also belongs/.test(message),
  )
}

function classNotes({ notes }: Conversion) {
  return notes.filter(({ level, about }) => level === 'warn' && about.startsWith('ingress class'))
}

t.test('the TLS and the default backend of a refused rule do not reach the other class either', (t) => {
  const refused = ingress({
    ...{ name: 'admin', className: 'nginx-internal', secret: 'internal', paths: [prefix('/admin', 'admin')] },
    spec: { defaultBackend: { service: { name: 'admin', port: { number: 80 } } } },
  })
  const conversion = convert([open('nginx-external'), refused], 'istio', { allowHostless: true })
  t.equal(ask(conversion, 'istio', '/admin'), 'web.shop:80 /admin', 'not redirected to HTTPS')
  t.equal(ask(conversion, 'istio', 'other.example.com/'), '404')
  t.notMatch(JSON.stringify(conversion.objects), /internal/)
  t.end()
})

t.test('classes of one controller are one', (t) => {
  const options = {
    ...({ target: 'istio', gateway: DEFAULT_GATEWAY, portNumber: () => undefined } as const),
    controllerOf: () => 'k8s.io/ingress-nginx',
  }
  const { report } = convertIngresses([open('nginx-a'), admin('nginx-b')], options)
  t.same(
    report.filter(({ level }) => level === 'error'),
    [],
  )
  t.end()
})

t.test('an Ingress without a class is for the default one, or for the only one of the others', (t) => {
  const classless = ingress({ name: 'admin', spec: { ingressClassName: null }, paths: [prefix('/docs/', 'docs')] })
  const isDefault = { 'ingressclass.kubernetes.io/is-default-class': 'true' }
  const defaultClass = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'kong', annotations: isDefault },
  }
  const errorsOf = (objects: readonly JsonObject[]) => convert(objects).report.filter(({ level }) => level === 'error')
  t.equal(errorsOf([open('nginx'), classless]).length, 0)
  t.equal(
    errorsOf([defaultClass, open('nginx'), classless]).length,
    1,
    'the default class is that of another controller',
  )
  t.end()
})

for (const target of TARGETS)
  t.test(`a path that ends with a slash redirects requests without it, to ${target}`, (t) => {
    for (const { title, ingresses, answers } of SLASHES) {
      const conversion = convert(ingresses, target)
      for (const [request, answer] of Object.entries(answers))
        t.equal(ask(conversion, target, request), answer, `${title}: ${request}`)
    }
    t.end()
  })

t.test('on a host of regular expressions there is no such redirect', (t) => {
  const conversion = convert([
    ingress({ name: 'docs', paths: [prefix('/docs/', 'docs')] }),
    ingress({ name: 'root', annotations: nginx({ 'use-regex': 'true' }), paths: [prefix('/')] }),
  ])
  t.equal(ask(conversion, 'istio', '/docs'), 'web.shop:80 /docs')
  t.end()
})

t.test('the order of paths is that of the whole host, over all namespaces', (t) => {
  for (const { title, ingresses, answers } of ORDERS)
    for (const given of [ingresses, ingresses.toReversed()]) {
      // Whichever Ingress is listed first is the older one; only the same path depends on that.
      if (given !== ingresses && title.startsWith('the same path')) continue
      const conversion = convert(given)
      for (const [request, answer] of Object.entries(answers))
        t.equal(ask(conversion, 'istio', request), answer, `${title}: ${request}`)
    }
  t.end()
})

t.test('routes in the VirtualService of another namespace keep their policies, and leave no empty Gateway', (t) => {
  const guarded = ingress({
    ...{ namespace: 'b', name: 'b', annotations: nginx({ 'whitelist-source-range': '10.0.0.0/8' }) },
    paths: [prefix('/api/v2', 'two')],
  })
  const { objects, report } = convert([of('a', prefix('/api', 'all')), guarded])
  const kinds = objects.map(({ kind, metadata }) => `${kind} ${String((metadata as JsonObject)['namespace'])}`)
  t.same(kinds, ['Gateway a', 'VirtualService a', 'AuthorizationPolicy istio-system'])
  t.match(JSON.stringify(objects), /"paths":\["\/api\/v2","\/api\/v2\/\*"\]/)
  const said = report.filter(({ ingress: id, about }) => id === 'b/b' && about === 'spec.rules[0].host')
  t.match(said, [{ level: 'warn', message: /^the VirtualService of Ingress a\/a has these routes/ }])
  t.end()
})

t.test('with TLS, or under an alias, the routes of both namespaces are served', (t) => {
  const annotations = nginx({ 'server-alias': 'alias.example.com' })
  const older = ingress({ namespace: 'a', name: 'a', annotations, paths: [prefix('/api', 'all')] })
  const younger = { namespace: 'b', name: 'b', paths: [prefix('/api/v2', 'two')] }
  const secured = convert([older, ingress({ ...younger, secret: 'tls' })])
  t.equal(ask(secured, 'istio', 'https://a.example.com/api/v2'), 'two.b:80 /api/v2')
  t.equal(ask(secured, 'istio', 'https://a.example.com/api/v1'), 'all.a:80 /api/v1')
  t.equal(ask(secured, 'istio', '/api/v2'), '308 https://a.example.com/api/v2')
  const plain = convert([older, ingress(younger)])
  t.equal(ask(plain, 'istio', 'alias.example.com/api/v2'), 'two.b:80 /api/v2')
  t.end()
})

const SERVICES: Readonly<Record<string, readonly ServicePort[]>> = {
  web: [
    { name: 'http', port: 80, target: 8080 },
    { name: 'metrics', port: 9090, target: 'prom' },
  ],
}

interface PortRow {
  readonly className: string
  readonly port: number | string
  /** The answer, or what the line says. */
  readonly is: string | RegExp
}

/** `serviceEndpoints` of ingress-nginx' controller.go also compares target ports. */
const PORTS: readonly PortRow[] = [
  { className: 'nginx', port: 80, is: 'web.shop:80 /' },
  { className: 'nginx', port: 'http', is: 'web.shop:80 /' },
  { className: 'nginx', port: 8080, is: 'web.shop:80 /' },
  { className: 'nginx', port: 'prom', is: 'web.shop:9090 /' },
  {
    className: 'nginx',
    port: 81,
    is: /^error number: Service shop\/web does not have port 81; it has 80 \(http\), 9090 \(metrics\)/,
  },
  { className: 'nginx', port: 'grpc', is: /^error name: Service shop\/web does not have port grpc/ },
  { className: 'traefik', port: 8080, is: /^error number: Service shop\/web does not have port 8080/ },
]

t.test('a backend has a port of its Service, which is in the input', (t) => {
  const options = {
    ...({ target: 'istio', gateway: DEFAULT_GATEWAY, portNumber: () => undefined } as const),
    ...{ controllerOf: () => undefined, servicePorts: (_: string, name: string) => SERVICES[name] },
  }
  for (const { className, port, is } of PORTS) {
    const conversion = convertIngresses([ingress({ className, paths: [{ path: '/', port }] })], options)
    if (typeof is === 'string') t.equal(ask(conversion, 'istio', '/'), is, `${className} ${port}`)
    else {
      const lines = conversion.report.filter(({ level }) => level === 'error')
      t.match(lines.map(({ level, about, message }) => `${level} ${about.replace(/^.*\./, '')}: ${message}`).join(), is)
      t.equal(lines.length, 1, 'one line')
    }
  }
  const unknown = convertIngresses([ingress({ paths: [{ path: '/', service: 'other', port: 81 }] })], options)
  t.equal(ask(unknown, 'istio', '/'), 'other.shop:81 /', 'a Service that is not in the input')
  t.end()
})

t.test('a rule whose only path is refused has one line', (t) => {
  const rule = { host: 'a.example.com', http: { paths: [{ path: 404, pathType: 'Prefix' }] } }
  const { report } = convert([ingress({ spec: { rules: [rule] } })])
  t.same(
    report.filter(({ about }) => about.startsWith('spec.rules[0]')).map(({ about }) => about),
    ['spec.rules[0].http.paths[0].path'],
  )
  t.end()
})

for (const target of TARGETS)
  t.test(`a host whose TLS is passed through keeps port 80, to ${target}`, (t) => {
    for (const { title, ingresses, answers } of PASSED_HOSTS) {
      const conversion = convert(ingresses, target)
      for (const [request, answer] of Object.entries(answers))
        // A Gateway of the Gateway API always has a listener for port 80.
        t.equal(
          ask(conversion, target, request),
          target === 'istio' ? answer : answer.replace('refused', '404'),
          `${title}: ${request}`,
        )
      t.same(
        conversion.report.filter(({ level }) => level === 'error'),
        [],
        title,
      )
    }
    t.end()
  })

t.test('plain requests that ingress-nginx sends to such a backend over HTTPS are lost, and the report says so', (t) => {
  const lines = convert([argo()]).report.filter(({ about }) => about === 'spec.rules[0].http.paths[0]')
  t.match(lines, [{ level: 'warn', outcome: 'approximate', message: /with force-ssl-redirect they are redirected/ }])
  t.end()
})
