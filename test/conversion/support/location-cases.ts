/** Requests to hosts of several Ingresses, for the simulated routers and for a real Envoy. */
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { ingress, type Annotations } from './conversion-fixtures.ts'
import type { RoutedRequest } from './envoy-routes.ts'

export function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
  )
}

export const prefix = (path: string, service = 'web') => ({ path, type: 'Prefix', service })
export const exact = (path: string, service = 'web') => ({ path, type: 'Exact', service })
export const specific = (path: string, service = 'web') => ({ path, type: 'ImplementationSpecific', service })

/** Reads `/path` of a.example.com, `host/path` or `https://host/path`. */
export function requestOf(text: string): RoutedRequest {
  const [, scheme, rest = ''] = /^(https:\/\/)?(.*)$/.exec(text) ?? []
  const slash = rest.indexOf('/')
  return {
    host: rest.slice(0, slash) || 'a.example.com',
    path: rest.slice(slash),
    port: scheme === undefined ? 80 : 443,
  }
}

export interface LocationRow {
  readonly title: string
  readonly ingresses: readonly JsonObject[]
  /** By request, as `requestOf` reads it. */
  readonly answers: Readonly<Record<string, string>>
}

const TO_SLASH = '301 http://a.example.com/docs/'
const docs = (...paths: Parameters<typeof ingress>[0]['paths'] & object) => ingress({ name: 'docs', paths })
const root = ingress({ name: 'root', paths: [prefix('/')] })

/** https://nginx.org/en/docs/http/ngx_http_core_module.html#location, on prefixes that end with a slash. */
export const SLASHES: readonly LocationRow[] = [
  {
    title: 'a Prefix path',
    ingresses: [docs(prefix('/docs/', 'docs')), root],
    answers: {
      '/docs': TO_SLASH,
      '/docs?q=1': `${TO_SLASH}?q=1`,
      '/docs/x': 'docs.shop:80 /docs/x',
      '/docsx': 'web.shop:80 /docsx',
    },
  },
  {
    title: 'a path of ImplementationSpecific',
    ingresses: [docs(specific('/docs/', 'docs')), root],
    answers: { '/docs': TO_SLASH, '/docs/x': 'docs.shop:80 /docs/x' },
  },
  {
    title: 'an Exact path',
    ingresses: [docs(exact('/docs/', 'docs')), root],
    answers: { '/docs': TO_SLASH, '/docs/': 'docs.shop:80 /docs/', '/docs/x': 'web.shop:80 /docs/x' },
  },
  {
    title: 'alone on the host',
    ingresses: [docs(prefix('/docs/', 'docs'))],
    answers: { '/docs': TO_SLASH, '/': '404' },
  },
  {
    title: 'a shorter path above it',
    ingresses: [docs(prefix('/a/docs/', 'docs')), ingress({ name: 'root', paths: [prefix('/a')] })],
    answers: { '/a/docs': '301 http://a.example.com/a/docs/', '/a': 'web.shop:80 /a' },
  },
  {
    title: 'an Exact path without the slash',
    ingresses: [docs(prefix('/docs/', 'docs'), exact('/docs', 'one')), root],
    answers: { '/docs': 'one.shop:80 /docs', '/docs/x': 'docs.shop:80 /docs/x' },
  },
  {
    title: 'a Prefix path without the slash, of another Ingress',
    ingresses: [docs(exact('/docs/', 'docs')), ingress({ name: 'root', paths: [prefix('/docs', 'all')] })],
    answers: { '/docs': 'all.shop:80 /docs', '/docs/': 'docs.shop:80 /docs/' },
  },
  {
    title: 'no redirect of a controller that is not nginx',
    ingresses: [ingress({ className: 'traefik', paths: [prefix('/docs/', 'docs')] })],
    answers: { '/docs': 'docs.shop:80 /docs' },
  },
  {
    title: 'the slash of / is none',
    ingresses: [docs(specific('/', 'docs'))],
    answers: { '/': 'docs.shop:80 /', '/docs': 'docs.shop:80 /docs' },
  },
]

const regex = nginx({ 'use-regex': 'true' })
export const of = (namespace: string, ...paths: Parameters<typeof ingress>[0]['paths'] & object) =>
  ingress({ namespace, name: namespace, paths })

