// What Ingresses become: hosts, paths, certificates, siblings, policies, in Istio's API and in Gateway API.
import t from 'tap'
import { arrayMember, memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { renderObjects } from '../../src/commands/convert-yaml.ts'
import { renderReport } from '../../src/commands/convert-report.ts'
import { convert, convertTo, ingress, ofKind, reportOf, type Annotations } from './support/conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
const nginx = (annotations: Annotations): Annotations =>
  Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
const names = (objects: readonly JsonObject[]) =>
  objects.map(
    (object) =>
      `${String(object['kind'])} ${String(memberAt(object, 'metadata', 'namespace'))}/${String(memberAt(object, 'metadata', 'name'))}`,
  )
const httpOf = (object: JsonObject | undefined) => memberAt(object, 'spec', 'http') as readonly JsonObject[]

const GROUP = 'gateway.networking.k8s.io'

t.test('nothing that a user wrote leaves a comment, whatever ends a line in YAML 1.1', (t) => {
  for (const end of ['\n', '\r', '\u0085', '\u2028', '\u2029']) {
    const evil = `${end}---${end}kind: Namespace${end}`
    const annotations = { ...nginx({ 'auth-url': `https://$x${evil}` }), [`example.org/${evil}`]: 'x' }
    const conversion = convert([ingress({ name: `web${evil}`, annotations })])
    const text = renderReport({
      ...conversion,
      places: new Map([[`shop/web${evil}`, `a${evil}.yaml:1`]]),
      width: undefined,
    })
    const lines = renderObjects({ ...conversion, objects: [] }, text).split(/[\n\r\u0085\u2028\u2029]/)
    t.same(
      lines.filter((line) => line !== '' && !line.startsWith('#')),
      [],
      String(end.charCodeAt(0)),
    )
  }
  t.end()
})

t.test('the report says how a path differs, and counts what went well where it is long', (t) => {
  const paths = Array.from({ length: 25 }, (_, index) => ({ path: `/p${index}`, type: 'Prefix' }))
  const given = ingress({ className: 'traefik', paths: [...paths, '/foo'] })
  const text = renderReport({ report: reportOf([given]), notes: [], places: new Map(), width: undefined })
  t.match(text, /^ {2}info {2}spec\.rules\[0\]\.http\.paths\[25\]: differs: .* Traefik also matches \/foox$/m)
  t.match(text, /^ {2}converted: spec\.rules\[0\]\.http\.paths\[0\], .*paths\[19\] and 5 more$/m)
  t.end()
})

t.test('a fault is reported with its field, and everything else is converted', (t) => {
  const paths = [
    '/good',
    { path: 'relative', type: 'Prefix' },
    { path: '/named', type: 'Prefix', port: 'http' },
    { path: '/unknown', type: 'Prefix', port: 'nosuch' },
    { path: '/port', type: 'Prefix', port: 70000 },
    { path: '/good', type: 'ImplementationSpecific' },
  ]
  const more = [
    { host: '10.0.0.1', http: { paths: [] } },
    { host: 'under_score.example.com', http: { paths: [] } },
    { host: 'empty.example.com' },
    { http: { paths: [] } },
    { host: 'b.example.com', http: { paths: [{ path: '/', pathType: 'Prefix' }] } },
  ]
  const object = ingress({ paths })
  const rules = [...((memberAt(object, 'spec', 'rules') as readonly JsonObject[] | undefined) ?? []), ...more]
  const odd = { ...object, spec: { rules, tls: [{ hosts: ['a.example.com'] }], ingressClassName: 'nginx' } }
  const expected: readonly (readonly [string, string, RegExp])[] = [
    ['spec.rules[0].http.paths[0]', 'converted', /a\.example\.com\/good -> web:80/],
    ['spec.rules[0].http.paths[1].path', 'unsupported', /relative must start with \//],
    ['spec.rules[0].http.paths[2]', 'converted', /-> web:8080/],
    [
      'spec.rules[0].http.paths[3].backend.service.port.name',
      'unsupported',
      /port nosuch of Service shop\/web is unknown/,
    ],
    ['spec.rules[0].http.paths[4].backend.service.port.number', 'unsupported', /is 70000; allowed are 1 to 65535/],
    [
      'spec.rules[0].http.paths[5]',
      'not-needed',
      /never reached: spec\.rules\[0\]\.http\.paths\[0\] has the same path/,
    ],
    ['spec.rules[1].host', 'unsupported', /10\.0\.0\.1 is an IP address/],
    ['spec.rules[2].host', 'unsupported', /under_score\.example\.com is not a DNS name/],
    ['spec.rules[3]', 'unsupported', /has no http\.paths/],
    ['spec.rules[4]', 'unsupported', /a rule without a host would match every host/],
    ['spec.rules[5].http.paths[0].backend', 'unsupported', /it does not name a Service and a port/],
    ['spec.tls[0]', 'unsupported', /no secretName/],
  ]
  const report = reportOf([odd])
  for (const [about, outcome, message] of expected)
    t.match(
      report.find((line) => line.about === about),
      { ingress: 'shop/web', outcome, message },
      about,
    )
  t.equal(httpOf(ofKind(convert([odd]), 'VirtualService')[0]).length, 2)
  t.end()
})

t.test('older API versions, wrong types and annotations that are not strings', (t) => {
  const old: JsonObject = {
    apiVersion: 'extensions/v1beta1',
    kind: 'Ingress',
    metadata: { name: 'old', namespace: 'shop', annotations: { a: true } },
    spec: {
      tls: {},
      rules: [
        { host: 'old.example.com', http: { paths: [{ path: '/', backend: { serviceName: 'web', servicePort: 80 } }] } },
      ],
    },
  }
  t.match(reportOf([old]), [
    { about: 'apiVersion', message: /extensions\/v1beta1 was removed in Kubernetes 1\.22/ },
    { about: 'spec.tls', level: 'error', message: /must be a list, not object/ },
    { about: 'a', level: 'error', message: /must be a string, not boolean: put true in quotes/ },
    { about: 'spec.rules[0].http.paths[0]', message: 'old.example.com/ -> web:80' },
  ])
  t.end()
})

t.test('a field of the wrong type is an error with its path, and its parent is omitted', (t) => {
  const good = { path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }
  const port = (value: JsonObject): JsonObject => ({ ...good, backend: { service: { name: 'web', port: value } } })
  const path = 'spec.rules[0].http.paths[0]'
  const rules = (...paths: readonly JsonObject[]) => ({ rules: [{ host: 'a.example.com', http: { paths } }] })
  const table: readonly (readonly [JsonObject, string, RegExp])[] = [
    [rules({ ...good, pathType: 'prefix' }), `${path}.pathType`, /is "prefix"; allowed are Exact, Prefix or Implem/],
    [
      rules({ ...good, path: 404 }),
      `${path}.path`,
      /must be a string, not number: put 404 in quotes; the path is omitted/,
    ],
    [
      rules(port({ number: '80' })),
      `${path}.backend.service.port.number`,
      /is "80"; allowed is a number from 1 to 65535/,
    ],
    [rules(port({ name: 80 })), `${path}.backend.service.port.name`, /must be a string, not number: put 80 in quotes/],
    [
      { rules: [{ host: 123, http: { paths: [good] } }] },
      'spec.rules[0].host',
      /must be a string, not number: put 123/,
    ],
    [
      { rules: [{ host: 'a.example.com', http: { paths: {} } }] },
      'spec.rules[0].http.paths',
      /must be a list, not object/,
    ],
    [
      { defaultBackend: { service: { name: 'web', port: { number: '80' } } } },
      'spec.defaultBackend.service.port.number',
      /"80"/,
    ],
  ]
  for (const [spec, about, message] of table) {
    const given = { ...ingress({}), spec }
    const conversion = convert([given], 'istio', { allowHostless: true })
    t.match(
      conversion.report.filter((line) => line.level === 'error'),
      [{ about, outcome: 'unsupported', message }],
      about,
    )
    t.same(ofKind(conversion, 'VirtualService'), [], about)
  }
  t.end()
})

t.test('a TLS entry whose hosts or secret are not strings is omitted and reported', (t) => {
  const table: readonly (readonly [JsonObject, string, RegExp])[] = [
    [
      { hosts: 'a.example.com', secretName: 'tls' },
      'spec.tls[0].hosts',
      /must be a list, not string; the entry is omitted/,
    ],
    [{ hosts: [1], secretName: 'tls' }, 'spec.tls[0].hosts[0]', /must be a string, not number: put 1 in quotes/],
    [{ hosts: ['a.example.com'], secretName: 7 }, 'spec.tls[0].secretName', /must be a string, not number: put 7/],
  ]
  for (const [tls, about, message] of table) {
    const conversion = convert([ingress({ spec: { tls: [tls] } })])
    t.match(
      conversion.report.filter((line) => line.level === 'error'),
      [{ about, message }],
      about,
    )
    t.notMatch(JSON.stringify(conversion.objects), /HTTPS/, about)
  }
  t.end()
})

t.test('only Ingresses of Kubernetes are read, one of each name, and none in silence', (t) => {
  for (const apiVersion of ['config.openshift.io/v1', 'networking.internal.knative.dev/v1alpha1'])
    t.same(convert([{ ...ingress({}), apiVersion }]).report, [], apiVersion)
  t.match(reportOf([{ ...ingress({}), spec: {} }]), [
    { about: 'spec.rules', level: 'warn', message: /neither rules nor a default backend/ },
  ])
  const twice = convert([ingress({ paths: ['/one'] }), ingress({ paths: ['/two'] })])
  t.match(
    twice.report.filter(({ level }) => level === 'warn'),
    [
      {
        ingress: 'shop/web',
        about: 'metadata.name',
        message: /^shop\/web is in the input more than once. The last one is converted/,
      },
    ],
  )
  t.same(
    httpOf(ofKind(twice, 'VirtualService')[0]).map((route) => route['match']),
    [[{ uri: { prefix: '/two' } }]],
  )
  const generated = ['a.example.com', 'b.example.com'].map((host) => {
    return { ...ingress({ host }), metadata: { namespace: 'shop', generateName: 'web-' } }
  })
  t.same(
    ofKind(convert(generated), 'VirtualService').map((object) => memberAt(object, 'spec', 'hosts')),
    [['a.example.com'], ['b.example.com']],
    'names that are still to be generated are not the same',
  )
  t.end()
})

t.test("regular expressions: nginx' own, and what Envoy's engine has not", (t) => {
  const bad = [
    ...['/a(?=b)', '/a(?<!b)', '/(a)\\1', '/a++', '/(?>a)', '/a(', '/a{1001}', `/${'x'.repeat(1100)}`],
    ...['/items/\\h+', '/a\\Z', '/a\\ya', '/a\\é', '/x[^]y', '/x[]y', '/x[a\\b]'],
  ]
  const object = ingress({ annotations: nginx({ 'use-regex': 'true' }), paths: [...bad, '/ok/[0-9]+'] })
  const conversion = convert([object])
  for (const [index, path] of bad.entries())
    t.match(
      conversion.report.find(({ about }) => about === `spec.rules[0].http.paths[${index}].path`),
      { level: 'error', outcome: 'unsupported' },
      path,
    )
  t.same(httpOf(ofKind(conversion, 'VirtualService')[0])[0]?.['match'], [{ uri: { regex: '(?i)/ok/[0-9]+.*' } }])
  t.end()
})

t.test('alternatives of a path are matched whole, each with what follows', (t) => {
  const table: readonly (readonly [string, string])[] = [
    ['/a|/b', '(?i)(?:/a|/b).*'],
    ['/(a|b)', '(?i)/(a|b).*'],
    ['/(a|b)|/c', '(?i)(?:/(a|b)|/c).*'],
    ['/[a|b]', '(?i)/[a|b].*'],
    ['/a\\|b', '(?i)/a\\|b.*'],
    ['/a[\\]|]', '(?i)/a[\\]|].*'],
    ['/\\d+\\.\\w\\/[[\\]]', '(?i)/\\d+\\.\\w\\/[[\\]].*'],
  ]
  for (const [path, regex] of table) {
    const conversion = convert([ingress({ annotations: nginx({ 'use-regex': 'true' }), paths: [path] })])
    t.same(httpOf(ofKind(conversion, 'VirtualService')[0])[0]?.['match'], [{ uri: { regex } }], path)
  }
  const rewrite = convert([ingress({ annotations: nginx({ 'rewrite-target': '/$1' }), paths: ['/a/(.*)|/b'] })])
  t.match(httpOf(ofKind(rewrite, 'VirtualService')[0])[0], {
    rewrite: { uriRegexRewrite: { match: '(?i)^(?:/a/(.*)|/b).*$', rewrite: '/\\1' } },
  })
  t.end()
})

t.test('paths that mean what their controller says: wildcards of clouds, and notes where it is not known', (t) => {
  const table: readonly (readonly [string, string, readonly JsonObject[], RegExp])[] = [
    ['alb', '/img*', [{ prefix: '/img' }], /^a\.example\.com\/img\* -> web:80$/],
    ['alb', '/a*b/c?', [{ regex: '/a.*b/c.' }], /-> web:80$/],
    ['alb', '/v?/x.y/*', [{ regex: '/v./x\\.y/.*' }], /-> web:80$/],
    ['alb', '/*', [{ prefix: '/' }], /-> web:80$/],
    ['gce', '/*', [{ prefix: '/' }], /-> web:80$/],
    ['gce', '/img*', [], /Google Cloud allows \* only at the end of a path, after a \/; the path is omitted/],
    ['traefik', '/foo', [{ exact: '/foo' }, { prefix: '/foo/' }], /as with Prefix; Traefik also matches \/foox$/],
    ['other', '/foo', [{ exact: '/foo' }, { prefix: '/foo/' }], /as with Prefix; its controller may match differently/],
    ['other', '/', [{ prefix: '/' }], /-> web:80$/],
  ]
  for (const [className, path, uris, message] of table) {
    const conversion = convert([ingress({ className, paths: [path] })])
    const http = ofKind(conversion, 'VirtualService').flatMap(httpOf)
    const line = conversion.report.find(({ about }) => about.startsWith('spec.rules'))
    t.same(
      http[0]?.['match'] ?? [],
      uris.map((uri) => ({ uri })),
      `${className} ${path}`,
    )
    t.match(line, { message, level: uris.length === 0 ? 'error' : 'info' }, `${className} ${path}`)
  }
  t.end()
})

t.test("annotations that only Google's controller reads say whose paths they are", (t) => {
  for (const key of [
    'kubernetes.io/ingress.global-static-ip-name',
    'networking.gke.io/managed-certificates',
    'ingress.gcp.kubernetes.io/pre-shared-cert',
  ]) {
    const spec = { ingressClassName: undefined }
    const conversion = convert([ingress({ annotations: { [key]: 'x' }, paths: ['/foo'], spec })])
    t.same(httpOf(ofKind(conversion, 'VirtualService')[0])[0]?.['match'], [{ uri: { exact: '/foo' } }], key)
  }
  t.end()
})

t.test('actions of AWS: the redirect to https is the load balancer’s, and an unknown one is named', (t) => {
  const action = (path: string, service: string) => ({ path, service, port: 'use-annotation' })
  const redirect = (config: JsonObject) => JSON.stringify({ type: 'redirect', redirectConfig: config })
  const conversion = convert([
    ingress({
      className: 'alb',
      annotations: {
        'alb.ingress.kubernetes.io/actions.ssl-redirect': redirect({ Protocol: 'HTTPS', Port: '443' }),
        'alb.ingress.kubernetes.io/actions.fixed': '{"type":"fixed-response"}',
        'alb.ingress.kubernetes.io/actions.new': redirect({ Host: 'new.example.com' }),
      },
      spec: { defaultBackend: { service: { name: 'ssl-redirect', port: { name: 'use-annotation' } } } },
      paths: [
        action('/*', 'ssl-redirect'),
        action('/fixed', 'fixed'),
        action('/no', 'no'),
        action('/new', 'new'),
        '/web',
      ],
    }),
  ])
  const key = 'alb\\.ingress\\.kubernetes\\.io/actions\\.'
  const expected: readonly (readonly [string, string, string])[] = [
    ['spec.rules[0].http.paths[0]', 'info', `the load balancer redirects to HTTPS, as ${key}ssl-redirect says`],
    ['spec.rules[0].http.paths[1].backend', 'error', `annotation ${key}fixed is not a redirect; the path is omitted`],
    ['spec.rules[0].http.paths[2].backend', 'error', `annotation ${key}no is missing; the path is omitted`],
    ['spec.rules[0].http.paths[3]', 'info', 'a\\.example\\.com/new redirects'],
    ['spec.rules[0].http.paths[4]', 'info', '-> web:80'],
    ['spec.defaultBackend', 'info', `the load balancer redirects to HTTPS, as ${key}ssl-redirect says`],
  ]
  for (const [about, level, message] of expected)
    t.match(
      conversion.report.filter((line) => line.about.startsWith(about.slice(0, 27))),
      [{ about, level, message: new RegExp(message) }],
      about,
    )
  t.equal(httpOf(ofKind(conversion, 'VirtualService')[0]).length, 2)
  t.end()
})

t.test('a certificate is served for the hosts of its own entry, wildcards and siblings included', (t) => {
  const tls = (hosts: readonly string[], secretName: string): JsonObject => ({ hosts, secretName })
  const rule = (host: string): JsonObject => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
  })
  const one = ingress({
    name: 'one',
    spec: {
      rules: [rule('a.example.com'), rule('b.example.com'), rule('c.d.example.com')],
      tls: [tls(['*.example.com'], 'wild')],
    },
  })
  const two = ingress({
    name: 'two',
    spec: { rules: [rule('a.example.com')], tls: [tls(['a.example.com', 'gone.example.com'], 'other')] },
  })
  const conversion = convert([one, two])
  const [gateway, ...others] = ofKind(conversion, 'Gateway')
  t.same(others, [], 'Ingresses that share a host share a Gateway')
  t.match(memberAt(gateway, 'spec', 'servers'), [
    {
      port: { number: 443 },
      hosts: ['shop/a.example.com', 'shop/b.example.com'],
      tls: { credentialName: 'shop-wild' },
    },
    { port: { number: 80 }, hosts: ['shop/a.example.com', 'shop/b.example.com', 'shop/c.d.example.com'] },
  ])
  const about = (name: string) =>
    conversion.report.filter((line) => line.ingress === `shop/${name}`).map((line) => `${line.about}: ${line.message}`)
  t.match(about('two').join('\n'), /spec\.tls\[0\]\.hosts: a\.example\.com already uses secret wild of another entry/)
  t.match(about('two').join('\n'), /spec\.tls\[0\]\.hosts: no route was generated for gone\.example\.com/)
  t.match(about('one').join('\n'), /spec\.tls: c\.d\.example\.com has no certificate/)
  t.end()
})

