/**
 * Ingresses that nobody thought of: few hosts, paths and names, so that they meet; every path type and class; annotations
 * with values that are right, wrong, empty and absurd. fast-check makes them, the same ones for the same seed.
 */
import fc from 'fast-check'
import { convertIngresses, type Conversion } from '../../../src/conversion/convert-ingresses.ts'
import {
  DEFAULT_GATEWAY,
  type ConversionOptions,
  type Target,
} from '../../../src/conversion/model/conversion-options.ts'
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'

const NGINX = 'nginx.ingress.kubernetes.io/'
const SEED = 7

export const HOSTS = ['a.example.test', 'b.example.test', '*.example.test', 'www.a.example.test', '']
export const PATHS = [
  '/',
  '',
  '/foo',
  '/foo/',
  '/foo/bar',
  '/foobar',
  '/foo/*',
  '/Foo',
  '/x.y',
  '/foo(/|$)(.*)',
  '/a.*',
  '/v[0-9]+/x',
]
const SERVICES = ['web', 'api', 'canary']
const PORTS = [80, 8080, 'http', 'absent'] as const

/** Values that are right for each annotation, and in `ANY` what may stand in any. */
const ANNOTATIONS: Readonly<Record<string, readonly string[]>> = {
  [`${NGINX}rewrite-target`]: ['/', '/$2', '/new/$1', '$'],
  [`${NGINX}use-regex`]: ['true', 'false'],
  [`${NGINX}ssl-redirect`]: ['true', 'false'],
  [`${NGINX}force-ssl-redirect`]: ['true'],
  [`${NGINX}permanent-redirect`]: ['https://new.example.test/x', 'https://new.example.test$request_uri'],
  [`${NGINX}permanent-redirect-code`]: ['301', '308', '305', '200'],
  [`${NGINX}temporal-redirect`]: ['http://tmp.example.test/'],
  [`${NGINX}app-root`]: ['/app', 'https://other/app'],
  [`${NGINX}from-to-www-redirect`]: ['true'],
  [`${NGINX}server-alias`]: ['alias.example.test', 'one.test, two.test'],
  [`${NGINX}ssl-passthrough`]: ['true'],
  [`${NGINX}canary`]: ['true'],
  [`${NGINX}canary-weight`]: ['20', '0', '100', '120', '-1'],
  [`${NGINX}canary-weight-total`]: ['200'],
  [`${NGINX}canary-by-header`]: ['X-Canary'],
  [`${NGINX}canary-by-header-value`]: ['beta'],
  [`${NGINX}canary-by-header-pattern`]: ['be.*', '(?=x)'],
  [`${NGINX}canary-by-cookie`]: ['canary'],
  [`${NGINX}enable-cors`]: ['true'],
  [`${NGINX}cors-allow-origin`]: ['*', 'https://one.test, https://*.two.test'],
  [`${NGINX}cors-allow-credentials`]: ['false'],
  [`${NGINX}cors-max-age`]: ['600', 'x'],
  [`${NGINX}whitelist-source-range`]: ['10.0.0.0/8', '10.0.0.0/8, 192.0.2.1', 'nonsense'],
  [`${NGINX}denylist-source-range`]: ['192.0.2.0/24'],
  [`${NGINX}auth-url`]: [
    'http://auth.auth.svc.cluster.local/check',
    'https://auth.example.test/oauth',
    'http://$host/x',
  ],
  [`${NGINX}auth-type`]: ['basic'],
  [`${NGINX}auth-tls-secret`]: ['ns-a/ca'],
  [`${NGINX}limit-rps`]: ['10', '0', 'x'],
  [`${NGINX}limit-connections`]: ['5'],
  [`${NGINX}affinity`]: ['cookie'],
  [`${NGINX}session-cookie-name`]: ['SESSION'],
  [`${NGINX}session-cookie-max-age`]: ['3600'],
  [`${NGINX}upstream-vhost`]: ['other.example.test'],
  [`${NGINX}upstream-hash-by`]: ['$remote_addr', '$http_x_user', '$request_uri'],
  [`${NGINX}backend-protocol`]: ['GRPC', 'HTTPS', 'HTTP', 'FCGI', 'grpcs'],
  [`${NGINX}proxy-connect-timeout`]: ['5', '5s'],
  [`${NGINX}proxy-read-timeout`]: ['60'],
  [`${NGINX}proxy-body-size`]: ['50m', '0'],
  [`${NGINX}proxy-next-upstream`]: ['error timeout http_502', 'off'],
  [`${NGINX}proxy-next-upstream-tries`]: ['3'],
  [`${NGINX}mirror-target`]: ['https://mirror.example.test$request_uri'],
  [`${NGINX}configuration-snippet`]: ['more_set_headers "X-A: b";', 'deny all;'],
  [`${NGINX}server-snippet`]: ['location /x { return 200; }'],
  [`${NGINX}x-forwarded-prefix`]: ['/app'],
  [`${NGINX}custom-http-errors`]: ['404,503'],
  [`${NGINX}no-such-thing`]: ['x'],
  'cert-manager.io/cluster-issuer': ['letsencrypt'],
  'cert-manager.io/issuer': ['team'],
  'cert-manager.io/duration': ['2160h', 'soon'],
  'external-dns.alpha.kubernetes.io/hostname': ['dns.example.test'],
  'external-dns.alpha.kubernetes.io/ttl': ['60'],
  'alb.ingress.kubernetes.io/scheme': ['internal'],
  'alb.ingress.kubernetes.io/ssl-redirect': ['443'],
  'traefik.ingress.kubernetes.io/router.middlewares': ['ns-strip@kubernetescrd'],
  'haproxy.org/timeout-server': ['5s'],
  'example.org/own': ['x'],
}
const ANY = ['', 'true', '-1', '1e999', 'ümlaut', 'a\nb', '$(NAME)', 'x'.repeat(300)]

