/**
 * What the gateway answers by itself, through a real Envoy and in both APIs: whom an address list shuts out, what comes too
 * often, and the preflight of a browser. Run by hack/conversion/test.
 */
import t, { type Test } from 'tap'
import type { Target } from '../../src/conversion/model/conversion-options.ts'
import type { JsonObject } from '../../src/kubernetes/json.ts'
import { connectApiServer } from './support/envoy/api-server.ts'
import { send } from './support/envoy/gateway.ts'
import { stage } from './support/envoy/stage.ts'
import { convert, ingress, type Annotations } from './support/conversion-fixtures.ts'
import type { RoutedRequest } from './support/envoy-routes.ts'
import { platformGateway, SHARED } from './support/platform-gateway.ts'
import { TARGETS } from './support/targets.ts'

const server = await connectApiServer()
t.teardown(() => server.close())

/** Requests come from the gateway's own address, 10.77.0.2: all of this runs on one loopback device. */
const [WITH_US, WITHOUT_US] = ['10.77.0.0/16', '192.0.2.0/24']

interface Guarded {
  readonly title: string
  readonly annotations: Annotations
  readonly paths?: readonly string[]
  /** Of an Ingress of the same host without annotations. */
  readonly openPaths?: readonly string[]
  readonly secret?: string
  /** URL, further headers, and the status. */
  readonly requests: readonly (readonly [url: string, status: number, headers?: Annotations])[]
}

/** `H` stands for the host of the row. */
const GUARDED: readonly Guarded[] = [
  {
    title: 'an allowlist without us shuts us out, by whatever header we say to be another',
    annotations: { 'whitelist-source-range': WITHOUT_US },
    requests: [
      ['http://H/', 403],
      ['http://H:80/', 403],
      ['http://H/', 403, { 'x-forwarded-for': '192.0.2.1' }],
      ['http://H/', 403, { 'x-real-ip': '192.0.2.1' }],
    ],
  },
  {
    title: 'an allowlist holds for HTTPS, and for the redirect to it',
    annotations: { 'allowlist-source-range': WITHOUT_US },
    secret: 'guarded',
    requests: [
      ['https://H/', 403],
      ['http://H/', 403],
    ],
  },
  { title: 'an allowlist with us', annotations: { 'whitelist-source-range': WITH_US }, requests: [['http://H/', 200]] },
  { title: 'a denylist with us', annotations: { 'denylist-source-range': WITH_US }, requests: [['http://H/', 403]] },
  {
    title: 'a denylist without us',
    annotations: { 'denylist-source-range': WITHOUT_US },
    requests: [['http://H/', 200]],
  },
  {
    title: 'of two Ingresses of a host only the one with the list is guarded',
    annotations: { 'whitelist-source-range': WITHOUT_US },
    paths: ['/admin'],
    openPaths: ['/'],
    requests: [
      ['http://H/admin', 403],
      ['http://H/admin/x?y=z', 403],
      ['http://H/', 200],
      ['http://H/other', 200],
    ],
  },
  {
    title: 'a longer path of another Ingress stays open',
    annotations: { 'whitelist-source-range': WITHOUT_US },
    paths: ['/', '/open/admin'],
    openPaths: ['/open'],
    requests: [
      ['http://H/', 403],
      ['http://H/opening', 200],
      ['http://H/open?x=/', 200],
      ['http://H/open/x', 200],
      ['http://H/open/admin', 403],
      ['http://H/open/../x', 403],
      ['http://H/x/../open/admin', 403],
    ],
  },
  { title: 'an open host beside all of them', annotations: {}, requests: Array(5).fill(['http://H/', 200]) },
]

for (const target of TARGETS)
  t.test(`refusals of the gateway, converted to ${target}`, async (t) => {
    const ingresses = GUARDED.flatMap((row, index) => ingressesOf(row, hostOf(target, index)))
    await stage(t, server, objectsOf(ingresses, target))
    for (const [index, { title, requests }] of GUARDED.entries())
      for (const [url, status, headers] of requests)
        t.equal((await send(requestOf(url, hostOf(target, index), headers)))?.status, status, `${title}: ${url}`)
  })

function hostOf(target: Target, index: number): string {
  return `g${index}.${target}.test`
}

function ingressesOf({ annotations, paths, openPaths, secret }: Guarded, host: string): readonly JsonObject[] {
  const [name = ''] = host.split('.')
  const of = { namespace: 'guarded', host }
  const guarded = ingress({
    ...of,
    name,
    annotations: nginx(annotations),
    ...(paths === undefined ? {} : { paths }),
    ...(secret === undefined ? {} : { secret }),
  })
  return openPaths === undefined ? [guarded] : [guarded, ingress({ ...of, name: `${name}-open`, paths: openPaths })]
}

function nginx(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).map(([key, value]) => [`nginx.ingress.kubernetes.io/${key}`, value]),
  )
}

/** In Gateway API for a shared Gateway: nothing else is served in another namespace than the gateway's. */
function objectsOf(ingresses: readonly JsonObject[], target: Target): readonly JsonObject[] {
  const { objects, report } = convert(ingresses, target, target === 'istio' ? {} : { shared: SHARED })
  return [...platformGateway(report), ...objects]
}

/** `http://H:80/` sends the port in the Host header. */
function requestOf(url: string, host: string, headers: Annotations = {}): RoutedRequest {
  const { groups } = /^(?<scheme>https?):\/\/H(?<port>:\d+)?(?<path>\/.*)$/.exec(url) ?? {}
  const { scheme, port = '', path = '' } = groups ?? {}
  return { host, path, port: scheme === 'https' ? 443 : 80, headers: { host: `${host}${port}`, ...headers } }
}

const CORS = nginx({
  'enable-cors': 'true',
  'cors-allow-origin': 'https://shop.example, https://*.shop.example',
  'cors-allow-methods': 'GET, PUT',
  'cors-allow-headers': 'X-Token',
  'cors-expose-headers': 'X-Total',
  'cors-max-age': '600',
})

for (const target of TARGETS)
  t.test(`the preflight of a browser, converted to ${target}`, async (t) => {
    const host = `cors.${target}.test`
    await stage(
      t,
      server,
      objectsOf([ingress({ namespace: 'guarded', name: 'cors', host, annotations: CORS })], target),
    )
    for (const origin of ['https://shop.example', 'https://www.shop.example']) await checkPreflight(t, host, origin)
    for (const origin of ['http://shop.example', 'https://shop.example.evil.test', 'https://evilshop.example']) {
      const reply = await send(preflight(host, origin))
      t.ok(reply !== undefined && !('access-control-allow-origin' in reply.headers), `not for ${origin}`)
    }
  })

async function checkPreflight(t: Test, host: string, origin: string): Promise<void> {
  const asked = await send(preflight(host, origin))
  t.equal(asked?.status, 200)
  t.equal(asked?.seen, undefined, 'the backend is not asked')
  t.match(
    asked?.headers,
    {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': /^GET,\s*PUT$/,
      'access-control-allow-headers': 'X-Token',
      'access-control-allow-credentials': 'true',
      'access-control-max-age': '600',
    },
    `preflight of ${origin}`,
  )
  const sent = await send({ host, path: '/', headers: { origin } })
  t.ok(sent?.seen !== undefined, 'the request itself is served')
  t.match(
    sent?.headers,
    { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'X-Total' },
    `request of ${origin}`,
  )
}

function preflight(host: string, origin: string): RoutedRequest {
  const headers = { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-token' }
  return { host, path: '/', method: 'OPTIONS', headers }
}
