// Values of ingress-nginx' annotations that it ignores, that no object may hold, or that hang on another annotation.
import t from 'tap'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import type { Conversion } from '../../src/conversion/convert-ingresses.ts'
import { findControllerSettings } from '../../src/conversion/annotations/nginx/controller-settings.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, type Annotations } from './support/conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'

function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`${NGINX}${key}`, value]))
}

function convertOne(annotations: Annotations, target: Target = 'istio'): Conversion {
  return convert([ingress({ annotations: nginx(annotations), secret: 'tls' })], target)
}

/** `outcome level: message` of each line about the annotation. */
function linesOf({ report }: Conversion, key: string): string {
  const own = report.filter(({ about }) => about === `${NGINX}${key}`)
  return own.map(({ outcome, level, message }) => `${outcome} ${level}: ${message}`).join(' and ')
}

t.test('force-ssl-redirect wins over ssl-redirect, whichever comes first in the alphabet', (t) => {
  const forced = convertOne({ 'force-ssl-redirect': 'true', 'ssl-redirect': 'false' })
  t.equal(linesOf(forced, 'ssl-redirect'), 'not-needed info: force-ssl-redirect takes precedence')
  t.match(JSON.stringify(ofKind(forced, 'VirtualService')), /"redirectCode":308/)
  const open = convertOne({ 'force-ssl-redirect': 'false', 'ssl-redirect': 'false' })
  t.equal(linesOf(open, 'ssl-redirect'), 'converted info: plain requests are served as well')
  t.notMatch(JSON.stringify(ofKind(open, 'VirtualService')), /redirectCode/)
  t.end()
})

t.test('an empty value of any annotation counts as not there', (t) => {
  const main = { 'enable-cors': 'true', affinity: 'cookie', canary: 'false' }
  const emptyOnes = [
    ...['permanent-redirect', 'temporal-redirect', 'upstream-vhost', 'session-cookie-name', 'rewrite-target'],
    ...['cors-allow-origin', 'whitelist-source-range', 'auth-url', 'app-root', 'server-alias', 'backend-protocol'],
  ]
  const empty = Object.fromEntries(emptyOnes.map((key, index) => [key, index % 2 === 0 ? '' : ' ']))
  for (const target of ['istio', 'gateway-api'] as const) {
    const conversion = convertOne({ ...main, ...empty }, target)
    for (const key of emptyOnes)
      t.equal(linesOf(conversion, key), 'not-needed info: is empty, which counts as absent', `${key}, ${target}`)
    t.same(conversion.objects, convertOne(main, target).objects, target)
  }
  t.end()
})

t.test('a canary with an empty header is split by weight alone', (t) => {
  const split = (annotations: Annotations) => convert([ingress({}), canary({ 'canary-weight': '20', ...annotations })])
  t.same(split({ 'canary-by-header': '', 'canary-by-cookie': '' }).objects, split({}).objects)
  t.end()
})

function canary(annotations: Annotations) {
  return ingress({ name: 'next', annotations: nginx({ canary: 'true', ...annotations }) })
}

const IGNORED = 'not-needed info: ingress-nginx ignores it on a canary; the main Ingress decides'
const NOT_CARRIED = /^unsupported warn: not converted on a canary/

t.test('on a canary, annotations are ignored but for its own and those of balancing', (t) => {
  const rows: readonly (readonly [string, string, string | RegExp])[] = [
    ['proxy-connect-timeout', '7', IGNORED],
    ['auth-url', 'http://auth.shop.svc.cluster.local/check', IGNORED],
    ['whitelist-source-range', '10.0.0.0/8', IGNORED],
    ['ssl-passthrough', 'true', IGNORED],
    ['affinity', 'cookie', NOT_CARRIED],
    ['session-cookie-name', 'c', 'unsupported info: part of affinity'],
    ['session-cookie-hash', 'sha1', 'not-needed info: Envoy hashes by itself'],
    ['load-balance', 'ewma', NOT_CARRIED],
    ['upstream-hash-by', '$host', NOT_CARRIED],
    ['canary-weight', '20', 'converted info: part of canary'],
  ]
  const annotations = Object.fromEntries(rows.map(([key, value]) => [key, value]))
  const conversion = convert([ingress({}), canary(annotations)])
  for (const [key, , expected] of rows) t.match(linesOf(conversion, key), expected, key)
  t.same(conversion.objects, convert([ingress({}), canary({ 'canary-weight': '20' })]).objects)
  t.end()
})