const backend = fc
  .record({ name: fc.constantFrom(...SERVICES), port: fc.constantFrom(...PORTS) })
  .map(({ name, port }): JsonObject => ({
    service: { name, port: typeof port === 'number' ? { number: port } : { name: port } },
  }))
const oddBackend: fc.Arbitrary<JsonObject> = fc.oneof(
  { weight: 12, arbitrary: backend },
  { weight: 1, arbitrary: fc.constant<JsonObject>({ resource: { apiGroup: 'x.test', kind: 'Bucket', name: 'b' } }) },
  { weight: 1, arbitrary: fc.constant<JsonObject>({}) },
)
const path = fc.record({
  path: fc.constantFrom(...PATHS),
  pathType: fc.constantFrom('Prefix', 'Prefix', 'Exact', 'ImplementationSpecific'),
  backend: oddBackend,
})
const rule = fc
  .record({ host: fc.constantFrom(...HOSTS), paths: fc.array(path, { minLength: 0, maxLength: 4 }) })
  .map(({ host, paths }): JsonObject => ({
    ...(host === '' ? {} : { host }),
    ...(paths.length === 0 ? {} : { http: { paths } }),
  }))
const tls = fc
  .record({ hosts: fc.subarray(HOSTS.filter(Boolean)), secretName: fc.constantFrom('one', 'two', '') })
  .map(({ hosts, secretName }): JsonObject => ({
    ...(hosts.length === 0 ? {} : { hosts }),
    ...(secretName === '' ? {} : { secretName }),
  }))
const annotation = fc
  .constantFrom(...Object.keys(ANNOTATIONS))
  .chain((key) =>
    fc
      .oneof(
        { weight: 6, arbitrary: fc.constantFrom(...(ANNOTATIONS[key] ?? [])) },
        { weight: 1, arbitrary: fc.constantFrom(...ANY) },
      )
      .map((value) => [key, value] as const),
  )

