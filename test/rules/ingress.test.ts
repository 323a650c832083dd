// The Ingress guard: who is denied, who never is, and what the message says.
import t from 'tap'
import { parseAllDocuments } from 'yaml'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { referenceTo } from '../../src/kubernetes/object.ts'
import { ingressRule } from '../../src/rules/ingress/ingress-rule.ts'
import { INGRESS_VALUES } from '../../src/rules/configuration.ts'
import type { Exemptions } from '../../src/rules/exemption.ts'
import type { RuleContext, RuleResult } from '../../src/rules/rule.ts'
import { buildClusterState } from '../../src/cluster/cluster-state.ts'
import { contextOf, namespaceObject, strictShop } from '../support/fixtures.ts'
import { INGRESS_CASES } from '../support/ingress-cases.ts'

const service = (name: string, ports: readonly JsonObject[], more: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop', ...(more['metadata'] as JsonObject | undefined) },
  spec: { ports, selector: (more['selector'] ?? {}) as JsonObject },
})
const ingressClass = (name: string, controller: string): JsonObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'IngressClass',
  metadata: { name },
  spec: { controller },
})
const istioGateway = service('gw', [{ port: 80 }], { selector: { istio: 'ingressgateway' } })
const context = contextOf(
  strictShop(
    {},
    service('web', [{ name: 'http', port: 80 }]),
    istioGateway,
    ingressClass('mesh', 'istio.io/ingress-controller'),
  ),
)

const backend = (name: string, port: number | string): JsonObject => ({
  service: { name, port: typeof port === 'number' ? { number: port } : { name: port } },
})
const path = (value: string, pathType: string, name = 'web', port: number | string = 80): JsonObject => ({
  path: value,
  pathType,
  backend: backend(name, port),
})
const rule = (host: string, ...paths: readonly JsonObject[]): JsonObject => ({ host, http: { paths } })
const ingress = (spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name: 'web', namespace: 'shop', ...metadata },
  spec,
})
const plain = ingress({ rules: [rule('shop.example.com', path('/', 'Prefix'))] })

function decide(
  object: JsonObject,
  { old, user = '', within = context }: { old?: JsonObject; user?: string; within?: RuleContext } = {},
): RuleResult {
  const operation = old === undefined ? 'CREATE' : 'UPDATE'
  return ingressRule.apply({ operation, reference: referenceTo(object), object, oldObject: old, user }, within)
}

function outcome(object: JsonObject, options: Parameters<typeof decide>[1] = {}): string {
  const [decision] = decide(object, options).decisions
  return `${decision?.action ?? ''} ${decision?.reason ?? ''}`
}

function printed(object: JsonObject): readonly JsonObject[] {
  const message = decide(object).denial ?? ''
  const block = /\n---\n([\s\S]*)\n---\n/.exec(message)?.[1] ?? ''
  const documents = parseAllDocuments(block)
  return Array.isArray(documents) ? documents.map((document) => document.toJS() as JsonObject) : []
}

