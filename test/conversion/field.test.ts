// Behaviour of ingress-nginx that public Ingresses rely on: its own code says what is right (docs/facts/ingress-nginx.md), and
// requests through the simulated routers say whether the objects do it.
import t from 'tap'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { answerOf, ask, linesOf, nginx } from './support/ask.ts'
import { convert, ingress, type Annotations } from './support/conversion-fixtures.ts'
import { TARGETS } from './support/targets.ts'

interface RewriteRow {
  readonly title: string
  readonly target: string
  readonly paths: readonly { readonly path: string; readonly type: string; readonly service?: string }[]
  readonly more?: Annotations
  /** The path / is of another Ingress. */
  readonly hasRoot?: boolean
  readonly answers: Readonly<Record<string, string>>
  /** Of the line about rewrite-target. */
  readonly says: RegExp
}

const prefix = (path: string, service = 'web') => ({ path, type: 'Prefix', service })
const exact = (path: string, service = 'web') => ({ path, type: 'Exact', service })
const specific = (path: string, service = 'web') => ({ path, type: 'ImplementationSpecific', service })

/** `needsRewrite`, `buildProxyPass` of ingress-nginx' template.go, and its `updateServerLocations` of location.go. */
const REWRITES: readonly RewriteRow[] = [
  {
    title: '/ on / is no rewrite, and makes no regular expression of it',
    target: '/',
    paths: [prefix('/')],
    answers: { '/assets/App.js': 'web.shop:80 /assets/App.js' },
    says: /^not-needed info/,
  },
  {
    title: 'none at all is /',
    target: '/',
    paths: [specific('')],
    answers: { '/assets/app.js': 'web.shop:80 /assets/app.js' },
    says: /^not-needed info/,
  },
  {
    title: 'a path beside it is rewritten, and / is left alone',
    target: '/',
    paths: [prefix('/', 'front'), prefix('/api', 'api')],
    answers: {
      '/assets/app.js': 'front.shop:80 /assets/app.js',
      '/api/v1': 'api.shop:80 /',
      '/API': 'api.shop:80 /',
    },
    says: /^converted warn: sends every request for \/api to \//,
  },
  {
    title: 'a Prefix path is rewritten below it only, because its location ends with /',
    target: '/app',
    paths: [prefix('/app')],
    hasRoot: true,
    answers: { '/app': 'web.shop:80 /app', '/app/x/y': 'web.shop:80 /app', '/APP/x': 'web.shop:80 /app' },
    says: /^converted warn/,
  },
  {
    title: 'a Prefix path with a slash is its location',
    target: '/app/',
    paths: [prefix('/app/')],
    hasRoot: true,
    answers: { '/app/x': 'web.shop:80 /app/x', '/APP/x': 'front.shop:80 /APP/x' },
    says: /^not-needed info/,
  },
  {
    title: 'an Exact path is its location',
    target: '/app',
    paths: [exact('/app')],
    hasRoot: true,
    answers: { '/app': 'web.shop:80 /app', '/App': 'front.shop:80 /App' },
    says: /^not-needed info/,
  },
  {
    title: 'so is one of ImplementationSpecific',
    target: '/app',
    paths: [specific('/app')],
    hasRoot: true,
    answers: { '/app/x': 'web.shop:80 /app/x', '/APP/x': 'front.shop:80 /APP/x' },
    says: /^not-needed info/,
  },
  {
    title: 'with use-regex, a Prefix path keeps its location',
    target: '/app',
    paths: [prefix('/app')],
    more: { 'use-regex': 'true' },
    answers: { '/app/x': 'web.shop:80 /app/x' },
    says: /^not-needed info/,
  },
  {
    title: 'without a path /, the host gets one from the Ingress, which is rewritten and makes it a regex host',
    target: '/app',
    paths: [specific('/app')],
    answers: { '/APP/x': 'web.shop:80 /APP/x' },
    says: /^not-needed info/,
  },
]

/** Paths of Gateway API heed letter case, which the report says. */
function isAsked(path: string, target: Target): boolean {
  return target === 'istio' || !/[A-Z]{3}/.test(path)
}

