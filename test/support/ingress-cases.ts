/**
 * Writes of Ingresses in a namespace of the mesh, each with the answer of the rule and, beside it, of the admission policy
 * in the chart. The policy sees the Ingress and its namespace only, so it admits where the rule knows better
 * (docs/decisions/ingress-policy.md): no Services, IngressClasses or mesh configuration.
 */
import type { JsonObject } from '../../src/kubernetes/json.ts'

export interface IngressCase {
  readonly title: string
  /** What is stored already; absent for a CREATE. */
  readonly before?: JsonObject
  readonly after: JsonObject
  /** `ACTION REASON`, as the rule decides with Istio's ingress controller in mode STRICT. */
  readonly rule: string
  readonly policy: 'admitted' | 'denied'
}

const NGINX = 'nginx.ingress.kubernetes.io/'
const CLASS = 'kubernetes.io/ingress.class'
const SOLVER = { 'acme.cert-manager.io/http01-solver': 'true' }
const TOKEN = '/.well-known/acme-challenge/Zk3-x_9'
const DENIED = 'deny ingress-in-mesh'

const backend = (name: string): JsonObject => ({ service: { name, port: { number: 80 } } })
const path = (value: string, service = 'web', pathType = 'Prefix'): JsonObject => ({
  path: value,
  pathType,
  backend: backend(service),
})
const rule = (host: string, ...paths: readonly JsonObject[]): JsonObject => ({ host, http: { paths } })
const challenge = path(TOKEN, 'cm-acme', 'Exact')

function ingress(spec: JsonObject, metadata: JsonObject = {}): JsonObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec,
  }
}

const plain = { ingressClassName: 'nginx', rules: [rule('shop.example.com', path('/'))] }
const classless = { rules: [rule('shop.example.com', path('/'))] }
const withDefault = { ...plain, defaultBackend: backend('web') }
const solver = { ingressClassName: 'nginx', rules: [rule('shop.example.com', challenge)] }
const annotated = (annotations: JsonObject): JsonObject => ({ annotations })

/** Ways around the denial, each denied. */
const BYPASSES: readonly IngressCase[] = [
  created('a plain Ingress', ingress(plain)),
  updated('the class annotation changes from Istio to nginx', classless, { [CLASS]: 'istio' }, classless, {
    [CLASS]: 'nginx',
  }),
  updated('the class annotation of Istio goes', classless, { [CLASS]: 'istio' }, classless, {}),
  updated(
    'spec.ingressClassName joins the class annotation of Istio',
    classless,
    { [CLASS]: 'istio' },
    { ...classless, ingressClassName: 'nginx' },
    { [CLASS]: 'istio' },
  ),
  created(
    'both classes at once',
    ingress({ ...classless, ingressClassName: 'nginx' }, annotated({ [CLASS]: 'istio' })),
  ),
  ...[
    '/.well-known/acme-challenge/|/.*',
    '/.well-known/acme-challenge/',
    '/.well-known/acme-challenge/x/../../admin',
    '/.well-known/acme-challenge/.*',
    '/.well-known/acme-challenge/x/y',
    '/.well-known/acme-challenge/x?y',
    '/.well-known/acme-challenge/*',
    '/.well-known/acme-challenge/%2e%2e',
    '/.well-known/acme-challenge/x\n/',
  ].flatMap((wide) => [
    created(
      `a solver's label with the path ${JSON.stringify(wide)}`,
      ingress(
        { ...plain, rules: [rule('shop.example.com', path(wide, 'web', 'ImplementationSpecific'))] },
        { labels: SOLVER },
      ),
    ),
    updated(
      `a new host with the path ${JSON.stringify(wide)}`,
      plain,
      {},
      { ...plain, rules: [...plain.rules, rule('new.example.com', path(wide, 'web', 'ImplementationSpecific'))] },
      {},
    ),
  ]),
  ...['server-snippet', 'configuration-snippet', 'server-alias', 'default-backend', 'from-to-www-redirect'].map(
    (name) =>
      created(`a solver with ${name}`, ingress(solver, { labels: SOLVER, annotations: { [NGINX + name]: 'web' } })),
  ),
  created(
    'a solver with a host that has no paths',
    ingress({ ...solver, rules: [...solver.rules, { host: 'all.example.com' }] }, { labels: SOLVER }),
  ),
  created(
    "a solver's label and a default backend",
    ingress({ ...solver, defaultBackend: backend('web') }, { labels: SOLVER }),
  ),
  updated(
    'a new host without paths, which the default backend takes',
    withDefault,
    {},
    { ...withDefault, rules: [...withDefault.rules, { host: 'new.example.com' }] },
    {},
  ),
  updated(
    'a new host with a challenge, which the default backend takes besides',
    withDefault,
    {},
    { ...withDefault, rules: [...withDefault.rules, rule('new.example.com', challenge)] },
    {},
  ),
  updated(
    'a new host without paths where nothing is the default',
    plain,
    {},
    { ...plain, rules: [...plain.rules, { host: 'new.example.com' }] },
    {},
  ),
  ...[
    'nginx.ingress.kubernetes.io/server-alias',
    'nginx.ingress.kubernetes.io/server-snippet',
    'nginx.ingress.kubernetes.io/rewrite-target',
    'nginx.ingress.kubernetes.io/use-regex',
    'nginx.ingress.kubernetes.io/default-backend',
    'nginx.ingress.kubernetes.io/app-root',
    'nginx.ingress.kubernetes.io/canary',
    'custom.example.com/server-alias',
    'nginx.org/server-snippets',
    'haproxy.org/backend-config-snippet',
    'haproxy-ingress.github.io/server-alias-regex',
    'alb.ingress.kubernetes.io/actions.web',
    'alb.ingress.kubernetes.io/conditions.web',
    'traefik.ingress.kubernetes.io/router.pathmatcher',
    'konghq.com/host-aliases',
  ].map((key) => updated(`${key} comes by annotation`, plain, {}, plain, { [key]: 'new.example.com' })),
  updated('another path', plain, {}, { ...plain, rules: [rule('shop.example.com', path('/new'))] }, {}),
  updated('another host', plain, {}, { ...plain, rules: [rule('new.example.com', path('/'))] }, {}),
  updated('a default backend', plain, {}, withDefault, {}),
  {
    ...updated('another spec while a finalizer holds', solver, {}, plain, {}),
    before: held(solver),
    after: held(plain),
  },
  {
    ...updated('an alias while a finalizer holds', plain, {}, plain, {}),
    before: held(plain),
    after: held(plain, { [`${NGINX}server-alias`]: 'new.example.com' }),
  },
  created(
    'a Service of their own, labelled like a gateway',
    ingress({ ...plain, rules: [rule('a', path('/', 'labelled'))] }),
  ),
  created(
    'a Service of their own that selects like a gateway',
    ingress({ ...plain, rules: [rule('a', path('/', 'selecting'))] }),
  ),
  created(
    'a Service of their own, named like a gateway',
    ingress({ ...plain, rules: [rule('a', path('/', 'istio-ingressgateway'))] }),
  ),
  created(
    'a Service of their own, named like one of Gateway API',
    ingress({ ...plain, rules: [rule('a', path('/', 'edge-istio'))] }),
  ),
]