t.test('who is denied and who never is', (t) => {
  const solver = { labels: { 'acme.cert-manager.io/http01-solver': 'true' } }
  const challenge = path('/.well-known/acme-challenge/x', 'ImplementationSpecific', 'cm', 8089)
  const allowed = contextOf(strictShop({ 'istio-onramp.io/ingress': 'allow' }))
  const outside = contextOf(buildClusterState([namespaceObject('shop')]).state)
  const ambient = contextOf(
    buildClusterState([namespaceObject('shop', { 'istio.io/dataplane-mode': 'ambient' })]).state,
  )
  t.equal(outcome(plain), 'deny ingress-in-mesh')
  t.equal(outcome(plain, { within: ambient }), 'deny ingress-in-mesh', 'ambient is in the mesh, too')
  t.equal(outcome(plain, { within: outside }), 'allow not-in-mesh')
  t.equal(outcome(plain, { within: contextOf(strictShop(), { exemptNamespaces: ['shop'] }) }), 'allow exempt-namespace')
  t.equal(outcome(ingress({ rules: [rule('a', challenge)] }, solver)), 'allow ingress-acme-solver')
  t.equal(
    outcome(ingress({ rules: [rule('a', challenge, path('/', 'Prefix'))] }, solver)),
    'deny ingress-in-mesh',
    'the label alone is no proof',
  )
  t.equal(
    outcome(ingress({ defaultBackend: backend('web', 80), rules: [rule('a', challenge)] }, solver)),
    'deny ingress-in-mesh',
  )
  t.equal(outcome(ingress({ rules: [] }, solver)), 'deny ingress-in-mesh', 'no path at all is no challenge')
  t.equal(
    outcome(ingress({ rules: [{ host: 'a', http: { paths: [{ pathType: 'ImplementationSpecific' }] } }] }, solver)),
    'deny ingress-in-mesh',
    'a path without a path',
  )
  t.equal(
    outcome({ ...plain, metadata: { name: 'web', namespace: 'shop', deletionTimestamp: 'x' } }),
    'deny ingress-in-mesh',
    'only the API server says that an object is being deleted',
  )
  t.equal(
    outcome({ ...plain, metadata: { name: 'web', namespace: 'shop', labels: { a: 'b' } } }, { old: plain }),
    'warn ingress-spec-unchanged',
  )
  t.equal(
    outcome(ingress({ rules: [rule('shop.example.com', path('/', 'Prefix'), challenge)] }), { old: plain }),
    'allow ingress-acme-paths-only',
  )
  t.equal(
    outcome(ingress({ rules: [rule('shop.example.com', path('/new', 'Prefix'))] }), { old: plain }),
    'deny ingress-in-mesh',
  )
  t.equal(outcome(ingress({}, { annotations: { 'kubernetes.io/ingress.class': 'istio' } })), 'warn ingress-istio-class')
  t.equal(outcome(ingress({ ingressClassName: 'mesh' })), 'warn ingress-istio-class')
  t.equal(
    outcome(ingress({ ingressClassName: 'istio' })),
    'deny ingress-in-mesh',
    'no such IngressClass, and the default mode is STRICT',
  )
  t.equal(
    outcome(ingress({ ingressClassName: 'mesh' }, { annotations: { 'kubernetes.io/ingress.class': 'nginx' } })),
    'deny ingress-in-mesh',
    'the annotation beats the class',
  )
  const gatewayHere = contextOf(strictShop({}, istioGateway), { controlPlaneNamespaces: ['shop'] })
  const toGateway = ingress({ rules: [rule('a', path('/', 'Prefix', 'gw'))] })
  t.equal(outcome(toGateway, { within: gatewayHere }), 'allow ingress-to-gateway')
  t.equal(outcome(toGateway), 'deny ingress-in-mesh', 'a gateway is one only where the platform team deploys them')
  t.equal(
    outcome(ingress({ rules: [rule('a', path('/', 'Prefix', 'gw'), path('/b', 'Prefix', 'web'))] })),
    'deny ingress-in-mesh',
  )
  t.equal(
    outcome(plain, { user: 'flagger', within: contextOf(strictShop(), { trustedIngressUsers: ['flagger'] }) }),
    'warn ingress-trusted-user',
  )
  t.equal(outcome(plain, { within: allowed }), 'allow ingress-allowed')
  t.equal(
    outcome(
      { ...plain, metadata: { name: 'web', namespace: 'shop', annotations: { 'istio-onramp.io/ingress': 'deny' } } },
      { within: allowed },
    ),
    'deny ingress-in-mesh',
    "the object's word beats the namespace's",
  )
  t.equal(outcome(plain, { within: contextOf(strictShop(), { ingress: 'warn' }) }), 'warn ingress-in-mesh')
  t.match(
    decide({ ...plain, metadata: { name: 'web', namespace: 'shop', annotations: { 'istio-onramp.io/ingress': 'no' } } })
      .warnings,
    [/allowed are deny, warn, allow/],
  )
  t.end()
})

const lookalikes = contextOf(
  strictShop(
    {},
    service('labelled', [{ port: 80 }], { metadata: { labels: { 'gateway.networking.k8s.io/gateway-name': 'x' } } }),
    service('selecting', [{ port: 80 }], { selector: { istio: 'ingressgateway' } }),
    service('istio-ingressgateway', [{ port: 80 }], { selector: { istio: 'ingressgateway' } }),
    service('edge-istio', [{ port: 80 }], {
      metadata: { labels: { 'gateway.networking.k8s.io/gateway-name': 'edge' } },
    }),
  ),
)

t.test('what a controller would serve afterwards decides, wherever in the object it is written', (t) => {
  for (const { title, before, after, rule: expected } of INGRESS_CASES)
    t.equal(outcome(after, { within: lookalikes, ...(before === undefined ? {} : { old: before }) }), expected, title)
  t.end()
})