/** `getBackendServers` of ingress-nginx' controller.go: longer paths first, in descending order at equal length. */
export const ORDERS: readonly LocationRow[] = [
  {
    title: 'expressions of equal length, in one Ingress',
    ingresses: [ingress({ annotations: regex, paths: [specific('/f../.*', 'any'), specific('/foo/.*', 'foo')] })],
    answers: { '/foo/x': 'foo.shop:80 /foo/x', '/FOO/x': 'foo.shop:80 /FOO/x', '/fab/x': 'any.shop:80 /fab/x' },
  },
  {
    title: 'expressions of two namespaces',
    ingresses: [
      ingress({ namespace: 'a', name: 'a', annotations: regex, paths: [specific('/f.*', 'short')] }),
      of('b', specific('/foo/bar', 'long'), specific('/foo', 'middle')),
    ],
    answers: {
      '/foo/bar/x': 'long.b:80 /foo/bar/x',
      '/FOO': 'middle.b:80 /FOO',
      '/foobar': 'middle.b:80 /foobar',
      '/fx': 'short.a:80 /fx',
    },
  },
  {
    title: 'an expression of one namespace makes the paths of the other expressions',
    ingresses: [
      ingress({ namespace: 'a', name: 'a', annotations: regex, paths: [specific('/v[0-9]+/x', 'x')] }),
      of('b', exact('/headers', 'plain'), prefix('/v1', 'v')),
    ],
    answers: { '/HEADERS/x': 'plain.b:80 /HEADERS/x', '/v1/x/y': 'x.a:80 /v1/x/y', '/v1/z': 'v.b:80 /v1/z' },
  },
  {
    title: 'so it does with those that have nothing in common with it',
    ingresses: [
      ingress({ namespace: 'a', name: 'a', annotations: regex, paths: [specific('/v[0-9]+/x', 'x')] }),
      of('b', exact('/headers', 'plain')),
    ],
    answers: { '/HEADERS/x': 'plain.b:80 /HEADERS/x', '/v1/x/y': 'x.a:80 /v1/x/y', '/other': '404' },
  },
  {
    title: 'a longer prefix of a younger Ingress',
    ingresses: [of('a', prefix('/api', 'all'), prefix('/', 'web')), of('b', prefix('/api/v2', 'two'))],
    answers: { '/api/v2/x': 'two.b:80 /api/v2/x', '/api/v1': 'all.a:80 /api/v1', '/x': 'web.a:80 /x' },
  },
  {
    title: 'the same path: the older Ingress has it',
    ingresses: [of('a', prefix('/api', 'old')), of('b', prefix('/api', 'young'), prefix('/b', 'b'))],
    answers: { '/api': 'old.a:80 /api', '/b': 'b.b:80 /b' },
  },
  {
    title: 'paths that have nothing in common stay in two VirtualServices',
    ingresses: [of('a', prefix('/a', 'a'), prefix('/', 'web')), of('b', prefix('/b', 'b'))],
    answers: { '/a': 'a.a:80 /a', '/b': 'b.b:80 /b', '/x': 'web.a:80 /x' },
  },
]

const PASSED = { ...nginx({ 'ssl-passthrough': 'true' }) }
export const argo = (annotations: Annotations = {}, secret?: string) =>
  ingress({
    ...{ name: 'argo', annotations: { ...PASSED, ...nginx(annotations) }, paths: [prefix('/', 'argo')] },
    ...(secret === undefined ? {} : { secret }),
  })

/** `redirect_to_https` of ingress-nginx' lua_ingress.lua; its server of port 80 has all locations of the host. */
export const PASSED_HOSTS: readonly LocationRow[] = [
  {
    title: 'force-ssl-redirect redirects',
    ingresses: [argo({ 'force-ssl-redirect': 'true' })],
    answers: { '/x?y': '308 https://a.example.com/x?y', 'https:///x': 'argo.shop:80' },
  },
  {
    title: 'so does a secret',
    ingresses: [argo({}, 'tls')],
    answers: { '/x': '308 https://a.example.com/x', 'https:///': 'argo.shop:80' },
  },
  {
    title: 'ssl-redirect does not without one',
    ingresses: [argo({ 'ssl-redirect': 'true' })],
    answers: { '/x': 'refused', 'https:///': 'argo.shop:80' },
  },
  {
    title: 'ssl-redirect of HAProxy does',
    ingresses: [
      ingress({
        ...{ name: 'argo', className: 'haproxy', paths: [prefix('/', 'argo')] },
        annotations: { 'haproxy.org/ssl-passthrough': 'true', 'haproxy.org/ssl-redirect': 'true' },
      }),
    ],
    answers: { '/x': '308 https://a.example.com/x', 'https:///': 'argo.shop:80' },
  },
  {
    title: 'ssl-redirect switches that off',
    ingresses: [argo({ 'ssl-redirect': 'false' }, 'tls')],
    answers: { '/x': 'refused', 'https:///': 'argo.shop:80' },
  },
  {
    title: 'other Ingresses of the host are served on port 80',
    ingresses: [argo({ 'force-ssl-redirect': 'true' }), ingress({ name: 'other', paths: [prefix('/a', 'other')] })],
    answers: {
      '/a': 'other.shop:80 /a',
      '/b': '308 https://a.example.com/b',
      'https:///a': 'argo.shop:80',
    },
  },
  {
    title: 'the backend is that of /, whichever Ingress has it',
    ingresses: [
      ingress({ name: 'argo', annotations: PASSED, paths: [prefix('/x', 'argo')] }),
      ingress({ name: 'other', paths: [prefix('/', 'other')] }),
    ],
    answers: { '/y': 'other.shop:80 /y', 'https:///x': 'other.shop:80' },
  },
]
