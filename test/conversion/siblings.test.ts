// Ingresses that share a host or a Gateway: what one of them asks for does not reach the other's routes unsaid.
import t, { type Test } from 'tap'
import { memberAt, type JsonObject } from '../../src/kubernetes/json.ts'
import { convert, ingress, ofKind, reportOf } from './support/conversion-fixtures.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
const LISTED = { [`${NGINX}whitelist-source-range`]: '10.0.0.0/8' }
const EXPRESSIONS = { [`${NGINX}use-regex`]: 'true' }

function rule(host: string, ...paths: readonly string[]): JsonObject {
  const backend = { service: { name: 'web', port: { number: 80 } } }
  return { host, http: { paths: paths.map((path) => ({ path, pathType: 'Prefix', backend })) } }
}

function operations(objects: readonly JsonObject[]): unknown {
  const [policy] = ofKind(convert(objects), 'AuthorizationPolicy')
  const [first] = memberAt(policy, 'spec', 'rules') as readonly JsonObject[]
  return memberAt(first, 'to')
}

t.test('a policy has the paths of each host with that host only', (t) => {
  const guarded = ingress({
    name: 'a',
    annotations: LISTED,
    spec: { rules: [rule('h1.example.com', '/admin'), rule('h2.example.com', '/'), rule('h3.example.com', '/x')] },
  })
  const open = ingress({ name: 'b', host: 'h1.example.com', paths: [{ path: '/', type: 'Prefix' }] })
  t.same(operations([guarded, open]), [
    { operation: { hosts: ['h1.example.com', 'h1.example.com:*'], paths: ['/admin', '/admin/*'] } },
    { operation: { hosts: ['h2.example.com', 'h2.example.com:*', 'h3.example.com', 'h3.example.com:*'] } },
  ])
  const abroad = ingress({ namespace: 'other', name: 'b', host: 'h1.example.com' })
  t.same(operations([guarded, abroad]), operations([guarded, open]), 'the gateway is shared with other namespaces')
  t.notMatch(reportOf([guarded, open]), [{ message: /SECURITY/ }])
  t.end()
})

t.test('a policy leaves out the paths that other Ingresses take from it, and no others', (t) => {
  const own = (...paths: readonly string[]) =>
    ingress({ name: 'a', annotations: LISTED, paths: paths.map((path) => ({ path, type: 'Prefix' })) })
  const open = ingress({ name: 'b', paths: [{ path: '/oauth2', type: 'Prefix' }] })
  const hosts = ['a.example.com', 'a.example.com:*']
  const rest = { operation: { hosts, notPaths: ['/oauth2', '/oauth2/*'] } }
  t.same(operations([own('/'), open]), [rest])
  const admin = { operation: { hosts, paths: ['/oauth2/admin', '/oauth2/admin/*'] } }
  t.same(operations([own('/', '/oauth2/admin'), open]), [admin, rest], 'a longer path of its own stays covered')
  const exact = ingress({ name: 'b', paths: [{ path: '/admin/health', type: 'Exact' }] })
  t.same(operations([own('/admin'), exact]), [
    { operation: { hosts, paths: ['/admin', '/admin/*'], notPaths: ['/admin/health'] } },
  ])
  const literal = ingress({ name: 'b', annotations: EXPRESSIONS, paths: ['/oauth2'] })
  t.same(operations([own('/'), literal]), [{ operation: { hosts, notPaths: ['/oauth2*'] } }])
  t.end()
})

interface Hit {
  readonly title: string
  readonly guarded: Parameters<typeof ingress>[0]
  readonly other: Parameters<typeof ingress>[0]
  /** Undefined: nothing is said. */
  readonly says: { readonly level: string; readonly message: RegExp } | undefined
}