t.test('plain requests are redirected path by path where Ingresses of a host disagree, and ACME is left alone', (t) => {
  const main = ingress({ secret: 'tls', paths: ['/', '/.well-known/acme-challenge/abc'] })
  const plain = ingress({ name: 'plain', annotations: nginx({ 'ssl-redirect': 'false' }), paths: ['/plain'] })
  const matches = httpOf(ofKind(convert([main, plain]), 'VirtualService')[0]).map(
    (route) => `${route['redirect'] === undefined ? 'to' : 'redirect'} ${JSON.stringify(route['match'])}`,
  )
  t.same(matches, [
    'to [{"uri":{"prefix":"/.well-known/acme-challenge/abc"}}]',
    'to [{"uri":{"prefix":"/plain"}}]',
    'redirect [{"uri":{"prefix":"/"},"port":80}]',
    'to [{"uri":{"prefix":"/"}}]',
  ])
  const routes = ofKind(convert([main, plain], 'gateway-api'), 'HTTPRoute')
  t.same(
    routes.map((route) => memberAt(route, 'spec', 'parentRefs')),
    [
      [{ group: GROUP, kind: 'ListenerSet', name: 'nginx', sectionName: 'https-a.example.com' }],
      [{ name: 'nginx', namespace: 'istio-system', sectionName: 'http' }],
    ],
  )
  const solver = { ...ingress({ name: 'cm-acme-http-solver-x', paths: ['/.well-known/acme-challenge/x'] }) }
  const labelled = {
    ...solver,
    metadata: { name: 'solver', namespace: 'shop', labels: { 'acme.cert-manager.io/http01-solver': 'true' } },
  }
  t.match(convert([labelled]), {
    objects: [],
    report: [{ outcome: 'not-needed', message: /the Ingress of an ACME challenge/ }],
  })
  t.end()
})