t.test('rules.ingressExemptions says whose annotation may loosen the rule; anybody may tighten it', (t) => {
  // | exemptions | namespace | Ingress | outcome | exempted by |
  const rows: readonly (readonly [Exemptions, string, string, string, string])[] = [
    ['object', '', 'allow', 'allow ingress-allowed', 'object'],
    ['object', 'allow', '', 'allow ingress-allowed', 'namespace'],
    ['object', 'allow', 'deny', 'deny ingress-in-mesh', ''],
    ['namespace', '', 'allow', 'deny ingress-in-mesh', ''],
    ['namespace', 'warn', 'allow', 'warn ingress-in-mesh', 'namespace'],
    ['namespace', 'allow', '', 'allow ingress-allowed', 'namespace'],
    ['namespace', 'allow', 'deny', 'deny ingress-in-mesh', ''],
    ['none', 'allow', '', 'deny ingress-in-mesh', ''],
    ['none', 'allow', 'allow', 'deny ingress-in-mesh', ''],
    ['none', '', 'warn', 'deny ingress-in-mesh', ''],
  ]
  for (const [ingressExemptions, namespace, own, expected, by] of rows) {
    const settings = (value: string) => (value === '' ? {} : { 'istio-onramp.io/ingress': value })
    const within = contextOf(strictShop(settings(namespace)), { ingressExemptions })
    const object = ingress(plain['spec'] as JsonObject, { annotations: settings(own) })
    const title = `${ingressExemptions}, namespace ${namespace}, Ingress ${own}`
    t.equal(outcome(object, { within }), expected, title)
    const { exemptions, warnings, denial } = decide(object, { within })
    t.same(
      exemptions.map((exemption) => exemption.by),
      by === '' ? [] : [by],
      `${title}: exempted by`,
    )
    const isRefused =
      ingressExemptions !== 'object' &&
      (own === 'allow' || own === 'warn' || (ingressExemptions === 'none' && namespace !== ''))
    t.equal(
      warnings.some((warning) => warning.includes('it may only tighten the rule')),
      isRefused,
      `${title}: told`,
    )
    if (denial !== undefined && ingressExemptions !== 'object')
      t.notMatch(denial, /annotate it or its namespace/, title)
  }
  t.same(
    INGRESS_VALUES.filter((value) =>
      outcome(plain, { within: contextOf(strictShop(), { ingress: value, ingressExemptions: 'none' }) }).startsWith(
        value,
      ),
    ),
    INGRESS_VALUES,
    'the configuration itself says what it likes',
  )
  t.end()
})

t.test('an Ingress that is too big for a message is denied in constant text, without a conversion', (t) => {
  const many = Array.from({ length: 201 }, (_, index) => path(`/p${index}`, 'Prefix'))
  const big = [
    ingress({ rules: [rule('a.example.com', ...many)] }),
    ingress({ rules: [rule('a.example.com', path(`/${'x'.repeat(70_000)}`, 'Prefix'))] }),
    ingress(plain['spec'] as JsonObject, {
      annotations: {
        'nginx.ingress.kubernetes.io/server-alias': Array.from({ length: 300 }, (_, n) => `h${n}.example.com`).join(
          ',',
        ),
      },
    }),
  ]
  const texts = big.map((object) => decide(object).denial)
  t.match(texts[0], /too big to convert in a denial.*istio-onramp convert -f FILE/)
  t.equal(new Set(texts).size, 1)
  const { warnings } = decide(big[0] ?? {}, { within: contextOf(strictShop(), { ingress: 'warn' }) })
  t.match(warnings, [
    /istio-onramp convert -f FILE prints the objects to apply instead \[istio-onramp\/ingress-in-mesh\]$/,
  ])
  t.end()
})

