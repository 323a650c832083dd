// Redirects of snippets for some paths, and by the host: what nginx answers
// (https://nginx.org/en/docs/http/ngx_http_rewrite_module.html), asked of the simulated routers.
import t from 'tap'
import { convert, ingress, type PathText } from './support/conversion-fixtures.ts'
import { ask, linesOf, nginx } from './support/ask.ts'
import { TARGETS } from './support/targets.ts'

const prefix = (path: string, service = 'web'): PathText => ({ path, type: 'Prefix', service })

const FIELD = 'spec.rules[0].http.paths[0]'

interface Row {
  readonly snippet: string
  readonly answers: Readonly<Record<string, string>>
  readonly says: RegExp
  /** The snippet is of a server or a location only; both by default. */
  readonly only?: 'server-snippet' | 'configuration-snippet'
}

const ROWS: readonly Row[] = [
  {
    snippet: 'rewrite ^/old$ /new permanent;',
    answers: { '/old?q=1': '301 http://a.example.com/new?q=1', '/old/x': 'web.shop:80 /old/x', '/': 'web.shop:80 /' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^(/app)$ $1/ redirect;',
    answers: { '/app': '302 http://a.example.com/app/', '/app/': 'web.shop:80 /app/' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/old /new redirect;',
    answers: { '/old': '302 http://a.example.com/new', '/old/x': '302 http://a.example.com/new' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/v[0-9]+/docs$ https://docs.example.org/ permanent;',
    answers: { '/v12/docs': '301 https://docs.example.org/', '/v/docs': 'web.shop:80 /v/docs' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/old(/.*)?$ https://new.example.org/start;',
    answers: { '/old/a/b': '302 https://new.example.org/start', '/older': 'web.shop:80 /older' },
    says: /^converted info/,
  },
  {
    snippet: 'if ($request_uri = /old) { return 301 /new; }',
    answers: { '/old': '301 http://a.example.com/new', '/older': 'web.shop:80 /older' },
    says: /^approximate info: every directive is converted; the redirect keeps the query .* also applies to requests with a query/,
  },
  {
    snippet: 'if ($request_uri ~* "^/old") { return 302 https://x.example.org/; }',
    answers: { '/OLD/x': '302 https://x.example.org/', '/new': 'web.shop:80 /new' },
    says: /^approximate info/,
  },
  {
    snippet: 'if ($uri = /) { return 302 /app/; }',
    answers: { '/': '302 http://a.example.com/app/', '/app/': 'web.shop:80 /app/' },
    says: /^approximate info/,
  },
  {
    snippet: 'location = /old { return 301 https://x.example.org/new; }',
    answers: { '/old': '301 https://x.example.org/new', '/old/x': 'web.shop:80 /old/x' },
    says: /^approximate info/,
    only: 'server-snippet',
  },
  {
    snippet: 'rewrite ^/a$ /b permanent; rewrite ^/ https://rest.example.org/ redirect; rewrite ^/c$ /d permanent;',
    answers: {
      '/a': '301 http://a.example.com/b',
      '/x': '302 https://rest.example.org/',
      '/c': '302 https://rest.example.org/',
    },
    says: /^approximate info: .*what follows a redirect of every request has no effect/,
  },
  {
    snippet: 'if ($host != a.example.com) { return 301 https://a.example.com$request_uri; }',
    answers: { '/x': 'web.shop:80 /x', 'www.a.example.com/x': '301 https://a.example.com/x' },
    says: /^converted info/,
  },
  {
    snippet: 'if ($host ~* ^www\\.(.+)$) { return 301 https://$1$request_uri; }',
    answers: { '/x': 'web.shop:80 /x', 'www.a.example.com/x': '301 https://a.example.com/x' },
    says: /^converted info/,
  },
  {
    snippet: 'if ($host ~ "^www\\.(?<domain>.+)$") { rewrite ^(.*)$ https://$domain$1 permanent; }',
    answers: { 'www.a.example.com/x': '301 https://a.example.com/x' },
    says: /^converted info/,
  },
  {
    snippet: 'rewrite ^/old/(.*)$ /new/$1 permanent;',
    answers: { '/old/x': 'web.shop:80 /old/x' },
    says: /^unsupported error: "rewrite \^\/old\/\(\.\*\)\$ \/new\/\$1 permanent"/,
  },
  {
    snippet: 'if ($request_uri ~ token=) { return 301 /new; }',
    answers: { '/old': 'web.shop:80 /old' },
    says: /^unsupported error: "if/,
  },
  {
    snippet: 'return 301 https://new.example.org/base$request_uri;',
    answers: { '/x': 'web.shop:80 /x' },
    says: /^unsupported error: "return/,
  },
  {
    snippet: 'rewrite ^/old(?!er) /new permanent;',
    answers: { '/old': 'web.shop:80 /old' },
    says: /^unsupported error: "rewrite/,
  },
]

for (const target of TARGETS)
  t.test(`redirects of some paths, converted to ${target}`, (t) => {
    for (const { snippet, answers, says, only } of ROWS)
      for (const key of only === undefined ? ['server-snippet', 'configuration-snippet'] : [only]) {
        const annotations = nginx({ 'server-alias': 'www.a.example.com', [key]: snippet })
        const conversion = convert([ingress({ annotations, paths: [prefix('/')] })], target)
        for (const [request, answer] of Object.entries(answers))
          t.equal(ask(conversion, target, request), answer, `${key} ${snippet} ${request}`)
        t.match(linesOf(conversion, key), says, `${key} ${snippet}`)
      }
    t.end()
  })

t.test('a redirect of a location is for the requests that reach it, one of a server for all of the host', (t) => {
  const conversions = (key: string, snippet: string) => [
    ingress({ annotations: nginx({ [key]: snippet }), paths: [prefix('/')] }),
    ingress({ name: 'api', paths: [prefix('/api', 'api')] }),
  ]
  const snippet = 'rewrite ^/api/old$ /new permanent;'
  const location = convert(conversions('configuration-snippet', snippet))
  t.equal(ask(location, 'istio', '/api/old'), 'api.shop:80 /api/old')
  const server = convert(conversions('server-snippet', snippet))
  t.equal(ask(server, 'istio', '/api/old'), '301 http://a.example.com/new')
  const [own, api] = conversions('configuration-snippet', 'rewrite old /new permanent;')
  const longer = ingress({
    annotations: nginx({ 'configuration-snippet': 'rewrite old /new permanent;' }),
    paths: [prefix('/'), prefix('/api/v1')],
  })
  const beside = convert([own ?? {}, api ?? {}])
  t.equal(ask(beside, 'istio', '/api/old'), 'api.shop:80 /api/old')
  t.equal(ask(beside, 'istio', '/x/old'), '301 http://a.example.com/new')
  const hidden = convert([longer, api ?? {}])
  t.match(linesOf(hidden, 'spec.rules'), /unsupported error: the redirect of \.\*old\.\* is left out/)
  t.end()
})

t.test('Gateway API goes by the kind of a path: a redirect that it tries after a longer path is an error', (t) => {
  const linesWith = (key: string) => {
    const annotations = nginx({ [key]: 'rewrite ^/api /new permanent;' })
    const api = ingress({ name: 'api', paths: [prefix('/api/v1', 'api')] })
    return linesOf(convert([ingress({ annotations, paths: [prefix('/')] }), api], 'gateway-api'), FIELD)
  }
  t.notMatch(linesWith('configuration-snippet'), /error/)
  t.match(linesWith('server-snippet'), /error: \/api goes before \/api\/v1/)
  t.end()
})

t.test('a redirect to a base path before that of the request has no equivalent', (t) => {
  const annotations = nginx({ 'permanent-redirect': 'https://new.example.org/base$request_uri' })
  for (const target of TARGETS) {
    const conversion = convert([ingress({ annotations })], target)
    t.match(linesOf(conversion, 'permanent-redirect'), /^unsupported error/)
    t.match(ask(conversion, target, '/x'), /^(?:refused|404)$/)
  }
  t.end()
})
