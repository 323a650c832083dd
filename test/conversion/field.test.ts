// Behaviour of ingress-nginx that public Ingresses rely on: its own code says what is right (docs/facts/ingress-nginx.md), and
// requests through the simulated routers say whether the objects do it.
import t from 'tap'
import type { Conversion } from '../../src/conversion/convert-ingresses.ts'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, type Annotations } from './support/conversion-fixtures.ts'
import type { Answer, RoutedRequest } from './support/envoy-routes.ts'
import { routeThroughGatewayApi } from './support/gateway-api-router.ts'
import { routeThroughIstio } from './support/istio-router.ts'
import { shortAnswer } from './support/short-answer.ts'
import { TARGETS } from './support/targets.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
}

function ask({ objects }: Conversion, target: Target, request: string | RoutedRequest): string {
  return shortAnswer(answerOf(objects, target, request))
}

/** A request is `/path` of a.example.com, or `host/path`. */
function answerOf(objects: readonly JsonObject[], target: Target, request: string | RoutedRequest): Answer {
  const route = target === 'istio' ? routeThroughIstio : routeThroughGatewayApi
  if (typeof request !== 'string') return route(objects, request)
  const slash = request.indexOf('/')
  return route(objects, { host: request.slice(0, slash) || 'a.example.com', path: request.slice(slash) })
}

/** `outcome level: message` of each line about the annotation or field. */
function linesOf({ report }: Conversion, about: string): string {
  const own = report.filter((line) => line.about === about || line.about === `${NGINX}${about}`)
  return own.map(({ outcome, level, message }) => `${outcome} ${level}: ${message}`).join(' and ')
}

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
  const conversion = convert([
    ingress({ annotations: nginx({ 'rewrite-target': '/$1' }), paths: [prefix('/'), prefix('/v2', 'web2')] }),
  ])
  t.equal(ask(conversion, 'istio', '/v2/x'), 'web2.shop:80 /')
  t.match(linesOf(conversion, 'rewrite-target'), /^approximate warn: \/, \/v2 has no group for \/\$1/)
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
  t.match(linesOf(alone, 'x-forwarded-prefix'), /^not-needed info: ingress-nginx sends it only where/)
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
  t.match(linesOf(conversion, 'proxy-next-upstream-timeout'), /^unsupported warn: nginx starts no further try/)
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
    answers: { '/x': 'web.shop:80 /x' },
    says: /^unsupported error: "if \(\$host/,
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
  t.match(about?.message, /where the affinity of ingress-nginx keeps/)
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
    ['proxy-read-timeout', { 'proxy-read-timeout': '30s' }, /^unsupported warn: is "30s", allowed is a whole number/],
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
  t.match(plain.notes[0], /^ingress-nginx' own settings .* its defaults are assumed/)
  t.equal(plain.notes.length, 1)
  t.match(
    convert([ingress({ secret: 'tls' })]).notes[1],
    /Strict-Transport-Security: max-age=31536000; includeSubDomains/,
  )
  t.same(convert([ingress({ className: 'traefik', secret: 'tls' })]).notes, [])
  t.end()
})