t.test('the message says what, why and what next, in words its reader can act on', (t) => {
  const object = ingress(
    {
      ingressClassName: 'nginx',
      tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
      rules: [
        rule(
          'Shop.example.com',
          path('/api', 'Prefix', 'api', 8080),
          path('/', 'Prefix', 'web', 'http'),
          path('/x', 'Exact', 'gone', 'nosuch'),
        ),
      ],
    },
    {
      annotations: {
        'nginx.ingress.kubernetes.io/auth-url': 'https://auth',
        'kubectl.kubernetes.io/last-applied-configuration': '{}',
      },
    },
  )
  const message = decide(object).denial ?? ''
  const [headline = ''] = message.split('\n')
  t.equal(
    headline,
    'Ingress shop/web is denied: the namespace is in the Istio mesh, whose gateway ignores Ingresses. Apply the Gateway and VirtualService below instead. [istio-onramp/ingress-in-mesh]',
  )
  t.ok(headline.length <= 200)
  t.match(message, 'Equivalent routes: shop.example.com/api -> api:8080 (https), shop.example.com/ -> web:80 (https).')
  t.match(
    message,
    /^For the platform team: nginx\.ingress\.kubernetes\.io\/auth-url \(SECURITY: every request is denied until .*extensionProviders, .*\{.*\}.*\); spec\.tls\[0\] \(HTTPS for shop\.example\.com: copy secret shop\/tls to istio-system\/shop-tls/m,
  )
  t.match(
    message,
    /^Could not convert: spec\.rules\[0\]\.http\.paths\[2\]\.backend\.service\.port\.name \(port nosuch of Service shop\/gone is unknown/m,
  )
  t.match(message, /^For the full output, or Gateway API objects: istio-onramp convert -f FILE \[--to gateway-api\]$/m)
  t.match(message, /istio-onramp\.io\/ingress: "allow"/)
  t.notMatch(message, /last-applied/)
  t.notMatch(message, /[^\x20-\x7e\n]/, 'plain ASCII')
  const [gateway, virtualService, ...rest] = printed(object)
  t.match(message, /^#! for the platform team: namespace istio-system$/m)
  t.same(
    rest.map(({ kind }) => kind),
    ['ServiceEntry', 'DestinationRule', 'AuthorizationPolicy'],
    'the authorization service is outside of the mesh',
  )
  t.same(gateway, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'Gateway',
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      selector: { istio: 'ingressgateway' },
      servers: [
        {
          port: { number: 443, name: 'https-web-0', protocol: 'HTTPS' },
          hosts: ['shop/shop.example.com'],
          tls: { mode: 'SIMPLE', credentialName: 'shop-tls' },
        },
        { port: { number: 80, name: 'http-web', protocol: 'HTTP' }, hosts: ['shop/shop.example.com'] },
      ],
    },
  })
  const to = (name: string, number: number) => [
    { destination: { host: `${name}.shop.svc.cluster.local`, port: { number } } },
  ]
  t.same(virtualService, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: 'web.shop.example.com', namespace: 'shop' },
    spec: {
      hosts: ['shop.example.com'],
      gateways: ['shop/web'],
      http: [
        { name: 'https-redirect', match: [{ port: 80 }], redirect: { scheme: 'https', redirectCode: 308 } },
        { match: [{ uri: { exact: '/api' } }, { uri: { prefix: '/api/' } }], route: to('api', 8080) },
        { match: [{ uri: { prefix: '/' } }], route: to('web', 80) },
      ],
    },
  })
  t.end()
})

t.test('paths keep their meaning, for every path type and controller class', (t) => {
  const uris = (className: string | undefined, ...paths: readonly JsonObject[]) => {
    const spec = {
      rules: [rule('a.example.com', ...paths)],
      ...(className === undefined ? {} : { ingressClassName: className }),
    }
    const http = (printed(ingress(spec))[1]?.['spec'] as { http: readonly { match: readonly { uri: JsonObject }[] }[] })
      .http
    return http.map(({ match }) => match.map(({ uri }) => uri))
  }
  t.same(
    uris(undefined, path('/foo/', 'Prefix'), path('/foo', 'Exact')),
    [[{ exact: '/foo' }], [{ exact: '/foo' }, { prefix: '/foo/' }]],
    'Exact /foo is not swallowed by Prefix /foo/',
  )
  t.same(
    uris(undefined, path('/', 'Prefix'), path('/a/b', 'Prefix'), path('/a', 'Prefix')),
    [[{ exact: '/a/b' }, { prefix: '/a/b/' }], [{ exact: '/a' }, { prefix: '/a/' }], [{ prefix: '/' }]],
    'longest first',
  )
  t.same(uris('nginx', path('/foo', 'ImplementationSpecific')), [[{ prefix: '/foo' }]], 'a raw prefix, as nginx has it')
  t.same(uris('alb', path('/foo/*', 'ImplementationSpecific'), path('/bar', 'ImplementationSpecific')), [
    [{ exact: '/bar' }],
    [{ exact: '/foo' }, { prefix: '/foo/' }],
  ])
  t.same(uris('gce', path('/*', 'ImplementationSpecific')), [[{ prefix: '/' }]])
  t.same(uris('traefik', path('/foo', 'ImplementationSpecific')), [[{ exact: '/foo' }, { prefix: '/foo/' }]])
  t.end()
})