t.test('canaries: header before cookie before weight, one for each path, and none without its main Ingress', (t) => {
  const canary = (name: string, annotations: Annotations) =>
    ingress({ name, annotations: nginx({ canary: 'true', ...annotations }), paths: [{ path: '/', service: name }] })
  const all = canary('next', {
    'canary-by-header': 'X-Next',
    'canary-by-header-pattern': 'v[0-9]',
    'canary-by-cookie': 'next',
    'canary-weight': '150',
    'canary-weight-total': '100',
  })
  const conversion = convert([ingress({}), all, canary('later', {})])
  t.match(httpOf(ofKind(conversion, 'VirtualService')[0]), [
    {
      match: [{ headers: { 'x-next': { regex: '.*(?:v[0-9]).*' } } }],
      route: [{ destination: { host: 'next.shop.svc.cluster.local' } }],
    },
    {
      match: [{ headers: { cookie: { regex: '^(.*?;\\s*)?next=always(;.*)?$' } } }],
      route: [{ destination: { host: 'next.shop.svc.cluster.local' } }],
    },
    {
      match: [{ headers: { cookie: { regex: '^(.*?;\\s*)?next=never(;.*)?$' } } }],
      route: [{ destination: { host: 'web.shop.svc.cluster.local' } }],
    },
    { route: [{ destination: { host: 'next.shop.svc.cluster.local' } }] },
  ])
  t.match(
    conversion.report.find((line) => line.ingress === 'shop/later' && line.level === 'error'),
    { message: /a second canary for the same path/ },
  )
  t.match(reportOf([canary('next', { 'canary-weight': 'half' })]), [
    {},
    {
      about: `${NGINX}canary`,
      level: 'warn',
      message: /canary-weight is "half", which is not a whole number: it counts as 0/,
    },
    {},
    { level: 'error', message: /a canary without its main Ingress/ },
  ])
  t.end()
})