for (const target of TARGETS)
  t.test(`rewrite-target, to ${target}`, (t) => {
    for (const { title, target: to, paths, more = {}, hasRoot = false, answers, says } of REWRITES) {
      const rewritten = ingress({ annotations: nginx({ 'rewrite-target': to, ...more }), paths })
      const root = ingress({ name: 'root', paths: [prefix('/', 'front')] })
      const conversion = convert(hasRoot ? [rewritten, root] : [rewritten], target)
      for (const [request, answer] of Object.entries(answers).filter(([path]) => isAsked(path, target)))
        t.equal(ask(conversion, target, request), answer, `${title}: ${request}`)
      t.match(linesOf(conversion, 'rewrite-target'), says, title)
    }
    t.end()
  })

t.test('a group that the path does not have is empty: the report says so', (t) => {
  const given = ingress({
    annotations: nginx({ 'rewrite-target': '/$1' }),
    paths: [prefix('/'), prefix('/v2', 'web2')],
  })
  for (const target of TARGETS) {
    const conversion = convert([given], target)
    t.equal(ask(conversion, target, '/v2/x'), 'web2.shop:80 /')
    t.equal(ask(conversion, target, '/x'), 'web.shop:80 /')
    t.match(linesOf(conversion, 'rewrite-target'), /^approximate warn: \/, \/v2 has no group for \/\$1/)
  }
  t.end()
})

t.test('x-forwarded-prefix is sent where the path is rewritten, and nowhere else', (t) => {
  const of = (annotations: Annotations) =>
    convert([
      ingress({
        annotations: nginx({ 'x-forwarded-prefix': '/app', ...annotations }),
        paths: [prefix('/'), prefix('/api')],
      }),
    ])
  const alone = of({})
  t.equal(ask(alone, 'istio', '/api'), 'web.shop:80 /api')
  t.match(linesOf(alone, 'x-forwarded-prefix'), /^not-needed info: ingress-nginx sends it only if/)
  const rewritten = of({ 'rewrite-target': '/' })
  t.equal(ask(rewritten, 'istio', '/api'), 'web.shop:80 / x-forwarded-prefix=/app')
  t.equal(ask(rewritten, 'istio', '/other'), 'web.shop:80 /other')
  t.end()
})

t.test('a request is not sent twice because it takes long, and a POST that was sent is not repeated', (t) => {
  const retriesOf = (annotations: Annotations): unknown => {
    const { objects } = convert([ingress({ annotations: nginx(annotations) })])
    return /"retries":(\{.*?\})/.exec(JSON.stringify(objects))?.[1]
  }
  const limited = { 'proxy-next-upstream': 'error timeout', 'proxy-next-upstream-timeout': '5' }
  t.equal(retriesOf(limited), '{"attempts":2,"retryOn":"connect-failure,refused-stream"}')
  t.equal(
    retriesOf({ 'proxy-next-upstream': 'error http_502 non_idempotent' }),
    '{"attempts":2,"retryOn":"connect-failure,refused-stream,reset,502"}',
  )
  t.equal(retriesOf({ 'proxy-next-upstream': 'http_503' }), '{"attempts":0}', 'nothing that is safe for a POST')
  const conversion = convert([ingress({ annotations: nginx(limited) })])
  t.match(linesOf(conversion, 'proxy-next-upstream-timeout'), /^unsupported warn: nginx starts no retry/)
  t.match(linesOf(conversion, 'proxy-next-upstream'), /^approximate warn: .* for error Envoy would also repeat POST/)
  t.end()
})

interface SnippetRow {
  readonly snippet: string
  readonly says: RegExp
  /** What `response`, or both sides, hold. */
  readonly headers: object | undefined
}