const spec = fc.record({
  className: fc.constantFrom('nginx', 'nginx', 'nginx', 'istio', 'alb', 'gce', 'traefik', 'other', undefined),
  rules: fc.array(rule, { maxLength: 3 }),
  tls: fc.array(tls, { maxLength: 2 }),
  defaultBackend: fc.option(oddBackend, { freq: 5, nil: undefined }),
})

function ingressOf(
  namespace: string,
  name: string,
  annotations: JsonObject,
  {
    className,
    rules,
    tls: entries,
    defaultBackend,
  }: {
    className: string | undefined
    rules: readonly JsonObject[]
    tls: readonly JsonObject[]
    defaultBackend: JsonObject | undefined
  },
): JsonObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { namespace, name, annotations },
    spec: {
      ...(className === undefined ? {} : { ingressClassName: className }),
      ...(rules.length === 0 ? {} : { rules }),
      ...(entries.length === 0 ? {} : { tls: entries }),
      ...(defaultBackend === undefined ? {} : { defaultBackend }),
    } as Record<string, Json>,
  }
}

const anyAnnotations = fc.array(annotation, { maxLength: 5 }).map((pairs): JsonObject => Object.fromEntries(pairs))

/** One to three Ingresses of two namespaces, with any annotations unless told otherwise. */
export function ingresses(
  annotations: fc.Arbitrary<JsonObject> = anyAnnotations,
  classes?: readonly string[],
): fc.Arbitrary<readonly JsonObject[]> {
  const one = fc.tuple(fc.constantFrom('ns-a', 'ns-a', 'ns-b'), annotations, spec)
  return fc
    .array(one, { minLength: 1, maxLength: 3 })
    .map((list) =>
      list.map(([namespace, given, rest], index) =>
        ingressOf(
          namespace,
          `ing-${index}`,
          given,
          classes === undefined ? rest : { ...rest, className: classes[index % classes.length] },
        ),
      ),
    )
}

/** One to three Ingresses in which nothing is wrong: rules of plain hosts whose paths lead to Services, with or without TLS. */
export function plainIngresses(): fc.Arbitrary<readonly JsonObject[]> {
  const host = fc.constantFrom('a.example.test', 'b.example.test')
  const plainPath = fc.record({
    path: fc.constantFrom('/', '/foo', '/foo/', '/foo/bar', '/foobar', '/Foo', '/x.y'),
    pathType: fc.constantFrom('Prefix', 'Exact', 'ImplementationSpecific'),
    backend,
  })
  const one = fc.record({
    className: fc.constantFrom('nginx', 'istio', 'alb', 'gce'),
    rules: fc.array(
      fc
        .record({ host, paths: fc.array(plainPath, { minLength: 1, maxLength: 4 }) })
        .map(({ host: name, paths }): JsonObject => ({ host: name, http: { paths } })),
      { minLength: 1, maxLength: 3 },
    ),
    tls: fc.constantFrom<readonly JsonObject[]>([], [{ hosts: ['a.example.test'], secretName: 'one' }]),
    defaultBackend: fc.constant(undefined),
  })
  return fc
    .array(one, { minLength: 1, maxLength: 3 })
    .map((list) => list.map((given, index) => ingressOf('ns-a', `ing-${index}`, {}, given)))
}

export function options(target: Target): ConversionOptions {
  return {
    target,
    gateway: DEFAULT_GATEWAY,
    portNumber: (_, __, name) => (name === 'http' ? 80 : undefined),
    controllerOf: () => undefined,
  }
}

export interface Generated extends Conversion {
  readonly given: readonly JsonObject[]
}

/** The same ones each time. */
export function generatedConversions(target: Target, count: number): readonly Generated[] {
  return fc
    .sample(ingresses(), { seed: SEED, numRuns: count })
    .map((given) => ({ given, ...convertIngresses(given, options(target)) }))
}