const HITS: readonly Hit[] = [
  {
    title: 'an expression has no pattern',
    guarded: { annotations: { ...LISTED, ...EXPRESSIONS }, paths: ['/admin/.*'] },
    other: {},
    says: {
      level: 'error',
      message: /^SECURITY: on a\.example\.com .* routes of Ingress shop\/other, because its patterns/,
    },
  },
  {
    title: 'the longer path of another is left out',
    guarded: { annotations: LISTED, paths: [{ path: '/admin', type: 'Prefix' }] },
    other: { paths: [{ path: '/admin/public', type: 'Exact' }] },
    says: undefined,
  },
  {
    title: 'paths apart',
    guarded: { annotations: LISTED, paths: [{ path: '/admin', type: 'Prefix' }] },
    other: { paths: [{ path: '/', type: 'Prefix' }] },
    says: undefined,
  },
  {
    title: 'a stranger is not named',
    guarded: { annotations: { ...LISTED, ...EXPRESSIONS }, paths: ['/'] },
    other: { namespace: 'strange', paths: ['/x.z'] },
    says: { level: 'error', message: /also applies to routes of another namespace,/ },
  },
  {
    title: 'a host below a wildcard',
    guarded: { host: '*.example.com', annotations: LISTED },
    other: { host: 'b.example.com' },
    says: {
      level: 'error',
      message: /policy of \*\.example\.com also applies to the hosts below it.* Ingress shop\/other/,
    },
  },
]

t.test('a policy that holds for the routes of others says so', (t) => {
  for (const { title, guarded, other, says } of HITS) {
    const report = reportOf([ingress({ name: 'guarded', ...guarded }), ingress({ name: 'other', ...other })])
    const lines = report.filter(({ about, message }) => about === 'spec.rules' && /also applies/.test(message))
    if (says === undefined) t.same(lines, [], title)
    else t.match(lines, [{ ingress: 'shop/guarded', ...says }], title)
  }
  t.end()
})

interface Line {
  readonly title: string
  readonly text: Parameters<typeof ingress>[0]
  readonly about: string
  readonly says: { readonly level: string; readonly message: RegExp } | undefined
}

const TRAEFIK = 'traefik.ingress.kubernetes.io/'
const WEBSECURE = { [`${TRAEFIK}router.entrypoints`]: 'websecure', [`${TRAEFIK}router.tls`]: 'true' }
const NO_SECRET = {
  level: 'error',
  message: /^SECURITY: no HTTPS server is generated .* add spec\.tls .* a secretName$/,
}
const NO_REDIRECT = { level: 'error', message: /^no redirect to HTTPS: a\.example\.com has no HTTPS server/ }
const WITHOUT_SECRET = { spec: { rules: [rule('a.example.com', '/')], tls: [{ hosts: ['a.example.com'] }] } }

const LOST_TLS: readonly Line[] = [
  {
    title: "Traefik's router.tls without a secret",
    text: { className: 'traefik', annotations: WEBSECURE },
    about: `${TRAEFIK}router.tls`,
    says: NO_SECRET,
  },
  {
    title: 'its entry point for TLS only',
    text: { className: 'traefik', annotations: WEBSECURE },
    about: `${TRAEFIK}router.entrypoints`,
    says: NO_SECRET,
  },
  {
    title: 'the redirect of either',
    text: { className: 'traefik', annotations: WEBSECURE },
    about: 'spec.rules',
    says: { ...NO_REDIRECT, level: 'warn' },
  },
  {
    title: 'with a secret it is served',
    text: { className: 'traefik', annotations: WEBSECURE, secret: 'tls' },
    about: `${TRAEFIK}router.tls`,
    says: { level: 'info', message: /spec\.tls decides which hosts have TLS/ },
  },
  {
    title: 'and redirected',
    text: { className: 'traefik', annotations: WEBSECURE, secret: 'tls' },
    about: 'spec.rules',
    says: undefined,
  },
  {
    title: 'a TLS entry without a secret',
    text: WITHOUT_SECRET,
    about: 'spec.tls[0]',
    says: { level: 'error', message: /^no secretName: .* so no HTTPS server is generated/ },
  },
  {
    title: 'a redirect that ingress-nginx forces',
    text: { ...WITHOUT_SECRET, annotations: { [`${NGINX}force-ssl-redirect`]: 'true' } },
    about: `${NGINX}force-ssl-redirect`,
    says: NO_REDIRECT,
  },
  {
    title: 'one that it forces for another host as well',
    text: {
      spec: {
        rules: [rule('a.example.com', '/'), rule('b.example.com', '/')],
        tls: [{ hosts: ['b.example.com'], secretName: 'tls' }],
      },
      annotations: { [`${NGINX}force-ssl-redirect`]: 'true' },
    },
    about: 'spec.rules',
    says: NO_REDIRECT,
  },
  {
    title: 'one that it did not give either',
    text: { annotations: { [`${NGINX}ssl-redirect`]: 'true' } },
    about: 'spec.rules',
    says: undefined,
  },
  {
    title: "Google's",
    text: { className: 'gce', annotations: { 'kubernetes.io/ingress.allow-http': 'false' } },
    about: 'kubernetes.io/ingress.allow-http',
    says: NO_REDIRECT,
  },
]