t.test('hosts in several namespaces, aliases, www and rules without host', (t) => {
  const other = ingress({ namespace: 'pay', host: 'a.example.com' })
  const report = reportOf([ingress({}), other])
  t.equal(report.filter(({ message }) => /also used in another namespace/.test(message)).length, 2)
  const derived = ingress({
    annotations: nginx({ 'server-alias': 'b.example.com,a.example.com', 'from-to-www-redirect': 'true' }),
    secret: 'tls',
  })
  const conversion = convert([derived])
  t.same(
    ofKind(conversion, 'VirtualService').map((object) => memberAt(object, 'spec', 'hosts')),
    [['a.example.com'], ['b.example.com'], ['www.a.example.com']],
  )
  t.match(memberAt(ofKind(conversion, 'Gateway')[0], 'spec', 'servers'), [
    { hosts: ['shop/a.example.com', 'shop/b.example.com', 'shop/www.a.example.com'] },
    {},
  ])
  const fallback = ingress({ spec: { rules: [], defaultBackend: { service: { name: 'web', port: { number: 80 } } } } })
  t.match(convert([fallback]), { objects: [], report: [{}, { level: 'error', about: 'spec.defaultBackend' }] })
  t.same(
    ofKind(convert([fallback], 'istio', { allowHostless: true }), 'VirtualService').map((object) =>
      memberAt(object, 'spec', 'hosts'),
    ),
    [['*']],
  )
  t.end()
})