t.test('on a canary, what other tools read is carried over, as its line says', (t) => {
  const key = 'external-dns.alpha.kubernetes.io/ttl'
  const next = ingress({ name: 'next', annotations: { ...nginx({ canary: 'true' }), [key]: '60' } })
  const conversion = convert([ingress({}), next])
  t.match(
    conversion.report.find(({ about }) => about === key),
    { outcome: 'converted' },
  )
  t.match(ofKind(conversion, 'VirtualService'), [{ metadata: { annotations: { [key]: '60' } } }])
  t.end()
})

t.test('where TLS is passed through, every annotation but a redirect to HTTPS is void', (t) => {
  const others = {
    'whitelist-source-range': '10.0.0.0/8',
    'auth-url': 'https://a.example.com/x',
    'backend-protocol': 'HTTPS',
  }
  for (const target of ['istio', 'gateway-api'] as const) {
    const conversion = convertOne({ 'ssl-passthrough': 'true', ...others }, target)
    for (const key of Object.keys(others))
      t.equal(linesOf(conversion, key), 'not-needed info: has no effect on a host whose TLS is passed through', key)
    t.same(conversion.objects, convertOne({ 'ssl-passthrough': 'true' }, target).objects, target)
  }
  t.end()
})

t.test('a part of the wrong kind is reported with the allowed values', (t) => {
  const rows: readonly (readonly [string, Annotations, string])[] = [
    ['cors-max-age', { 'enable-cors': 'true', 'cors-max-age': 'abc' }, 'a whole number of seconds'],
    ['cors-allow-credentials', { 'enable-cors': 'true', 'cors-allow-credentials': 'nope' }, 'true or false'],
    ['session-cookie-max-age', { affinity: 'cookie', 'session-cookie-max-age': '1h' }, 'a whole number of seconds'],
    ['session-cookie-expires', { affinity: 'cookie', 'session-cookie-expires': '1h' }, 'a whole number of seconds'],
    ['proxy-next-upstream-tries', { 'proxy-next-upstream-tries': 'many' }, 'a whole number'],
    [
      'proxy-next-upstream-timeout',
      { 'proxy-next-upstream': 'error', 'proxy-next-upstream-timeout': 'soon' },
      'a whole number of seconds',
    ],
    [
      'auth-tls-verify-client',
      { 'auth-tls-secret': 'ca', 'auth-tls-verify-client': 'maybe' },
      'on, off, optional or optional_no_ca',
    ],
    ['auth-tls-verify-depth', { 'auth-tls-secret': 'ca', 'auth-tls-verify-depth': 'deep' }, 'a whole number'],
    ['proxy-ssl-verify', { 'backend-protocol': 'HTTPS', 'proxy-ssl-verify': 'true' }, 'on or off'],
    ['proxy-ssl-server-name', { 'backend-protocol': 'HTTPS', 'proxy-ssl-server-name': 'yes' }, 'on or off'],
  ]
  for (const [key, annotations, allowed] of rows) {
    const given = JSON.stringify(annotations[key])
    t.equal(
      linesOf(convertOne(annotations), key),
      `unsupported warn: is ${given}; allowed is ${allowed}; it is ignored`,
      `${key}=${given}`,
    )
  }
  const idle = convertOne({ 'enable-cors': 'false', 'cors-max-age': 'abc' })
  t.equal(linesOf(idle, 'cors-max-age'), 'not-needed info: part of enable-cors', 'where the main one is off')
  t.end()
})