t.test('TLS that is lost is an error, and no redirect to it is claimed', (t) => {
  expectLines(t, LOST_TLS)
  t.end()
})

const CERTIFICATE = 'appgw.ingress.kubernetes.io/appgw-ssl-certificate'
const FOREIGN = { level: 'info', message: /^only .* reads it, and this Ingress is for ingress-nginx$/ }
const LOGIN = { level: 'error', message: /^SECURITY: the routes are no longer authenticated/ }
const PLUGINS = { level: 'error', message: /^SECURITY: plugins may authenticate/ }
const GUARD = { level: 'error', message: /^SECURITY: it may contain authentication/ }

/** Class, further annotations, the annotation in question and what is said of it. */
const READERS: readonly (readonly [className: string, key: string, says: Line['says']])[] = [
  ['nginx', CERTIFICATE, FOREIGN],
  ['azure-application-gateway', CERTIFICATE, { level: 'warn', message: /^TLS ends at the load balancer/ }],
  ['nginx', 'haproxy.org/auth-type', FOREIGN],
  ['haproxy', 'haproxy.org/auth-type', { level: 'error', message: /no longer protected by a password/ }],
  ['nginx', 'haproxy-ingress.github.io/app-root', FOREIGN],
  ['nginx', 'projectcontour.io/response-timeout', FOREIGN],
  ['contour', 'projectcontour.io/response-timeout', { level: 'warn', message: /timeout of the route/ }],
  ['nginx', 'ingress.kubernetes.io/auth-type', FOREIGN],
  ['gce', 'ingress.kubernetes.io/url-map', { level: 'info', message: /^status that Google's controller wrote/ }],
  ['nginx', 'nginx.org/basic-auth-secret', LOGIN],
  ['nginx', 'nginx.com/jwt-key', LOGIN],
  ['nginx', 'nginx.org/rewrites', { level: 'error', message: /^x is not serviceName=NAME/ }],
  ['nginx', 'nginx.org/ssl-nosuch', { level: 'error', message: /^SECURITY: it may decide over TLS/ }],
  ['nginx', 'nginx.org/nosuch', { level: 'warn', message: /^unknown annotation/ }],
  ['nginx', 'nginx.org/lb-method', { level: 'warn', message: /^the closest equivalent is loadBalancer/ }],
  ['kong', 'konghq.com/plugins', PLUGINS],
  ['kong', 'konghq.com/strip-path', { level: 'warn', message: /allowed is true or false/ }],
  ['apisix', 'k8s.apisix.apache.org/plugin-config-name', PLUGINS],
  ['apisix', 'k8s.apisix.apache.org/auth-nosuch', GUARD],
  ['cilium', 'ingress.cilium.io/loadbalancer-mode', { level: 'info', message: /^a setting of the load balancer/ }],
  ['nginx', 'konghq.com/plugins', FOREIGN],
]

t.test('an annotation counts where the controller of the class reads it', (t) => {
  for (const [className, key, says] of READERS) {
    const leftover = className === 'nginx' ? {} : { [`${NGINX}enable-cors`]: 'false' }
    const text = { className, annotations: { [key]: 'x', ...leftover }, secret: 'tls' }
    expectLines(t, [{ title: `${key} of class ${className}`, text, about: key, says }])
  }
  const [gateway] = ofKind(convert([ingress({ annotations: { [CERTIFICATE]: 'old' }, secret: 'tls' })]), 'Gateway')
  t.match(memberAt(gateway, 'spec', 'servers'), [{ port: { protocol: 'HTTPS' } }, {}])
  t.end()
})

const ISSUER = { 'cert-manager.io/cluster-issuer': 'letsencrypt' }
const ACME = { 'kubernetes.io/tls-acme': 'true' }

t.test('a certificate for names and addresses, and what its challenges need', (t) => {
  const tlsHosts = ['a.example.com', '10.0.0.1', '2001:db8::1']
  const mixed = ingress({ annotations: { ...ISSUER, 'cert-manager.io/ip-sans': '10.0.0.2' }, secret: 'tls', tlsHosts })
  const issued = memberAt(ofKind(convert([mixed]), 'Certificate')[0], 'spec')
  t.same(memberAt(issued, 'dnsNames'), ['a.example.com'])
  t.same(memberAt(issued, 'ipAddresses'), ['10.0.0.1', '2001:db8::1', '10.0.0.2'])
  const [plain] = ofKind(convert([ingress({ annotations: ISSUER, secret: 'tls' })]), 'Certificate')
  t.notOk(JSON.stringify(plain).includes('ipAddresses'))
  const wildcard = ingress({ annotations: ISSUER, host: '*.example.com', secret: 'tls' })
  const solver = { level: 'info', message: /^an ACME issuer that uses HTTP-01 needs a solver/ }
  for (const target of ['istio', 'gateway-api'] as const) {
    const lines = (object: JsonObject) => reportOf([object], target).filter(({ about }) => about === 'spec.tls')
    t.match(lines(mixed), [solver])
    t.match(lines(wildcard), [solver, { level: 'warn', message: /DNS-01 solver for \*\.example\.com/ }])
    t.notMatch(lines(ingress({ secret: 'tls' })), [{ message: /ACME/ }])
  }
  t.end()
})

t.test('the default issuer is named on the ListenerSet that cert-manager reads, unless another is', (t) => {
  const annotationsOf = (annotations: Record<string, string>) => {
    const { objects } = convert([ingress({ annotations, secret: 'tls' })], 'gateway-api', { defaultIssuer: 'default' })
    return memberAt(
      objects.find(({ kind }) => kind === 'ListenerSet'),
      'metadata',
      'annotations',
    )
  }
  t.same(annotationsOf(ACME), { 'cert-manager.io/cluster-issuer': 'default' })
  t.same(annotationsOf({ ...ACME, 'cert-manager.io/issuer': 'own' }), { 'cert-manager.io/issuer': 'own' })
  const both = convert([ingress({ annotations: { ...ACME, ...ISSUER }, secret: 'tls' })], 'istio', {
    defaultIssuer: 'd',
  })
  t.match(ofKind(both, 'Certificate'), [{ spec: { issuerRef: { name: 'letsencrypt' } } }])
  t.match(
    both.report.find(({ about }) => about === 'kubernetes.io/tls-acme'),
    { outcome: 'not-needed', message: /^cert-manager\.io\/cluster-issuer names the issuer/ },
  )
  t.end()
})

t.test('the command that copies a secret is in the message', (t) => {
  const line = reportOf([ingress({ secret: 'tls' })]).find(({ about }) => about === 'spec.tls[0]')
  const jq = `jq '{apiVersion, kind, type, data, metadata: {name: "shop-tls"}}'`
  const command = `kubectl get secret -n shop tls -o json | ${jq} | kubectl apply -n istio-system -f -`
  t.equal(line?.message.slice(-command.length), command)
  t.end()
})

const DNS = 'external-dns.alpha.kubernetes.io/'

t.test('of the DNS annotations of a host names are joined, and else the older holds', (t) => {
  const first = ingress({ name: 'a', annotations: { [`${DNS}hostname`]: 'x.example.com', [`${DNS}ttl`]: '60' } })
  const annotations = {
    [`${DNS}hostname`]: 'y.example.com, x.example.com',
    [`${DNS}ttl`]: '300',
    [`${DNS}alias`]: 'true',
  }
  const { objects, report } = convert([first, ingress({ name: 'b', annotations, paths: ['/b'] })])
  const service = objects.find(({ kind }) => kind === 'VirtualService')
  t.match(memberAt(service, 'metadata', 'annotations'), {
    [`${DNS}hostname`]: 'x.example.com,y.example.com',
    [`${DNS}ttl`]: '60',
    [`${DNS}alias`]: 'true',
  })
  t.match(
    report.filter(({ about }) => about === 'metadata.annotations'),
    [
      {
        ingress: 'shop/b',
        level: 'warn',
        message: /ttl of Ingress shop\/a applies to host a\.example\.com: 60, not 300$/,
      },
    ],
  )
  t.end()
})

t.test('an issuer on a shared ListenerSet never takes over other secrets without a report line', (t) => {
  const issued = ingress({ name: 'a', annotations: ISSUER, secret: 'issued' })
  const beside = (text: Parameters<typeof ingress>[0]) => {
    const { objects, report } = convert([issued, ingress({ name: 'b', paths: ['/b'], ...text })], 'gateway-api')
    const set = objects.find(({ kind }) => kind === 'ListenerSet')
    return {
      annotations: memberAt(set, 'metadata', 'annotations'),
      lines: report.filter(({ about }) => about === 'metadata.annotations'),
    }
  }
  const spec = {
    rules: [rule('a.example.com', '/b'), rule('b.example.com', '/')],
    tls: [{ hosts: ['b.example.com'], secretName: 'by-hand' }],
  }
  t.match(beside({ spec }).lines, [
    {
      ingress: 'shop/b',
      level: 'error',
      message: /^sharing a ListenerSet with Ingress shop\/a would make cert-manager overwrite secret by-hand/,
    },
  ])
  t.same(beside({ secret: 'issued' }).lines, [], 'the same secret')
  t.same(beside({ spec, annotations: ISSUER }).lines, [], 'the same issuer')
  const other = beside({ spec, annotations: { 'cert-manager.io/issuer': 'team', 'cert-manager.io/duration': '1h' } })
  t.match(other, {
    annotations: ISSUER,
    lines: [
      { ingress: 'shop/b', level: 'error', message: /cert-manager annotations of Ingress shop\/a instead of these/ },
    ],
  })
  t.same(Object.keys(other.annotations as JsonObject), Object.keys(ISSUER), 'of two issuers cert-manager takes neither')
  t.end()
})

function expectLines(t: Test, rows: readonly Line[]): void {
  for (const { title, text, about, says } of rows) {
    const lines = reportOf([ingress(text)]).filter((line) => line.about === about)
    if (says === undefined) t.same(lines, [], title)
    else t.match(lines, [says], title)
  }
}

t.test('Ingresses of one authorization service share a provider, whose name has no dot', (t) => {
  const annotations = { [`${NGINX}auth-url`]: 'http://oauth2-proxy.auth.svc.cluster.local:4180/oauth2/auth' }
  const given = [
    ingress({ namespace: 'monitoring', name: 'grafana', host: 'grafana.example.com', annotations }),
    ingress({ namespace: 'docs', name: 'docs', host: 'docs.example.com', annotations }),
  ]
  const policies = ofKind(convert(given), 'AuthorizationPolicy')
  const names = policies.map((policy) => String(memberAt(policy, 'spec', 'provider', 'name')))
  t.equal(names.length, 2)
  t.equal(new Set(names).size, 1, 'two CUSTOM providers of one workload deny everything')
  t.match(names[0], /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/)
  const messages = reportOf(given).filter(({ about }) => about.endsWith('/auth-url'))
  for (const { level, message } of messages) {
    t.equal(level, 'error')
    t.ok(message.includes(`"name":"${names[0] ?? ''}"`))
    t.match(message, /static:\/\/200.*\/oauth2\/auth followed by the path of the request.*202/)
  }
  t.end()
})