/** Source: the documentation of nginx' add_header and proxy_set_header, and of headers-more-nginx-module. */
const HEADERS: readonly SnippetRow[] = [
  {
    snippet: 'add_header Set-Cookie "track=1"; add_header X-Frame-Options DENY always;',
    says: /^approximate info: .*Envoy also adds it to errors/,
    headers: { response: { add: { 'set-cookie': 'track=1', 'x-frame-options': 'DENY' } } },
  },
  {
    snippet: 'add_header Set-Cookie "a=1" always; add_header Set-Cookie "b=2" always;',
    says: /^unsupported error: "add_header Set-Cookie \\"b=2\\" always"/,
    headers: { response: { add: { 'set-cookie': 'a=1' } } },
  },
  {
    snippet: 'add_header Cache-Control public always; add_header Cache-Control "max-age=60" always;',
    says: /^converted info/,
    headers: { response: { add: { 'cache-control': 'public, max-age=60' } } },
  },
  { snippet: 'add_header X-Empty "" always;', says: /^not-needed info/, headers: undefined },
  {
    snippet: 'add_header ETag "" always; add_header Last-Modified "x" always;',
    says: /^converted info/,
    headers: { response: { set: { 'last-modified': 'x' }, remove: ['etag'] } },
  },
  {
    snippet: `more_set_headers "X-Powered-By: " 'Server: me'; more_clear_headers X-Aspnet-Version;`,
    says: /^converted info/,
    headers: { response: { set: { server: 'me' }, remove: ['x-powered-by', 'x-aspnet-version'] } },
  },
  {
    snippet: 'more_set_headers "X-A: 1"; more_set_headers "X-A:";',
    says: /^converted info/,
    headers: { response: { remove: ['x-a'] } },
  },
  {
    snippet: 'proxy_set_header X-User ""; proxy_set_header X-Team a; proxy_hide_header X-Secret;',
    says: /^converted info/,
    headers: { request: { set: { 'x-team': 'a' }, remove: ['x-user'] }, response: { remove: ['x-secret'] } },
  },
  {
    snippet: 'proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade"; proxy_read_timeout 3600;',
    says: /^not-needed info: Envoy sends upgrade by itself/,
    headers: undefined,
  },
  {
    snippet: 'more_set_headers -s 404 "X-A: 1"; more_clear_headers "X-*";',
    says: /^unsupported error: "more_set_headers -s 404 \\"X-A: 1\\"", "more_clear_headers \\"X-\*\\""/,
    headers: undefined,
  },
  {
    snippet: 'add_header X-Done "100%" always;',
    says: /^converted info/,
    headers: { response: { add: { 'x-done': '100%%' } } },
  },
]

t.test('headers of a snippet: added, replaced and removed as nginx does', (t) => {
  for (const { snippet, says, headers } of HEADERS) {
    const conversion = convert([ingress({ annotations: nginx({ 'configuration-snippet': snippet }) })])
    t.match(linesOf(conversion, 'configuration-snippet'), says, snippet)
    const service = conversion.objects.find(({ kind }) => kind === 'VirtualService')
    const found = /"headers":(\{"re(?:quest|sponse)".*\})\}\]\}\}$/.exec(JSON.stringify(service))?.[1]
    t.same(found === undefined ? undefined : JSON.parse(found), headers, snippet)
  }
  t.end()
})

t.test('the cookies of the application stay beside an added one, in both APIs', (t) => {
  const annotations = nginx({ 'configuration-snippet': 'add_header Set-Cookie "track=1"; more_clear_headers X-P;' })
  for (const target of TARGETS) {
    const answer = answerOf(convert([ingress({ annotations })], target).objects, target, '/')
    t.match(answer, { responseHeaders: { set: {}, add: { 'set-cookie': 'track=1' }, remove: ['x-p'] } }, target)
  }
  t.end()
})

interface RedirectRow {
  readonly snippet: string
  readonly answers: Readonly<Record<string, string>>
  readonly says: RegExp
}