t.test('an alias that is not a host is reported and omitted, the others are served', (t) => {
  const rows: readonly (readonly [string, Target, RegExp | string])[] = [
    [
      'Alias.example.com, 10.0.0.1',
      'istio',
      /^unsupported error: 10\.0\.0\.1 is an IP address .*; served under alias\.example\.com$/,
    ],
    ['alias', 'istio', /^unsupported error: alias is a short name, .*; served under no other name$/],
    ['alias', 'gateway-api', 'converted info: the routes are also served under alias'],
    ['a..b', 'gateway-api', /^unsupported error: a\.\.b is not a DNS name; /],
  ]
  for (const [value, target, expected] of rows)
    t.match(linesOf(convertOne({ 'server-alias': value }, target), 'server-alias'), expected, `${value}, ${target}`)
  const { hosts } = convertOne({ 'server-alias': 'Alias.example.com, 10.0.0.1' })
  t.same(
    hosts.map(({ host }) => host),
    ['a.example.com', 'alias.example.com'],
  )
  t.end()
})

t.test("a canary's cookie is a name, not an expression", (t) => {
  const conversion = convert([ingress({}), canary({ 'canary-by-cookie': 'foo(bar' })])
  const regex = '^(.*?;\\s*)?foo\\(bar=always(;.*)?$'
  t.match(ofKind(conversion, 'VirtualService')[0], {
    spec: { http: [{ match: [{ headers: { cookie: { regex } } }] }, {}, {}] },
  })
  t.end()
})