/** What has to pass in every cluster. */
const HARMLESS: readonly IngressCase[] = [
  admitted(
    "cert-manager's solver",
    'allow ingress-acme-solver',
    ingress(solver, { labels: SOLVER, annotations: { [`${NGINX}whitelist-source-range`]: '0.0.0.0/0,::/0' } }),
  ),
  admitted(
    "cert-manager's solver that keeps to plain HTTP",
    'allow ingress-acme-solver',
    ingress(solver, { labels: SOLVER, annotations: { [`${NGINX}ssl-redirect`]: 'false' } }),
  ),
  {
    title: "cert-manager's edit in place, on a host of the Ingress",
    before: ingress(plain),
    after: ingress({ ...plain, rules: [rule('shop.example.com', challenge, path('/'))] }),
    rule: 'allow ingress-acme-paths-only',
    policy: 'admitted',
  },
  {
    title: "cert-manager's edit in place, as a host of its own",
    before: ingress(plain),
    after: ingress({ ...plain, rules: [...plain.rules, rule('new.example.com', challenge)] }),
    rule: 'allow ingress-acme-paths-only',
    policy: 'admitted',
  },
  {
    title: 'the challenge goes again',
    before: ingress({ ...withDefault, rules: [rule('shop.example.com', challenge, path('/'))] }),
    after: ingress(withDefault),
    rule: 'allow ingress-acme-paths-only',
    policy: 'admitted',
  },
  unchanged('a label', { labels: { team: 'a' } }),
  unchanged('a finalizer', { finalizers: ['example.org/balancer'] }),
  unchanged("a tool's annotation", annotated({ 'external-dns.alpha.kubernetes.io/ttl': '60' })),
  unchanged('a time-out', annotated({ [`${NGINX}proxy-read-timeout`]: '60' })),
  unchanged('the redirect to https', annotated({ [`${NGINX}ssl-redirect`]: 'false' })),
  {
    title: 'a finalizer of an Ingress that is being deleted',
    before: held(plain),
    after: { ...held(plain), metadata: { ...(held(plain)['metadata'] as JsonObject), finalizers: [] } },
    rule: 'allow ingress-being-deleted',
    policy: 'admitted',
  },
  admitted(
    'the class annotation of Istio',
    'warn ingress-istio-class',
    ingress(classless, annotated({ [CLASS]: 'istio' })),
  ),
]

export const INGRESS_CASES: readonly IngressCase[] = [...BYPASSES, ...HARMLESS]

function created(title: string, after: JsonObject): IngressCase {
  return { title, after, rule: DENIED, policy: 'denied' }
}

function admitted(title: string, decision: string, after: JsonObject): IngressCase {
  return { title, after, rule: decision, policy: 'admitted' }
}

function updated(
  title: string,
  before: JsonObject,
  oldAnnotations: JsonObject,
  after: JsonObject,
  annotations: JsonObject,
): IngressCase {
  return {
    title: `update: ${title}`,
    before: ingress(before, annotated(oldAnnotations)),
    after: ingress(after, annotated(annotations)),
    rule: DENIED,
    policy: 'denied',
  }
}

function unchanged(title: string, metadata: JsonObject): IngressCase {
  return {
    title: `update: ${title}`,
    before: ingress(plain),
    after: ingress(plain, metadata),
    rule: 'warn ingress-spec-unchanged',
    policy: 'admitted',
  }
}

function held(spec: JsonObject, annotations: JsonObject = {}): JsonObject {
  return ingress(spec, { annotations, finalizers: ['example.org/balancer'], deletionTimestamp: '2026-11-26T00:00:00Z' })
}
