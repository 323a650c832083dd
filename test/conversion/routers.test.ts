/**
 * The two simulators against facts of Istio's own tests and code (pilot/pkg/networking/core/route/route_test.go,
 * pilot/pkg/networking/core/gateway_test.go, pilot/pkg/config/kube/gateway/testdata). The same tables are sent through a
 * real Envoy by hack/conversion/test.
 */
import t from 'tap'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { readRouterTables, type RouterCase } from './support/router-tables.ts'
import { shortAnswer } from './support/short-answer.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { fullMatch, substitute } from './support/re2.ts'

const tables = readRouterTables()

for (const [title, route, cases] of [
  ['Gateways and VirtualServices', routeThroughIstio, tables.istio],
  ['Gateway API objects', routeThroughGatewayApi, tables.gatewayApi],
] as const) {
  t.test(`the simulator of ${title}`, (t) => {
    for (const { title: name, objects, requests } of cases satisfies readonly RouterCase[])
      for (const [line, expected] of requests)
        t.equal(shortAnswer(route(objects, line)), expected, `${name}: ${line.host}${line.path} on ${line.port ?? 80}`)
    t.end()
  })
}

t.test('what a simulator does not know it refuses to answer', (t) => {
  const gateway = { port: { number: 80, name: 'http', protocol: 'HTTP' }, hosts: ['h'] }
  const objects = (http: JsonObject): readonly JsonObject[] => [
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'Gateway',
      metadata: { name: 'g', namespace: 'n' },
      spec: { servers: [gateway] },
    },
    {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'v', namespace: 'n' },
      spec: { hosts: ['h'], gateways: ['g'], http: [http] },
    },
  ]
  const request = { host: 'h', path: '/' }
  t.throws(() => routeThroughIstio(objects({ delegate: { name: 'd' } }), request), /not simulated: delegate/)
  t.throws(() => routeThroughIstio(objects({ fault: {} }), request), /not simulated: fault/)
  t.throws(
    () => routeThroughIstio(objects({ redirect: { redirectCode: 305 } }), request),
    /Envoy refuses redirectCode 305/,
  )
  t.end()
})

t.test('regular expressions are RE2: matched from end to end, groups written \\1, PCRE refused', (t) => {
  t.ok(fullMatch('/foo', '/foo'))
  t.notOk(fullMatch('/foo', '/foo/bar'), 'not a prefix')
  t.ok(fullMatch('(?i)/foo(/|$)(.*).*', '/FOO/x'))
  t.notOk(fullMatch('(?i)/$.*', '/hostname'), '$ is the end of the path also in the middle')
  t.ok(fullMatch('a|b', 'b'), 'an alternative is anchored as a whole')
  t.equal(substitute('(?i)^/something(/|$)(.*).*$', '/SOMETHING/new', '/\\2'), '/new')
  t.equal(substitute('/(?P<v>v[0-9]+)/', '/v1/x', '/\\1-\\0/'), '/v1-/v1//x')
  for (const pcre of ['/(?=a)', '/(?!a)', '(?<=a)b', '(a)\\1', 'a++', '(?>a)'])
    t.throws(() => fullMatch(pcre, '/'), /error parsing regexp/, pcre)
  t.ok(fullMatch('\\\\1', '\\1'), 'an escaped backslash before a digit is no backreference')
  t.end()
})
