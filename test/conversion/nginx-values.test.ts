// Values of ingress-nginx' annotations that it ignores, that no object may hold, or that hang on another annotation.
import t from 'tap'
import type { Target } from '../../src/conversion/conversion-options.ts'
import type { Conversion } from '../../src/conversion/convert-ingresses.ts'
import { convert, ingress, ofKind, type Annotations } from './conversion-fixtures.ts'

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
  t.equal(linesOf(forced, 'ssl-redirect'), 'not-needed info: force-ssl-redirect stands beside it and wins')
  t.match(JSON.stringify(ofKind(forced, 'VirtualService')), /"redirectCode":308/)
  const open = convertOne({ 'force-ssl-redirect': 'false', 'ssl-redirect': 'false' })
  t.equal(linesOf(open, 'ssl-redirect'), 'converted info: plain requests are served, too')
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
      t.equal(linesOf(conversion, key), 'not-needed info: is empty, which counts as not there', `${key}, ${target}`)
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

const IGNORED = 'not-needed info: ingress-nginx ignores it on a canary; the one of the main Ingress counts'
const NOT_CARRIED = /^unsupported warn: it is not carried over on a canary/

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

t.test('where TLS is passed through, every other annotation is void', (t) => {
  const others = {
    'whitelist-source-range': '10.0.0.0/8',
    'auth-url': 'https://a.example.com/x',
    'ssl-redirect': 'true',
    'backend-protocol': 'HTTPS',
  }
  for (const target of ['istio', 'gateway-api'] as const) {
    const conversion = convertOne({ 'ssl-passthrough': 'true', ...others }, target)
    for (const key of Object.keys(others))
      t.equal(linesOf(conversion, key), 'not-needed info: void on a host whose TLS is passed through', key)
    t.same(conversion.objects, convertOne({ 'ssl-passthrough': 'true' }, target).objects, target)
  }
  t.end()
})