t.test('the report says which version of external-dns reads which prefix', (t) => {
  const says = [{ about: 'external-dns', message: /0\.22 and later reads external-dns\.kubernetes\.io\/ only/ }]
  const notesOf = (annotations: Annotations) =>
    convert([ingress({ annotations })]).notes.filter(({ about }) => about === 'external-dns')
  t.match(notesOf({ 'external-dns.kubernetes.io/ttl': '60' }), says)
  t.same(notesOf({}), [])
  t.end()
})

t.test('cert-manager and external-dns follow the hosts', (t) => {
  const annotations = {
    'cert-manager.io/cluster-issuer': 'letsencrypt',
    'cert-manager.io/duration': '2160h',
    'cert-manager.io/subject-organizations': 'a, b',
    'cert-manager.io/private-key-size': '4096',
    'cert-manager.io/alt-names': 'alt.example.com',
    'acme.cert-manager.io/http01-ingress-class': 'istio',
    'external-dns.alpha.kubernetes.io/ttl': '60',
    'external-dns.alpha.kubernetes.io/target': '192.0.2.1',
  }
  const object = ingress({ annotations, secret: 'tls', tlsHosts: ['*.example.com'] })
  const istio = convert([object])
  t.match(ofKind(istio, 'Certificate'), [
    {
      metadata: {
        name: 'shop-tls',
        namespace: 'istio-system',
        annotations: { 'acme.cert-manager.io/http01-override-ingress-class': 'istio' },
      },
      spec: {
        secretName: 'shop-tls',
        dnsNames: ['*.example.com', 'alt.example.com'],
        duration: '2160h',
        subject: { organizations: ['a', 'b'] },
        privateKey: { size: 4096 },
        issuerRef: { kind: 'ClusterIssuer', name: 'letsencrypt' },
      },
    },
  ])
  const dns = { 'external-dns.alpha.kubernetes.io/ttl': '60', 'external-dns.alpha.kubernetes.io/target': '192.0.2.1' }
  t.match(memberAt(ofKind(istio, 'VirtualService')[0], 'metadata', 'annotations'), dns)
  const own = convert([object], 'gateway-api')
  t.same(ofKind(own, 'Certificate'), [], "cert-manager reads the ListenerSet's own annotations")
  t.match(memberAt(ofKind(own, 'ListenerSet')[0], 'metadata', 'annotations'), {
    'cert-manager.io/cluster-issuer': 'letsencrypt',
    'external-dns.alpha.kubernetes.io/target': '192.0.2.1',
  })
  t.match(memberAt(ofKind(own, 'HTTPRoute')[0], 'metadata', 'annotations'), {
    'external-dns.alpha.kubernetes.io/ttl': '60',
  })
  t.match(ofKind(convert([object], 'gateway-api', { shared: 'edge/public' }), 'Certificate'), [
    { metadata: { namespace: 'edge' } },
  ])
  t.end()
})