const REDIRECTS: readonly RedirectRow[] = [
  {
    snippet: 'return 301 https://new.example.com$request_uri;',
    answers: { '/x?y': '301 https://new.example.com/x?y' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/(.*)$ https://new.example.com/$1 permanent;',
    answers: { '/x?y': '301 https://new.example.com/x?y' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^(.*)$ https://new.example.com$1 redirect;',
    answers: { '/x': '302 https://new.example.com/x' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/old/(.*)$ https://new.example.com/$1 permanent;',
    answers: { '/old/x': 'web.shop:80 /old/x' },
    says: /^unsupported error: "rewrite \^\/old/,
  },
  {
    snippet: "if ($host = 'www.a.example.com') { return 301 https://a.example.com$request_uri; }",
    answers: { 'www.a.example.com/x': '301 https://a.example.com/x', '/x': 'web.shop:80 /x' },
    says: /^converted info/,
  },
  {
    snippet: 'if ($host != a.example.com) { return 301 https://a.example.com$request_uri; }',
    answers: { 'www.a.example.com/x': '301 https://a.example.com/x', '/x': 'web.shop:80 /x' },
    says: /^converted info/,
  },
  {
    snippet: 'return 403;',
    answers: { '/x': 'web.shop:80 /x' },
    says: /^unsupported error: "return 403"/,
  },
]

for (const target of TARGETS)
  t.test(`redirects of a snippet, to ${target}`, (t) => {
    for (const key of ['configuration-snippet', 'server-snippet'])
      for (const { snippet, answers, says } of REDIRECTS) {
        const annotations = nginx({ 'server-alias': 'www.a.example.com', [key]: snippet })
        const conversion = convert([ingress({ annotations, paths: [prefix('/')] })], target)
        for (const [request, answer] of Object.entries(answers))
          t.equal(ask(conversion, target, request), answer, `${snippet} ${request}`)
        t.match(linesOf(conversion, key), says, snippet)
      }
    t.end()
  })

t.test('a host that exists to redirect needs no paths', (t) => {
  const spec = { rules: [{ host: 'old.example.org' }] }
  const snippet = nginx({ 'server-snippet': 'return 301 https://www.example.org$request_uri;' })
  for (const annotations of [snippet, nginx({ 'permanent-redirect': 'https://www.example.org$request_uri' })])
    for (const target of TARGETS) {
      const conversion = convert([ingress({ annotations, spec })], target)
      t.equal(ask(conversion, target, 'old.example.org/x'), '301 https://www.example.org/x')
    }
  t.end()
})

t.test('a default backend without rules is neither rewritten nor redirected', (t) => {
  const spec = { rules: [], defaultBackend: { service: { name: 'fallback', port: { number: 80 } } } }
  for (const annotation of [
    { 'permanent-redirect': 'https://www.example.com' },
    { 'temporal-redirect': 'https://www.example.com' },
    { 'rewrite-target': '/x' },
    { 'app-root': '/x' },
  ]) {
    const [key = ''] = Object.keys(annotation)
    for (const target of TARGETS) {
      const conversion = convert([ingress({ annotations: nginx(annotation), spec })], target, { allowHostless: true })
      t.equal(ask(conversion, target, 'any.example.com/'), 'fallback.shop:80 /', `${key}, ${target}`)
      t.match(linesOf(conversion, key), /^not-needed info: ingress-nginx neither rewrites nor redirects/, key)
    }
  }
  t.end()
})

t.test('a name that another Ingress has rules for keeps them, in any namespace', (t) => {
  const asking = (annotations: Annotations) => ingress({ annotations: nginx(annotations) })
  for (const [host, annotations] of [
    ['b.example.com', { 'server-alias': 'b.example.com' }],
    ['www.a.example.com', { 'from-to-www-redirect': 'true' }],
  ] as const) {
    const other = ingress({ namespace: 'other', name: 'own', host, paths: [{ path: '/', service: 'own' }] })
    const conversion = convert([asking(annotations), other])
    t.equal(ask(conversion, 'istio', `${host}/`), 'own.other:80 /')
    t.match(linesOf(conversion, Object.keys(annotations)[0] ?? ''), /^not-needed warn: .*has rules in an Ingress/)
  }
  t.end()
})

t.test('a canary: without a share it gets nothing, beside affinity the report says what differs', (t) => {
  const main = (annotations: Annotations) => ingress({ annotations: nginx(annotations) })
  const next = (annotations: Annotations) =>
    ingress({
      name: 'next',
      annotations: nginx({ canary: 'true', ...annotations }),
      paths: [{ path: '/', service: 'next' }],
    })
  const idle = convert([main({}), next({})])
  t.equal(ask(idle, 'istio', '/'), 'web.shop:80 /')
  t.match(linesOf(idle, 'canary'), /^not-needed warn: no request reaches it/)
  t.notOk(idle.report.some(({ ingress: id, outcome }) => id === 'shop/next' && outcome === 'converted'))
  const small = convert([main({}), next({ 'canary-weight': '5', 'canary-weight-total': '10' })])
  t.equal(ask(small, 'istio', '/'), 'web.shop:80=95 next.shop:80=5 /', 'a total below 100 counts as 100')
  const sticky = convert([main({ affinity: 'cookie' }), next({ 'canary-weight': '20' })])
  const about = sticky.report.find(({ ingress: id, level }) => id === 'shop/next' && level === 'warn')
  t.match(about?.message, /but the affinity of ingress-nginx keeps/)
  t.end()
})

t.test('limits, protocols and cookies that differ are named', (t) => {
  const rows: readonly (readonly [string, Annotations, RegExp])[] = [
    [
      'proxy-read-timeout',
      { 'proxy-read-timeout': '1' },
      /^unsupported warn: nginx answers 504 after 1 s without data/,
    ],
    ['proxy-send-timeout', { 'proxy-send-timeout': '59' }, /^unsupported warn/],
    ['proxy-read-timeout', { 'proxy-read-timeout': '0' }, /^unsupported warn: nginx answers 504 at once/],
    ['proxy-read-timeout', { 'proxy-read-timeout': '60' }, /^not-needed info/],
    ['proxy-read-timeout', { 'proxy-read-timeout': '30s' }, /^unsupported warn: is "30s"; allowed is a whole number/],
    ['backend-protocol', { 'backend-protocol': 'AUTO_HTTP' }, /^unsupported warn: ingress-nginx speaks HTTPS/],
  ]
  for (const [key, annotations, says] of rows)
    t.match(linesOf(convert([ingress({ annotations: nginx(annotations), secret: 'tls' })]), key), says, key)
  const plain = convert([ingress({ annotations: nginx({ 'backend-protocol': 'AUTO_HTTP' }) })])
  t.match(linesOf(plain, 'backend-protocol'), /^not-needed info/)
  const sticky = convert([ingress({ annotations: nginx({ affinity: 'cookie' }) })])
  t.match(JSON.stringify(sticky.objects), '"httpCookie":{"name":"INGRESSCOOKIE","path":"/","ttl":"0s"}')
  t.end()
})

t.test('a wildcard origin is wider in Gateway API, which is a warning', (t) => {
  const annotations = nginx({ 'enable-cors': 'true', 'cors-allow-origin': 'https://*.example.com' })
  const line = (target: Target) => linesOf(convert([ingress({ annotations })], target), 'enable-cors')
  t.match(line('gateway-api'), /^approximate warn: SECURITY: https:\/\/\*\.example\.com is one label in ingress-nginx/)
  t.match(line('istio'), /^converted info/)
  t.end()
})

t.test('the defaults of ingress-nginx are named once, HSTS where there is TLS', (t) => {
  const plain = convert([ingress({}), ingress({ name: 'two', host: 'b.example.com' })])
  t.match(plain.notes[0]?.message, /^its own settings .* its defaults are assumed/)
  t.equal(plain.notes.length, 1)
  t.match(
    convert([ingress({ secret: 'tls' })]).notes[1]?.message,
    /Strict-Transport-Security: max-age=31536000; includeSubDomains/,
  )
  t.same(convert([ingress({ className: 'traefik', secret: 'tls' })]).notes, [])
  t.end()
})

t.test('a limit of each client, and a client certificate without HTTPS, are errors and print nothing', (t) => {
  for (const key of ['limit-rps', 'limit-rpm', 'limit-connections']) {
    const conversion = convert([ingress({ annotations: nginx({ [key]: '5' }) })])
    t.match(linesOf(conversion, key), /^unsupported error: no limit is generated/)
    t.same(
      conversion.objects.map(({ kind }) => kind),
      ['Gateway', 'VirtualService'],
    )
  }
  const certificate = nginx({ 'auth-tls-secret': 'shop/ca' })
  t.match(
    linesOf(convert([ingress({ annotations: certificate })]), 'auth-tls-secret'),
    /^unsupported error: SECURITY: a\.example\.com has no HTTPS server, so no client is asked for a certificate/,
  )
  t.match(
    linesOf(convert([ingress({ annotations: certificate, secret: 'tls' })]), 'auth-tls-secret'),
    /^approximate warn/,
  )
  t.end()
})

t.test('an address list is an error until the address of the client is known', (t) => {
  for (const key of ['whitelist-source-range', 'denylist-source-range']) {
    const guarded = ingress({ annotations: nginx({ [key]: '10.0.0.0/8' }) })
    t.match(
      linesOf(convert([guarded]), key),
      /^approximate error: SECURITY: .* to apply in istio-system; .* externalTrafficPolicy: Local/,
    )
    t.match(linesOf(convert([guarded], 'gateway-api'), key), /to apply in istio-system;/)
    t.match(
      linesOf(convert([guarded], 'istio', { trustedProxies: 1 }), key),
      /^approximate warn: .* 1 trusted proxies name/,
    )
    const bad = ingress({ annotations: nginx({ [key]: '10.0.0.0/08' }) })
    t.match(linesOf(convert([bad]), key), /^unsupported error: SECURITY: 10\.0\.0\.0\/08 is not an address/)
  }
  t.end()
})

interface ControllerRow {
  readonly title: string
  readonly className: string
  readonly annotations: Annotations
  readonly secret?: string
  readonly paths?: readonly { readonly path: string; readonly type: string; readonly service?: string }[]
  readonly answers: Readonly<Record<string, string>>
  readonly about?: string
  readonly says?: RegExp
}

const K = 'konghq.com/'
const SERVED = { '/': 'web.shop:80 /' }

/** The documentation of each controller is named in docs/facts/other-ingress-controllers.md. */
const CONTROLLERS: readonly ControllerRow[] = [
  {
    title: 'Kong: /~ begins a regular expression, which comes before plain paths',
    className: 'kong',
    annotations: {},
    paths: [specific('/~/users/\\d+$', 'users'), specific('/', 'front')],
    answers: { '/users/42': 'users.shop:80 /users/42', '/users/x': 'front.shop:80 /users/x' },
  },
  {
    title: 'Kong: strip-path',
    className: 'kong',
    annotations: { [`${K}strip-path`]: 'true' },
    paths: [prefix('/api')],
    answers: { '/api/v1': 'web.shop:80 /v1', '/api': 'web.shop:80 /' },
    about: `${K}strip-path`,
    says: /^converted info/,
  },
  {
    title: 'Kong: only https',
    className: 'kong',
    annotations: { [`${K}protocols`]: 'https' },
    secret: 'tls',
    answers: { '/': '308 https://a.example.com/' },
    about: `${K}protocols`,
    says: /^converted info/,
  },
  {
    title: 'Kong: only https, and no certificate',
    className: 'kong',
    annotations: { [`${K}protocols`]: 'https' },
    answers: SERVED,
    about: `${K}protocols`,
    says: /^unsupported error: no redirect to HTTPS/,
  },
  {
    title: 'Kong: methods',
    className: 'kong',
    annotations: { [`${K}methods`]: 'GET' },
    answers: SERVED,
    about: `${K}methods`,
    says: /^converted info: the routes are for GET/,
  },
  {
    title: 'Cilium: force-https',
    className: 'cilium',
    annotations: { 'ingress.cilium.io/force-https': 'enabled' },
    secret: 'tls',
    answers: { '/': '308 https://a.example.com/' },
  },
  {
    title: 'Cilium: force-https without a certificate',
    className: 'cilium',
    annotations: { 'ingress.cilium.io/force-https': 'true' },
    answers: SERVED,
    about: 'ingress.cilium.io/force-https',
    says: /^unsupported error/,
  },
  {
    title: 'APISIX: http-to-https',
    className: 'apisix',
    annotations: { 'k8s.apisix.apache.org/http-to-https': 'true' },
    secret: 'tls',
    answers: { '/': '308 https://a.example.com/' },
  },
  {
    title: 'APISIX: http-redirect',
    className: 'apisix',
    annotations: { 'k8s.apisix.apache.org/http-redirect': '/new', 'k8s.apisix.apache.org/http-redirect-code': '301' },
    answers: { '/x': '301 http://a.example.com/new' },
  },
  {
    title: "F5's ssl-redirect of the old prefix",
    className: 'nginx',
    annotations: { 'nginx.org/server-tokens': 'off', 'ingress.kubernetes.io/ssl-redirect': 'false' },
    secret: 'tls',
    answers: SERVED,
    about: 'ingress.kubernetes.io/ssl-redirect',
    says: /^converted info/,
  },
  {
    title: "F5's default is the redirect",
    className: 'nginx',
    annotations: { 'nginx.org/server-tokens': 'off' },
    secret: 'tls',
    answers: { '/': '308 https://a.example.com/' },
  },
  {
    title: "F5's regular expressions are those of one Ingress, and case-sensitive where it says so",
    className: 'nginx',
    annotations: { 'nginx.org/path-regex': 'case_sensitive' },
    paths: [specific('/v[0-9]+/x')],
    answers: { '/v1/x/y': 'web.shop:80 /v1/x/y', '/V1/x': '404' },
  },
]

for (const target of TARGETS)
  t.test(`other controllers, to ${target}`, (t) => {
    for (const { title, answers, about, says, paths = [prefix('/')], ...text } of CONTROLLERS) {
      const conversion = convert([ingress({ ...text, paths })], target)
      for (const [request, answer] of Object.entries(answers))
        t.equal(ask(conversion, target, request), answer, `${title}: ${request}`)
      if (about !== undefined && says !== undefined) t.match(linesOf(conversion, about), says, title)
    }
    t.end()
  })

t.test('Kong matches headers, one value of several, all of several headers', (t) => {
  const annotations = { [`${K}headers.X-Team`]: 'a,b', [`${K}headers.x-env`]: 'test' }
  const canary = ingress({ className: 'kong', annotations, paths: [prefix('/', 'next')] })
  const main = ingress({ className: 'kong', name: 'main', paths: [prefix('/', 'main')] })
  for (const target of TARGETS) {
    const conversion = convert([main, canary], target)
    const to = (headers: Annotations) => ask(conversion, target, { host: 'a.example.com', path: '/', headers })
    t.equal(to({ 'x-team': 'b', 'x-env': 'test' }), 'next.shop:80 /', target)
    t.equal(to({ 'x-team': 'c', 'x-env': 'test' }), 'main.shop:80 /', target)
    t.equal(to({ 'x-team': 'a' }), 'main.shop:80 /', target)
  }
  t.end()
})

t.test('HAProxy: no redirect is claimed where TLS is passed through and nothing listens on port 80', (t) => {
  const annotations = { 'haproxy.org/ssl-passthrough': 'true', 'haproxy.org/ssl-redirect': 'true' }
  const conversion = convert([ingress({ className: 'haproxy', annotations })])
  const redirects = ask(conversion, 'istio', '/') === '308 https://a.example.com/'
  t.match(linesOf(conversion, 'haproxy.org/ssl-redirect'), redirects ? /^converted/ : /^unsupported warn/)
  t.end()
})

t.test(
  'external-dns: either prefix is read and both are written, each with its own value where the Ingress has both',
  (t) => {
    const [now, before] = ['external-dns.kubernetes.io/', 'external-dns.alpha.kubernetes.io/']
    const rows: readonly (readonly [Annotations, Annotations])[] = [
      [{ [`${now}ttl`]: '60' }, { [`${now}ttl`]: '60', [`${before}ttl`]: '60' }],
      [
        { [`${before}cloudflare-proxied`]: 'true' },
        { [`${now}cloudflare-proxied`]: 'true', [`${before}cloudflare-proxied`]: 'true' },
      ],
      [
        { [`${now}ttl`]: '60', [`${before}ttl`]: '90' },
        { [`${now}ttl`]: '60', [`${before}ttl`]: '90' },
      ],
    ]
    for (const [annotations, expected] of rows) {
      const { objects } = convert([ingress({ annotations })])
      const service = objects.find(({ kind }) => kind === 'VirtualService')
      t.same(memberAt(service, 'metadata', 'annotations'), expected)
    }
    const { objects } = convert([ingress({ annotations: { [`${now}target`]: 'lb.example.net' } })], 'gateway-api')
    const set = objects.find(({ kind }) => kind === 'ListenerSet')
    t.same(memberAt(set, 'metadata', 'annotations'), {
      [`${now}target`]: 'lb.example.net',
      [`${before}target`]: 'lb.example.net',
    })
    t.match(
      memberAt(set, 'spec', 'listeners'),
      [{ name: 'http-a.example.com', port: 80 }],
      'for a host without TLS as well',
    )
    const route = objects.find(({ kind }) => kind === 'HTTPRoute')
    t.match(memberAt(route, 'spec', 'parentRefs'), [{ kind: 'ListenerSet', sectionName: 'http-a.example.com' }])
    t.equal(
      (memberAt(route, 'spec', 'parentRefs') as unknown[]).length,
      1,
      'a second parent would add its address to the record',
    )
    t.end()
  },
)

t.test('Ingresses without a name of their own get one each', (t) => {
  const nameless = (host: string, metadata: JsonObject) => ({
    ...ingress({ host }),
    metadata: { namespace: 'shop', ...metadata },
  })
  const conversion = convert([
    nameless('a.example.com', { generateName: 'web-' }),
    nameless('b.example.com', { generateName: 'web-' }),
    nameless('c.example.com', {}),
  ])
  const names = conversion.objects.map((object) => `${object['kind']} ${String(memberAt(object, 'metadata', 'name'))}`)
  t.equal(new Set(names).size, 6, names.join(', '))
  for (const host of ['a', 'b', 'c']) t.equal(ask(conversion, 'istio', `${host}.example.com/`), 'web.shop:80 /')
  t.match(linesOf(conversion, 'metadata.name'), /^approximate warn: the Ingress has generateName/)
  t.end()
})

/** The class, an annotation, its value, and the beginning of what the report says. */
const SCHEMES: readonly (readonly [className: string, key: string, value: string, says: RegExp])[] = [
  ['kong', 'konghq.com/protocol', 'http', /^not-needed info: /],
  ['kong', 'konghq.com/protocol', 'https', /^approximate warn: /],
  ['kong', 'konghq.com/protocol', 'grpcs', /^approximate warn: /],
  ['kong', 'konghq.com/protocol', 'tcp', /^unsupported error: the backend speaks tcp/],
  ['apisix', 'k8s.apisix.apache.org/upstream-scheme', 'https', /^approximate warn: /],
  ['apisix', 'k8s.apisix.apache.org/upstream-scheme', 'grpcs', /^approximate warn: /],
  [
    'apisix',
    'k8s.apisix.apache.org/upstream-scheme',
    'websocket',
    /^unsupported \w+: is "websocket"; allowed is http, https, grpc/,
  ],
  ['traefik', 'traefik.ingress.kubernetes.io/service.serversscheme', 'http', /^not-needed info: /],
  ['traefik', 'traefik.ingress.kubernetes.io/service.serversscheme', 'https', /^approximate warn: /],
  [
    'traefik',
    'traefik.ingress.kubernetes.io/service.serversscheme',
    'h2c',
    /^unsupported error: name the Service's port http2/,
  ],
  ['nginx', 'nginx.org/path-regex', 'constructor', /^unsupported \w+: is "constructor"; allowed is case_sensitive/],
]

t.test('the protocol of backends is read in the same way for every controller', (t) => {
  for (const [className, key, value, says] of SCHEMES) {
    const given = ingress({ className, annotations: { [key]: value }, paths: [{ path: '/' }] })
    t.match(linesOf(convert([given]), key), says, `${key}: ${value}`)
  }
  t.end()
})

t.test("ingress-nginx' own settings change its own Ingresses, and only where they say nothing themselves", (t) => {
  const settings = new Map([
    ['whitelist-source-range', '10.0.0.0/8'],
    ['global-auth-url', 'http://auth.sso.svc.cluster.local/check'],
  ])
  const policies = (annotations: Annotations, className = 'nginx') => {
    const given = ingress({ className, annotations: nginx(annotations), secret: 'tls' })
    const { objects } = convert([given], 'istio', {}, [], settings)
    const found = objects.flatMap((object) =>
      object.kind === 'AuthorizationPolicy' ? [JSON.stringify(memberAt(object, 'spec'))] : [],
    )
    const isSecured = JSON.stringify(objects).includes('strict-transport-security')
    return { text: found.join(), isAuthenticated: /CUSTOM/.test(found.join()), isSecured }
  }
  t.match(policies({}), { text: /10\.0\.0\.0\/8/, isAuthenticated: true, isSecured: true })
  t.match(policies({ 'allowlist-source-range': '192.0.2.0/24' }), { text: /192\.0\.2\.0\/24/ })
  t.notMatch(policies({ 'allowlist-source-range': '192.0.2.0/24' }).text, /10\.0\.0\.0/, 'its own list counts alone')
  t.equal(policies({ 'enable-global-auth': 'false' }).isAuthenticated, false)
  const foreign = convert([ingress({ className: 'traefik' })], 'istio', {}, [], settings)
  t.notMatch(JSON.stringify(foreign.notes), /foreign/, 'no note about an annotation that nobody wrote')
  t.same(policies({}, 'traefik'), { text: '', isAuthenticated: false, isSecured: false }, 'of another controller')
  t.end()
})

t.test("Kong's and F5's paths of type ImplementationSpecific are prefixes of the text", (t) => {
  for (const className of ['kong', 'nginx']) {
    const annotations = className === 'kong' ? {} : { 'nginx.org/server-tokens': 'off' }
    const conversion = convert([ingress({ className, annotations, paths: [specific('/api')] })])
    t.equal(ask(conversion, 'istio', '/apix'), 'web.shop:80 /apix', className)
  }
  const elements = convert([ingress({ className: 'traefik', paths: [specific('/api')] })])
  t.notMatch(ask(elements, 'istio', '/apix'), /web/, 'not for Traefik, whose path elements are whole')
  t.end()
})