t.test('Gateway API: a Host with a port is reported and omitted, Istio accepts it', (t) => {
  for (const value of ['api.internal:8080', 'Api.internal', 'under_score']) {
    const refused = convertOne({ 'upstream-vhost': value }, 'gateway-api')
    t.match(linesOf(refused, 'upstream-vhost'), /^unsupported error: .*without a port; the client's Host is passed on$/)
    t.notMatch(JSON.stringify(refused.objects), /URLRewrite/, value)
    t.match(JSON.stringify(convertOne({ 'upstream-vhost': value }).objects), new RegExp(`"authority":"${value}"`))
  }
  t.match(
    JSON.stringify(convertOne({ 'upstream-vhost': 'api.internal' }, 'gateway-api').objects),
    /"hostname":"api.internal"/,
  )
  t.end()
})

t.test('CORS: values that cannot be in the answer are reported and omitted', (t) => {
  const cors = {
    'enable-cors': 'true',
    'cors-allow-origin': 'https://*.example.com:8443, example.com, https://*.example.com:8443',
    'cors-allow-methods': 'GET, PURGE, GET',
    'cors-allow-headers': 'X-A, X B',
  }
  const conversion = convertOne(cors, 'gateway-api')
  t.match(linesOf(conversion, 'cors-allow-origin'), /^unsupported warn: example\.com is left out of the CORS response/)
  t.match(
    linesOf(conversion, 'cors-allow-methods'),
    /^unsupported error: PURGE is left out .* \(--to istio takes any\)$/,
  )
  t.match(linesOf(conversion, 'cors-allow-headers'), /^unsupported warn: X B is left out/)
  const printed = { allowOrigins: ['https://*.example.com:8443'], allowMethods: ['GET'], allowHeaders: ['X-A'] }
  t.match(ofKind(conversion, 'HTTPRoute')[0], { spec: { rules: [{ filters: [{ cors: printed }] }] } })
  t.equal(linesOf(convertOne(cors), 'cors-allow-methods'), 'converted info: part of enable-cors')
  const none = convertOne({ 'enable-cors': 'true', 'cors-allow-origin': 'example.com' })
  t.match(linesOf(none, 'enable-cors'), /^unsupported error: no valid origin remains/)
  t.notMatch(JSON.stringify(none.objects), /corsPolicy/)
  t.end()
})

t.test('CORS in Gateway API: the wildcard is the only origin', (t) => {
  const any = { 'enable-cors': 'true', 'cors-allow-methods': 'GET, *', 'cors-allow-headers': '*, X-A' }
  const cors = { allowOrigins: ['*'], allowMethods: ['*'], allowHeaders: ['*'] }
  t.match(ofKind(convertOne(any, 'gateway-api'), 'HTTPRoute')[0], { spec: { rules: [{ filters: [{ cors }] }] } })
  t.end()
})

t.test('a mirror without its path and an authorization without its query are reported', (t) => {
  const rows: readonly (readonly [string, string, RegExp])[] = [
    ['mirror-target', 'https://x.example.com/base$request_uri', /^approximate warn: .* without \/base before it$/],
    ['mirror-target', 'https://x.example.com$request_uri', /^approximate info: .* appended$/],
    [
      'auth-url',
      'https://x.example.com/check?x=1',
      /^platform-step error: .*SECURITY: the query \?x=1 of .* is not sent/,
    ],
    ['auth-url', 'https://x.example.com/check', /^platform-step error: .*allows only status 200$/],
  ]
  for (const [key, value, expected] of rows) t.match(linesOf(convertOne({ [key]: value }), key), expected, value)
  t.end()
})

t.test('a snippet: headers of the location are carried over, and blocks are lost as a whole', (t) => {
  const rows: readonly (readonly [string, string, Annotations, readonly string[]])[] = [
    [
      'a header in a condition',
      'if ($a = "x;") { more_set_headers "A: b"; add_header B c; } add_header C d;',
      { c: 'd' },
      ['if ($a = "x;") { more_set_headers "A: b"; add_header B c; }'],
    ],
    [
      'blocks in blocks',
      'location ~ "^/a{2}" {\n  if ($b) { return 403; }\n  add_header B c;\n}\nadd_header C d;',
      { c: 'd' },
      ['location ~ "^/a{2}" { if ($b) { return 403; } add_header B c; }'],
    ],
    [
      'a block that is not closed',
      'add_header C d; if ($a) { add_header B c;',
      { c: 'd' },
      ['if ($a) { add_header B c;'],
    ],
    [
      'the location itself closed',
      'add_header C d; } location /x { add_header B c; }  location /y { add_header E f;',
      { c: 'd' },
      ['} location /x { add_header B c; } location /y { add_header E f;'],
    ],
    ['a variable in braces', 'set $x ${y}; add_header C d;', { c: 'd' }, ['set $x ${y}']],
    ['braces, a semicolon and a hash in quotes', 'add_header C "{d; #e}";', { c: '{d; #e}' }, []],
    ['comments', '# a; {\nadd_header C d#e; # "}\n', { c: 'd#e' }, []],
  ]
  for (const [title, snippet, add, lost] of rows) {
    const conversion = convertOne({ 'configuration-snippet': snippet })
    t.match(JSON.stringify(conversion.objects), JSON.stringify({ response: { add } }), title)
    const quoted = lost.map((statement) => JSON.stringify(statement)).join(', ')
    const line = linesOf(conversion, 'configuration-snippet')
    t.match(
      line,
      lost.length === 0
        ? 'approximate info: every directive is converted; Envoy also adds it to errors'
        : `unsupported error: ${quoted}.`,
      title,
    )
  }
  t.end()
})

t.test('two lists of allowed addresses: each is checked, and a bad one is left out', (t) => {
  const both = (allowlist: string, whitelist: string) =>
    convertOne({ 'allowlist-source-range': allowlist, 'whitelist-source-range': whitelist })
  const good = both('192.0.2.0/24', '10.0.0.0/8')
  t.match(JSON.stringify(good.objects), '"notRemoteIpBlocks":["192.0.2.0/24","10.0.0.0/8"]')
  const half = both('bad', '10.0.0.0/8')
  t.match(JSON.stringify(half.objects), '"notRemoteIpBlocks":["10.0.0.0/8"]')
  t.equal(
    linesOf(half, 'allowlist-source-range'),
    'unsupported error: bad is not an address or CIDR range; this list is left out, and only the addresses of whitelist-source-range may call',
  )
  t.match(linesOf(half, 'whitelist-source-range'), /^approximate error: SECURITY: an AuthorizationPolicy/)
  const none = both('bad', 'worse')
  for (const key of ['allowlist-source-range', 'whitelist-source-range'])
    t.match(linesOf(none, key), /^unsupported error: SECURITY: .*; no policy is generated, so every address may call$/)
  t.same(ofKind(none, 'AuthorizationPolicy'), [])
  t.end()
})

t.test('TLS passthrough to an unknown port: the host is not served in any other way', (t) => {
  const unknown = ingress({
    annotations: { 'nginx.ingress.kubernetes.io/ssl-passthrough': 'true' },
    paths: [{ path: '/', port: 'nosuch' }, '/open'],
  })
  for (const target of ['istio', 'gateway-api'] as const)
    for (const kind of ['VirtualService', 'HTTPRoute', 'TLSRoute'])
      t.notMatch(JSON.stringify(ofKind(convert([unknown], target), kind)), '"web', `${target}: ${kind}`)
  t.match(
    convert([unknown])
      .report.filter(({ level }) => level === 'error')
      .map(({ about }) => about),
    [/paths\[0\]/, /paths\[1\]/],
  )
  t.end()
})

interface SettingRow {
  readonly settings: Readonly<Record<string, string>>
  /** `level outcome` and the message of the note about the first setting. */
  readonly note: RegExp
}

/** https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/configmap/ and cli-arguments/ */
const SETTINGS: readonly SettingRow[] = [
  { settings: { 'use-forwarded-headers': 'true' }, note: /^warn platform-step: is true; the address of the client/ },
  { settings: { 'use-forwarded-headers': 'false' }, note: /^info not-needed: is false; it is switched off/ },
  { settings: { 'proxy-real-ip-cidr': '10.0.0.0/8' }, note: /^warn platform-step/ },
  { settings: { 'block-cidrs': '192.0.2.1' }, note: /^error unsupported: is 192\.0\.2\.1; SECURITY/ },
  { settings: { 'disable-ipv6': 'true' }, note: /^info not-needed/ },
  { settings: { 'limit-req-status-code': '429' }, note: /^info unsupported/ },
  { settings: { 'hide-headers': 'X-A' }, note: /^warn unsupported/ },
  { settings: { 'global-auth-signin': 'https://a' }, note: /^error unsupported: .*SECURITY/ },
  { settings: { '--default-ssl-certificate': 'a/b' }, note: /^error platform-step: is a\/b/ },
  { settings: { '--default-backend-service': 'a/b' }, note: /^warn unsupported/ },
  { settings: { '--annotations-prefix': 'a.b' }, note: /^error unsupported/ },
  { settings: { '--watch-ingress-without-class': 'true' }, note: /^info not-needed/ },
  { settings: { 'strict-validate-path-type': 'true' }, note: /^info not-needed/ },
  {
    settings: { 'whitelist-source-range': '10.0.0.0/8' },
    note: /^error approximate: SECURITY: an AuthorizationPolicy/,
  },
  { settings: { 'proxy-read-timeout': '5' }, note: /^warn unsupported: nginx answers 504 after 5 s/ },
  { settings: { 'custom-http-errors': '404' }, note: /^warn unsupported/ },
  { settings: { 'not-a-setting': '1' }, note: /^warn unsupported: is 1; unknown setting/ },
]

t.test('each setting of the controller is taken into account, or stands in the report', (t) => {
  for (const { settings, note } of SETTINGS) {
    const [key = ''] = Object.keys(settings)
    const { notes } = convert([ingress({})], 'istio', {}, [], new Map(Object.entries(settings)))
    const found = notes.filter(({ about }) => about === `ingress-nginx ${key}`)
    t.match(found.map(({ level, outcome, message }) => `${level} ${outcome}: ${message}`).join(' and '), note, key)
  }
  t.end()
})

t.test('annotations that the controller ignores because of its settings are not converted', (t) => {
  const annotations = {
    'nginx.ingress.kubernetes.io/configuration-snippet': 'return 301 https://b.example.com$request_uri;',
    'nginx.ingress.kubernetes.io/ssl-passthrough': 'true',
  }
  const kindsWith = (settings: Readonly<Record<string, string>>) =>
    JSON.stringify(convert([ingress({ annotations })], 'istio', {}, [], new Map(Object.entries(settings))).objects)
  t.match(kindsWith({ 'allow-snippet-annotations': 'true', '--enable-ssl-passthrough': 'true' }), /PASSTHROUGH/)
  t.match(kindsWith({ 'allow-snippet-annotations': 'true', '--configmap': 'a/b' }), /"redirect":.*b\.example\.com/)
  const ignoring = { 'allow-snippet-annotations': 'false', '--configmap': 'a/b' }
  t.notMatch(kindsWith(ignoring), /PASSTHROUGH|redirect/)
  const { report } = convert([ingress({ annotations })], 'istio', {}, [], new Map(Object.entries(ignoring)))
  t.match(
    report.filter(({ about }) => about in annotations).map(({ outcome, message }) => `${outcome}: ${message}`),
    [/^not-needed: .*allow-snippet-annotations is false/, /^not-needed: .*--enable-ssl-passthrough/],
  )
  t.end()
})

t.test('the settings are those of the controller in the input, with its TCP services', (t) => {
  const controller = (name: string): JsonObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'edge' },
    spec: {
      template: {
        spec: {
          containers: [
            {
              image: 'registry.k8s.io/ingress-nginx/controller:v1.15.1',
              args: ['--configmap=$(POD_NAMESPACE)/settings', '--tcp-services-configmap=other/tcp'],
            },
          ],
        },
      },
    },
  })
  const map = (namespace: string, name: string, data: JsonObject): JsonObject => ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace }, data },
  })
  const maps = [
    map('other', 'settings', { hsts: 'false' }),
    map('edge', 'settings', { 'hsts-max-age': '60' }),
    map('other', 'tcp', { '9000': 'data/redis:6379' }),
  ]
  const found = findControllerSettings([...maps, controller('one'), controller('two')])
  t.equal(found?.get('hsts-max-age'), '60')
  t.notOk(found?.has('hsts'))
  t.equal(found?.get('--tcp-services-configmap'), 'other/tcp: 9000 to data/redis:6379')
  t.equal(found?.get('of further controllers'), 'edge/two')
  t.equal(findControllerSettings(maps), undefined)
  t.end()
})