t.test('a shared Gateway is not printed: the report lists what it needs', (t) => {
  const object = ingress({ secret: 'tls' })
  const istio = convert([object], 'istio', { shared: 'edge/public' })
  t.same(names(istio.objects), ['VirtualService shop/web.a.example.com'])
  t.same(memberAt(istio.objects[0], 'spec', 'gateways'), ['edge/public'])
  t.match(
    istio.report.find(({ about }) => about === 'spec.rules'),
    { outcome: 'platform-step', message: /Gateway edge\/public needs these servers: \[\{"port":\{"number":443/ },
  )
  const api = convert([object], 'gateway-api', { shared: 'edge/public' })
  t.same(names(api.objects), [
    'HTTPRoute shop/web.a.example.com',
    'HTTPRoute shop/web.a.example.com-http',
    'ReferenceGrant shop/web-certificates',
  ])
  t.same(memberAt(api.objects[0], 'spec', 'parentRefs'), [{ name: 'public', namespace: 'edge', port: 443 }])
  t.match(
    api.report.find(({ about }) => about === 'spec.rules'),
    {
      message:
        /^Gateway edge\/public needs an HTTP listener on port 80 and these listeners: \[\{"name":"https-a\.example\.com"/,
    },
  )
  const guarded = ingress({ annotations: nginx({ 'denylist-source-range': '192.0.2.1' }) })
  const labels = (gateway: { readonly shared?: string }) =>
    convert([guarded], 'gateway-api', gateway).report.filter(({ message }) =>
      message.includes('gateway.networking.k8s.io/gateway-name: public'),
    )
  t.match(labels({ shared: 'edge/public' }), [{ level: 'warn', outcome: 'platform-step', message: /^SECURITY: / }])
  t.same(labels({}), [], "Istio labels the pods of an Ingress' own Gateway")
  t.end()
})

t.test('TLS that ends in front of the gateway has no server and no redirect here', (t) => {
  const alb = ingress({
    className: 'alb',
    annotations: {
      'alb.ingress.kubernetes.io/certificate-arn': 'arn',
      'alb.ingress.kubernetes.io/ssl-redirect': '443',
    },
    secret: 'tls',
    paths: ['/*'],
  })
  const conversion = convert([alb])
  t.same(
    (memberAt(ofKind(conversion, 'Gateway')[0], 'spec', 'servers') as readonly JsonObject[]).map(({ port }) =>
      memberAt(port, 'number'),
    ),
    [80],
  )
  t.notOk(httpOf(ofKind(conversion, 'VirtualService')[0]).some(({ redirect }) => redirect !== undefined))
  const forced = ingress({ annotations: nginx({ 'force-ssl-redirect': 'true' }) })
  t.match(
    reportOf([forced]).find(({ about }) => about.endsWith('force-ssl-redirect')),
    { outcome: 'platform-step', message: /would loop/ },
  )
  t.match(httpOf(ofKind(convert([forced], 'istio', { trustedProxies: 1 }), 'VirtualService')[0])[0], {
    match: [{ headers: { 'x-forwarded-proto': { exact: 'http' } } }],
    redirect: { scheme: 'https' },
  })
  const redirect = ingress({
    className: 'alb',
    annotations: {
      'alb.ingress.kubernetes.io/actions.away':
        '{"type":"redirect","redirectConfig":{"Host":"new.example.com","StatusCode":"HTTP_302"}}',
    },
    paths: [{ path: '/*', service: 'away', port: 'use-annotation' }],
  })
  t.match(httpOf(ofKind(convert([redirect]), 'VirtualService')[0]), [
    { redirect: { authority: 'new.example.com', redirectCode: 302 } },
  ])
  t.end()
})

t.test('policies deny, hold for the own paths only, and stand beside the gateway', (t) => {
  const guarded = ingress({
    annotations: nginx({
      'whitelist-source-range': '10.0.0.0/8, 2001:db8::/32',
      'auth-url': 'http://auth.sso.svc.cluster.local:4180/check',
      'limit-rpm': '30',
    }),
    paths: ['/admin'],
  })
  const alone = convert([guarded])
  t.match(ofKind(alone, 'AuthorizationPolicy'), [
    {
      metadata: { name: 'shop.web-sources', namespace: 'istio-system' },
      spec: {
        action: 'DENY',
        rules: [
          {
            from: [{ source: { notRemoteIpBlocks: ['10.0.0.0/8', '2001:db8::/32'] } }],
            to: [{ operation: { hosts: ['a.example.com', 'a.example.com:*'] } }],
          },
        ],
      },
    },
    { metadata: { name: 'shop.web-auth' }, spec: { action: 'CUSTOM', provider: { name: /^[-a-z0-9]+$/ } } },
  ])
  t.notOk(JSON.stringify(ofKind(alone, 'AuthorizationPolicy')).includes('"paths"'), 'the host is all its own')
  t.same(ofKind(alone, 'EnvoyFilter'), [], 'a limit of each client would be one of all clients together')
  const [beside] = ofKind(convert([guarded, ingress({ name: 'open' })]), 'AuthorizationPolicy')
  t.match(JSON.stringify(beside), /"paths":\["\/admin\*"\]/)
  t.match(memberAt(ofKind(convert([guarded], 'gateway-api'), 'AuthorizationPolicy')[0], 'spec', 'targetRefs'), [
    { kind: 'Gateway', name: 'nginx' },
  ])
  const wildcard = ingress({ host: '*.example.com', annotations: nginx({ 'denylist-source-range': '192.0.2.1' }) })
  t.match(
    reportOf([wildcard]).find(({ level, about }) => level === 'error' && about === 'spec.rules'),
    { message: /SECURITY: a client that sends a port in its Host header bypasses the policy of \*\.example\.com/ },
  )
  t.end()
})

t.test(
  "how the gateway connects is a rule of the gateway's namespace; of two that disagree the older one holds",
  (t) => {
    const slow = ingress({
      annotations: nginx({
        'proxy-connect-timeout': '5',
        affinity: 'cookie',
        'session-cookie-name': 'sid',
        'session-cookie-max-age': '60',
      }),
    })
    const secure = ingress({
      name: 'secure',
      host: 'b.example.com',
      annotations: nginx({
        'backend-protocol': 'HTTPS',
        'proxy-ssl-verify': 'on',
        'proxy-ssl-name': 'web.internal',
        'proxy-ssl-secret': 'shop/ca',
      }),
    })
    const conversion = convert([slow, secure])
    t.match(ofKind(conversion, 'DestinationRule'), [
      {
        metadata: { name: 'web-from-gateway', namespace: 'shop' },
        spec: {
          host: 'web.shop.svc.cluster.local',
          exportTo: ['istio-system'],
          trafficPolicy: {
            portLevelSettings: [
              {
                port: { number: 80 },
                connectionPool: { tcp: { connectTimeout: '5s' } },
                loadBalancer: { consistentHash: { httpCookie: { name: 'sid', ttl: '60s' } } },
              },
            ],
          },
        },
      },
    ])
    t.match(
      conversion.report.find(({ ingress: of, about }) => of === 'shop/secure' && about === 'spec.rules'),
      { level: 'warn', message: /Ingress shop\/web sets other connection options for web:80 and takes precedence/ },
    )
    t.match(ofKind(convert([secure]), 'DestinationRule'), [
      {
        spec: {
          trafficPolicy: {
            portLevelSettings: [
              {
                tls: {
                  mode: 'MUTUAL',
                  credentialName: 'shop-ca',
                  sni: 'web.internal',
                  subjectAltNames: ['web.internal'],
                },
              },
            ],
          },
        },
      },
    ])
    const api = convert([secure], 'gateway-api')
    t.match(ofKind(api, 'BackendTLSPolicy'), [
      {
        spec: {
          targetRefs: [{ name: 'web' }],
          validation: { hostname: 'web.internal', caCertificateRefs: [{ kind: 'Secret', name: 'ca' }] },
        },
      },
    ])
    t.same(ofKind(api, 'DestinationRule'), [])
    t.end()
  },
)

t.test('Gateway API: whole elements, expressions, gRPC and TLS passed through', (t) => {
  const pathsOf = (object: JsonObject) =>
    (memberAt(ofKind(convert([object], 'gateway-api'), 'HTTPRoute')[0], 'spec', 'rules') as readonly JsonObject[]).map(
      (rule) => {
        const path = memberAt((rule['matches'] as readonly JsonObject[])[0], 'path') as JsonObject
        return `${String(path['type'])} ${String(path['value'])}`
      },
    )
  t.same(pathsOf(ingress({ paths: ['/api', { path: '/x', type: 'Exact' }, '/'] })), [
    'PathPrefix /api',
    'Exact /x',
    'PathPrefix /',
  ])
  t.match(
    reportOf([ingress({ paths: ['/api'] })], 'gateway-api').find(({ outcome }) => outcome === 'approximate'),
    { message: /\/apix is no longer matched/ },
  )
  const regex = nginx({ 'use-regex': 'true' })
  t.same(
    pathsOf(ingress({ annotations: regex, paths: ['/api', '/v[0-9]+', '/'] })),
    ['RegularExpression (?i)/v[0-9]+.*', 'RegularExpression (?i)/api.*', 'RegularExpression (?i)/.*'],
    'all of them, or a prefix would go first',
  )
  t.same(pathsOf(ingress({ annotations: regex, paths: ['/api', '/'] })), ['PathPrefix /api', 'PathPrefix /'])
  t.same(pathsOf(ingress({ paths: [{ path: '/a//b', type: 'Exact' }, { path: '/a b', type: 'Exact' }, '/'] })), [
    'PathPrefix /',
  ])
  const groups = ingress({ annotations: nginx({ 'rewrite-target': '/$1' }), paths: ['/x(.*)'] })
  t.match(
    convert([groups], 'gateway-api').report.find(({ about }) => about.endsWith('.path')),
    { level: 'error', message: /Gateway API cannot rewrite with capture groups/ },
  )
  const grpc = (paths: readonly string[]) =>
    ingress({
      annotations: nginx({ 'backend-protocol': 'GRPC' }),
      paths: paths.map((path) => ({ path, type: 'Prefix' })),
    })
  t.match(ofKind(convert([grpc(['/shop.Cart', '/'])], 'gateway-api'), 'GRPCRoute'), [
    { spec: { rules: [{ matches: [{ method: { service: 'shop.Cart' } }] }, { backendRefs: [{ name: 'web' }] }] } },
  ])
  t.equal(ofKind(convert([grpc(['/a/b/c'])], 'gateway-api'), 'HTTPRoute').length, 1, 'a path that is no method')
  const passed = ingress({ annotations: nginx({ 'ssl-passthrough': 'true' }), paths: [{ path: '/', port: 443 }] })
  t.match(convert([passed], 'gateway-api').objects, [
    { kind: 'Gateway', spec: { listeners: [{ protocol: 'HTTP' }] } },
    { spec: { listeners: [{ protocol: 'TLS', tls: { mode: 'Passthrough' } }] } },
    { kind: 'TLSRoute', spec: { rules: [{ backendRefs: [{ name: 'web', port: 443 }] }] } },
  ])
  t.match(convert([passed]).objects, [
    { spec: { servers: [{ port: { protocol: 'TLS' }, tls: { mode: 'PASSTHROUGH' } }] } },
    { spec: { tls: [{ match: [{ sniHosts: ['a.example.com'] }] }] } },
  ])
  t.end()
})

t.test('Gateway API: limits of rules and listeners', (t) => {
  const many = ingress({ paths: Array.from({ length: 40 }, (_, index) => ({ path: `/p${index}`, type: 'Exact' })) })
  t.same(
    ofKind(convert([many], 'gateway-api'), 'HTTPRoute').map(
      (route) => (memberAt(route, 'spec', 'rules') as readonly JsonObject[]).length,
    ),
    [16, 16, 8],
  )
  const hosts = Array.from({ length: 100 }, (_, index) => `h${index}.example.com`)
  const rules = hosts.map((host) => ({
    host,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }] },
  }))
  const oneSecret = ingress({ spec: { rules, tls: [{ hosts, secretName: 'tls' }] } })
  const twoSecrets = ingress({
    spec: {
      rules,
      tls: [
        { hosts: hosts.slice(0, 50), secretName: 'one' },
        { hosts: hosts.slice(50), secretName: 'two' },
      ],
    },
  })
  const sizes = (objects: readonly JsonObject[], kind: string, version: number) =>
    ofKind(convertTo({ version }, objects), kind).map(
      (object) => (memberAt(object, 'spec', 'listeners') as readonly JsonObject[]).length,
    )
  t.same(sizes([twoSecrets], 'ListenerSet', 5), [64, 36])
  t.same(sizes([twoSecrets], 'Gateway', 5), [1])
  t.same(sizes([twoSecrets], 'ListenerSet', 4), [], 'ListenerSet is standard since 1.5')
  t.same(sizes([twoSecrets], 'Gateway', 4), [64, 38], 'each Gateway with a listener for plain requests')
  const passed = (count: number): JsonObject =>
    ingress({
      name: 'passed',
      annotations: {
        'nginx.ingress.kubernetes.io/ssl-passthrough': 'true',
        'nginx.ingress.kubernetes.io/ssl-redirect': 'false',
      },
      spec: { rules: rules.slice(0, count), tls: [{ hosts: hosts.slice(0, count), secretName: 'tls' }] },
    })
  const lost = (objects: readonly JsonObject[], shared = '') =>
    convert(objects, 'gateway-api', { shared }).report.flatMap(
      ({ message }) => /^a Gateway has at most 64 listeners: no HTTPS for (.*)$/.exec(message)?.[1] ?? [],
    )
  const beside = ingress({ name: 'beside', host: 'beside.example.com', secret: 'tls' })
  t.same(lost([passed(100), beside]), [], 'ListenerSets and Gateways are as many as it takes')
  t.same(lost([passed(64)], 'edge/public'), [])
  t.same(lost([passed(65)], 'edge/public'), ['h64.example.com'])
  t.same(
    lost([passed(64), beside], 'edge/public'),
    ['h63.example.com'],
    'TLS that ends here and TLS that is passed through',
  )
  t.match(
    lost([twoSecrets], 'edge/public'),
    [/^h64\.example\.com, .*, h99\.example\.com$/],
    'in a Gateway that is shared',
  )
  t.match(lost([oneSecret], 'edge/public'), [/^h64\./], 'which does not have a listener for every host that there is')
  t.end()
})

t.test('names never meet, and the same input gives the same bytes', (t) => {
  const pairs = [
    [ingress({ name: 'web', host: 'api-shop.example.com' }), ingress({ name: 'web-api', host: 'shop.example.com' })],
    [ingress({ name: 'web.api', host: 'shop.example.com' }), ingress({ name: 'web', host: 'api.shop.example.com' })],
    [ingress({ host: '*.example.com' }), ingress({ host: 'wildcard.example.com' })],
    [
      ingress({ namespace: 'shop-a', secret: 'tls' }),
      ingress({ namespace: 'shop', secret: 'a-tls', host: 'b.example.com' }),
    ],
  ]
  for (const target of ['istio', 'gateway-api'] as const)
    for (const pair of pairs) {
      const all = pair.flatMap((object) => names(convert([object], target).objects))
      const credentials = pair.flatMap(
        (object) => JSON.stringify(convert([object], target).objects).match(/"credentialName":"[^"]+"/g) ?? [],
      )
      const routes = all.filter((name) => !name.startsWith('Gateway '))
      t.equal(new Set(routes).size, routes.length, routes.join(', '))
      t.equal(new Set(credentials).size, credentials.length, credentials.join(', '))
      t.equal(JSON.stringify(convert(pair, target)), JSON.stringify(convert(structuredClone(pair), target)))
    }
  t.end()
})

t.test('a thousand hosts in one Ingress are all served', (t) => {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  const rules = Array.from({ length: 1000 }, (_, index) => ({
    host: `h${index}.example.com`,
    http: { paths: [{ path: '/', pathType: 'Prefix', backend }] },
  }))
  const many = ingress({ spec: { rules, tls: [{ hosts: rules.map(({ host }) => host), secretName: 'tls' }] } })
  for (const [target, kind] of [
    ['istio', 'VirtualService'],
    ['gateway-api', 'HTTPRoute'],
  ] as const) {
    const conversion = convert([many], target)
    const hosts = ofKind(conversion, kind).flatMap((object) => [
      ...arrayMember(memberAt(object, 'spec'), target === 'istio' ? 'hosts' : 'hostnames'),
    ])
    t.equal(new Set(hosts).size, 1000, target)
    t.same(
      conversion.report.filter(({ level }) => level === 'error'),
      [],
    )
  }
  t.end()
})