t.test('what cannot be printed right is not printed, and named', (t) => {
  const nginx = (annotation: string, value: string) =>
    ingress(
      { ingressClassName: 'nginx', rules: [rule('a.example.com', path('/', 'Prefix'))] },
      { annotations: { [`nginx.ingress.kubernetes.io/${annotation}`]: value } },
    )
  const blocked: readonly (readonly [string, string, RegExp])[] = [
    [
      'rewrite-target',
      '/$host',
      /^Could not convert: .*rewrite-target \(\/\$host: the nginx variable \$host has no equivalent/m,
    ],
    ['permanent-redirect', 'https://$foo', /^Could not convert: .*permanent-redirect \(/m],
    ['canary', 'true', /a canary without its main Ingress/],
  ]
  for (const [annotation, value, text] of blocked) {
    t.same(printed(nginx(annotation, value)), [], annotation)
    t.match(decide(nginx(annotation, value)).denial, text, annotation)
  }
  t.match(decide(nginx('server-snippet', 'return 200;')).denial, /^Could not convert: .*server-snippet \(/m)
  const odd = ingress({
    defaultBackend: backend('web', 80),
    tls: [{ hosts: ['b.example.com'] }],
    rules: [
      { http: { paths: [path('/', 'Prefix')] } },
      {
        host: 'b.example.com',
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { resource: { kind: 'X', name: 'y' } } }] },
      },
      rule('b.example.com', path('/', 'Prefix', 'other'), path('/', 'Prefix', 'third')),
    ],
  })
  const message = decide(odd).denial ?? ''
  t.match(message, /spec\.tls\[0\] \(no secretName/)
  t.match(message, /spec\.rules\[0\] \(a rule without a host would match every host of the gateway/)
  t.match(message, /spec\.rules\[1\]\.http\.paths\[0\]\.backend \(resource X y has no equivalent in Istio/)
  t.match(
    message,
    /spec\.rules\[2\]\.http\.paths\[1\] \(never reached: spec\.rules\[2\]\.http\.paths\[0\] has the same path/,
  )
  t.match(
    decide(ingress({ defaultBackend: backend('web', 80) })).denial,
    /^No route could be converted; the reasons follow\.$/m,
  )
  t.end()
})

t.test('a long message loses its YAML, never half of it, and stays below 4,000 characters', (t) => {
  const hosts = Array.from({ length: 200 }, (_, index) => rule(`host-${index}.example.com`, path('/', 'Prefix')))
  const message = decide(ingress({ rules: hosts })).denial ?? ''
  t.ok(message.length <= 4000, `${message.length}`)
  t.notMatch(message, 'apiVersion')
  t.match(message, 'and 190 more')
  const argo = decide(ingress({ rules: [rule('a', path('/map[x]', 'Exact'))] })).denial ?? ''
  t.notMatch(argo, /map\[/, 'Argo CD would delete it')
  t.end()
})

t.test('text from an Ingress never begins a line of the message, whatever ends a line in YAML 1.1', (t) => {
  for (const end of ['\n', '\r', '\u0085', '\u2028', '\u2029']) {
    const evil = `${end}---${end}kind: Namespace${end}for: "x": ${end}`
    const annotations = { [`nginx.ingress.kubernetes.io/${evil}`]: evil }
    const object = ingress({ rules: [rule('a.example.com', path(`/${evil}`, 'Exact'))] }, { annotations })
    const lines = (decide(object).denial ?? '').split(/[\n\r\u0085\u2028\u2029]/)
    t.notOk(lines.includes('kind: Namespace'), String(end.charCodeAt(0)))
    t.notOk(
      lines.some((line) => line.startsWith('for: "')),
      'Argo CD would delete all before it',
    )
    t.match(lines.join('\n'), 'exact: ', 'the objects are printed')
    const { warnings } = decide(object, { within: contextOf(strictShop(), { ingress: 'warn' }) })
    t.notMatch(warnings.join(''), /[\n\r\u0085\u2028\u2029]/, 'warnings')
  }
  t.end()
})

t.test('a wildcard host is printed with what it takes besides', (t) => {
  const { denial } = decide(ingress({ rules: [rule('*.example.com', path('/', 'Prefix'))] }))
  t.match(denial, /hosts:\n\s+- "\*\.example\.com"/)
  t.match(
    denial,
    /^Differs: spec\.rules\[0\]\.host \(\*\.example\.com matched exactly one label in an Ingress; at the gateway it also matches a\.b\.example\.com\)\./m,
  )
  t.end()
})

t.test('warnings are single lines that name the object', (t) => {
  const { warnings, denial } = decide(plain, { within: contextOf(strictShop(), { ingress: 'warn' }) })
  t.equal(denial, undefined)
  t.match(warnings, [
    /^Ingress shop\/web: the namespace is in the Istio mesh, whose gateway ignores Ingresses; move shop\.example\.com\/ -> web:80 to a VirtualService \[istio-onramp\/ingress-in-mesh\]$/,
  ])
  t.end()
})

t.test('names of emitted objects are legal and do not collide', (t) => {
  const named = (name: string, host: string) => printed(ingress({ rules: [rule(host, path('/', 'Prefix'))] }, { name }))
  const gatewayName = (name: string) => String((named(name, 'a.example.com')[0]?.['metadata'] as JsonObject)['name'])
  t.match(gatewayName('a.b'), /^a-b-[a-z0-9]{6}$/, 'a Gateway has no dots')
  t.not(gatewayName('a.b'), gatewayName('a-b'))
  t.ok(gatewayName('x'.repeat(250)).length <= 63)
  t.match(
    (named('web', '*.example.com')[1]?.['metadata'] as JsonObject)['name'],
    /^web\.wildcard\.example\.com-[a-z0-9]{6}$/,
  )
  t.end()
})

const liveGateway = (servers: readonly JsonObject[]): JsonObject => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  metadata: { name: 'public', namespace: 'istio-system' },
  spec: { selector: { istio: 'ingressgateway' }, servers },
})
const tlsServer = (host: string): JsonObject => ({
  port: { number: 443, name: 'https', protocol: 'HTTPS' },
  hosts: [host],
  tls: { mode: 'SIMPLE', credentialName: 'shop-tls' },
})
const plainServer = (host: string): JsonObject => ({
  port: { number: 80, name: 'http', protocol: 'HTTP' },
  hosts: [host],
})

t.test('where a Gateway already serves the host, the denial says so and adds no second server for it', (t) => {
  const secured = ingress({
    rules: [rule('shop.example.com', path('/', 'Prefix'))],
    tls: [{ hosts: ['shop.example.com'], secretName: 'tls' }],
  })
  const denialWith = (...objects: readonly JsonObject[]) => {
    const within = contextOf(strictShop({}, service('web', [{ port: 80 }]), ...objects))
    return decide(secured, { within }).denial ?? ''
  }
  const bound = denialWith(liveGateway([tlsServer('*/shop.example.com'), plainServer('*/shop.example.com')]))
  t.match(bound, /^Ingress shop\/web is denied: .* Apply the VirtualService below instead\. \[istio-onramp\//)
  t.match(bound, /^Gateway istio-system\/public already serves shop\.example\.com over HTTPS: bind to it/m)
  t.match(bound, /kind: VirtualService[^]*gateways:\n +- istio-system\/public\n/)
  t.notMatch(bound, /kind: Gateway/)
  t.ok(bound.length < 4000)
  const partly = denialWith(liveGateway([tlsServer('*/shop.example.com')]))
  t.match(partly, /already serves shop\.example\.com over HTTPS/, 'port 80 still needs a server')
  t.match(partly, /kind: Gateway/)
  t.notMatch(partly, /number: 443/)
  const closed = denialWith(liveGateway([tlsServer('pay/shop.example.com'), plainServer('pay/shop.example.com')]))
  t.match(closed, /For the platform team: .*must also list shop\/shop\.example\.com in the hosts/)
  for (const other of [
    liveGateway([tlsServer('*/pay.example.com')]),
    { ...liveGateway([tlsServer('*/shop.example.com')]), spec: { selector: { istio: 'egress' }, servers: [] } },
  ])
    t.match(denialWith(other), /Apply the Gateway and VirtualService below instead/)
  t.end()
})