t.test('Ingresses of one oauth2-proxy share a provider, with the headers that any of them wants', (t) => {
  const url = 'http://oauth2-proxy.auth.svc.cluster.local:4180/oauth2/auth'
  const app = (name: string, annotations: Annotations): JsonObject =>
    ingress({ namespace: name, name, host: `${name}.example.com`, annotations: nginx(annotations) })
  const one = app('one', {
    'auth-url': url,
    'auth-response-headers': 'X-User',
    'auth-signin': 'https://a/oauth2/start',
  })
  const two = app('two', { 'auth-url': `${url}?allowed_groups=a`, 'auth-response-headers': 'X-Email, X-User' })
  const { report, notes, objects } = convert([one, two])
  const providers = report.flatMap(({ message }) => /extensionProviders, .*?: (\{.*\})\. Run/.exec(message)?.[1] ?? [])
  t.equal(providers.length, 2)
  t.equal(providers[0], providers[1])
  const { name, envoyExtAuthzHttp } = JSON.parse(providers[0] ?? '') as Record<string, object>
  t.match(envoyExtAuthzHttp, { pathPrefix: '/oauth2/auth', headersToUpstreamOnAllow: ['x-user', 'x-email'] })
  t.notMatch(String(name), /\./, 'istiod refuses a dot')
  t.match(JSON.stringify(objects), new RegExp(`"provider":{"name":"${String(name)}"}`))
  t.match(linesOf({ ...convert([one]) }, 'auth-signin'), /^platform-step warn: oauth2-proxy redirects/)
  t.same(
    notes.filter(({ about }) => about === 'auth-url'),
    [],
  )
  const other = app('other', { 'auth-url': 'http://other.auth.svc.cluster.local/check', 'auth-signin': 'https://a' })
  const several = convert([one, other])
  t.match(
    several.notes.filter(({ about }) => about === 'auth-url'),
    [{ level: 'error', message: /several CUSTOM providers denies/ }],
  )
  t.match(linesOf(several, 'auth-signin'), /unsupported error: nginx turned the 401/)
  t.end()
})
