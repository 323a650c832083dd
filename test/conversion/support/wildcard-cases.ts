/**
 * A wildcard beside narrower hosts: Ingresses, and what each host answers whichever of their VirtualServices or routes is
 * older. Every host ends in `.TAG.test`, so that cases stand beside one another on one real gateway.
 */
import type { Target } from '../../../src/conversion/model/conversion-options.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { ingress, type Annotations } from './conversion-fixtures.ts'
import type { RoutedRequest } from './envoy-routes.ts'
import { readRequestLine } from './router-tables.ts'

export interface WildcardCase {
  readonly title: string
  readonly ingresses: readonly JsonObject[]
  /** With the answer as `shortAnswer` writes it. */
  readonly requests: readonly (readonly [RoutedRequest, string])[]
  /** Refused for want of a client's certificate, which a simulator knows nothing of. */
  readonly uncertified: readonly RoutedRequest[]
  /** Which secret's certificate a host is served with, where a client sees it without having one. */
  readonly certificates: Readonly<Record<string, string>>
}

interface Written {
  readonly title: string
  /** Service, host, and the paths that lead there. */
  readonly rules: readonly Rule[]
  /** Of an Ingress of its own, with annotations. */
  readonly more?: { readonly rules: readonly Rule[]; readonly annotations: Annotations; readonly tls: Secrets }
  /** Secret by host. */
  readonly tls: Secrets
  /** Of the Services; 80 unless it says more. */
  readonly port?: number
  readonly annotations?: Annotations
  readonly requests: readonly string[]
  readonly uncertified?: readonly string[]
  /**
   * A request with another server name than host, as of a connection that a browser reuses for all hosts of its certificate.
   * The one difference between the APIs: in Gateway API a host is served by the listener that names it best and no other,
   * and Istio has no answer 421 (GEP-3567).
   */
  readonly reused?: readonly (readonly [string, istio: string, gatewayApi: string])[]
}

type Rule = readonly [service: string, host: string, ...paths: readonly string[]]
type Secrets = Readonly<Record<string, string>>

const NGINX = 'nginx.ingress.kubernetes.io/'

/** `T` stands for the tag, `N` for the namespace. */
const WRITTEN: readonly Written[] = [
  {
    title: 'each has a certificate of its own',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['one', 'a.T', '/both', '/one'],
    ],
    tls: { 'a.T': 'own-T', '*.T': 'wild-T' },
    requests: [
      'https://a.T/both -> one.N:80 /both',
      'https://a.T/ -> 404',
      'https://b.T/both -> all.N:80 /both',
      'https://b.T/one -> all.N:80 /one',
      'http://a.T/both -> one.N:80 /both',
      'http://a.T/ -> 404',
      'http://b.T/both -> all.N:80 /both',
    ],
    reused: [['https://a.T/both sni=b.T', 'one.N:80 /both', 'all.N:80 /both']],
  },
  {
    title: 'only the narrower host has a certificate',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['one', 'a.T', '/both'],
    ],
    tls: { 'a.T': 'own-T' },
    requests: [
      'https://a.T/both -> one.N:80 /both',
      'https://a.T/ -> 404',
      'https://b.T/both -> refused',
      'http://a.T/both -> one.N:80 /both',
      'http://a.T/ -> 404',
      'http://b.T/both -> all.N:80 /both',
    ],
  },
  {
    title: 'one certificate is for both',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['one', 'a.T', '/both'],
    ],
    tls: { 'a.T': 'wild-T', '*.T': 'wild-T' },
    requests: [
      'https://a.T/both -> one.N:80 /both',
      'https://a.T/ -> 404',
      'https://b.T/both -> all.N:80 /both',
      'http://a.T/ -> 404',
    ],
    reused: [['https://a.T/both sni=b.T', 'one.N:80 /both', 'all.N:80 /both']],
  },
  {
    title: 'one certificate is for two hosts, and no wildcard is there',
    rules: [
      ['one', 'a.T', '/'],
      ['two', 'b.T', '/'],
    ],
    tls: { 'a.T': 'both-T', 'b.T': 'both-T' },
    requests: ['https://a.T/ -> one.N:80 /', 'https://b.T/ -> two.N:80 /'],
    reused: [['https://a.T/ sni=b.T', 'one.N:80 /', '404']],
  },
  {
    title: 'a wildcard within a wildcard',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['some', '*.b.T', '/both', '/some'],
      ['one', 'a.b.T', '/both'],
    ],
    tls: { 'a.b.T': 'own-T', '*.b.T': 'some-T', '*.T': 'wild-T' },
    requests: [
      'https://a.b.T/both -> one.N:80 /both',
      'https://a.b.T/some -> 404',
      'https://c.b.T/both -> some.N:80 /both',
      'https://c.b.T/ -> 404',
      'https://c.T/both -> all.N:80 /both',
      'http://a.b.T/some -> 404',
      'http://c.b.T/some -> some.N:80 /some',
      'http://c.b.T/ -> 404',
      'http://c.T/ -> all.N:80 /',
    ],
    reused: [
      ['https://a.b.T/both sni=c.b.T', 'one.N:80 /both', 'some.N:80 /both'],
      ['https://a.b.T/both sni=c.T', 'one.N:80 /both', 'all.N:80 /both'],
      ['https://c.b.T/both sni=c.T', 'some.N:80 /both', 'all.N:80 /both'],
    ],
  },
  {
    title: 'plain requests are sent to https',
    rules: [
      ['all', '*.T', '/'],
      ['one', 'a.T', '/one'],
    ],
    tls: { 'a.T': 'own-T', '*.T': 'wild-T' },
    annotations: {},
    requests: [
      'http://a.T/one -> 308 https://a.T/one',
      'http://b.T/ -> 308 https://b.T/',
      'https://a.T/one -> one.N:80 /one',
      'https://a.T/ -> 404',
      'https://b.T/one -> all.N:80 /one',
    ],
  },
  {
    title: 'the narrower host requires a client certificate, which another server name cannot bypass',
    rules: [['all', '*.T', '/', '/both']],
    tls: { '*.T': 'wild-T' },
    more: {
      rules: [['one', 'a.T', '/both']],
      annotations: { [`${NGINX}auth-tls-secret`]: 'ca-T', [`${NGINX}ssl-redirect`]: 'false' },
      tls: { 'a.T': 'wild-T' },
    },
    requests: ['https://b.T/both -> all.N:80 /both', 'https://a.T/both sni=b.T -> all.N:80 /both'],
    uncertified: ['https://a.T/both'],
  },
  {
    title: 'TLS is passed through',
    rules: [
      ['all', '*.T', '/'],
      ['one', 'a.T', '/'],
    ],
    port: 443,
    tls: {},
    annotations: { [`${NGINX}ssl-passthrough`]: 'true' },
    requests: ['https://a.T/x -> one.N:443', 'https://b.T/x -> all.N:443'],
  },
  {
    title: 'two Ingresses, each with a certificate',
    rules: [['all', '*.T', '/', '/both']],
    tls: { '*.T': 'wild-T' },
    more: {
      rules: [['one', 'a.T', '/both']],
      annotations: { [`${NGINX}ssl-redirect`]: 'false' },
      tls: { 'a.T': 'own-T' },
    },
    requests: [
      'https://a.T/both -> one.N:80 /both',
      'https://a.T/ -> 404',
      'https://b.T/both -> all.N:80 /both',
      'http://a.T/both -> one.N:80 /both',
      'http://a.T/ -> 404',
    ],
    reused: [['https://a.T/both sni=b.T', 'one.N:80 /both', 'all.N:80 /both']],
  },
  {
    title: 'a host has the certificate of a wildcard, and a narrower one has another',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['some', '*.b.T', '/both', '/some'],
      ['one', 'c.b.T', '/both'],
    ],
    tls: { 'c.b.T': 'wild-T', '*.b.T': 'some-T', '*.T': 'wild-T' },
    requests: [
      'https://c.b.T/both -> one.N:80 /both',
      'https://c.b.T/some -> 404',
      'https://d.b.T/both -> some.N:80 /both',
      'https://d.T/both -> all.N:80 /both',
    ],
    reused: [
      ['https://c.b.T/both sni=d.T', 'one.N:80 /both', 'all.N:80 /both'],
      ['https://c.b.T/both sni=d.b.T', 'one.N:80 /both', 'some.N:80 /both'],
    ],
  },
  {
    title: 'a wildcard without a certificate, between a host and a wildcard that have one',
    rules: [
      ['all', '*.T', '/', '/both'],
      ['some', '*.b.T', '/both'],
      ['one', 'a.b.T', '/both'],
    ],
    tls: { 'a.b.T': 'own-T', '*.T': 'wild-T' },
    requests: [
      'https://a.b.T/both -> one.N:80 /both',
      'https://c.b.T/both -> some.N:80 /both',
      'https://c.T/both -> all.N:80 /both',
      'http://c.b.T/both -> some.N:80 /both',
      'http://c.b.T/ -> 404',
    ],
  },
]

export function wildcardCases(target: Target, namespace: string, tag: string): readonly WildcardCase[] {
  return WRITTEN.map((written, index) => {
    const filled = (text: string) => text.replaceAll(/\bT\b/g, `${tag}${index}.test`).replaceAll(/\bN\b/g, namespace)
    return readCase(JSON.parse(filled(JSON.stringify(written))) as Written, target, namespace, `${tag}${index}`)
  })
}

function readCase(written: Written, target: Target, namespace: string, name: string): WildcardCase {
  const { title, rules, tls, more, requests, uncertified = [], reused = [] } = written
  const { annotations = { [`${NGINX}ssl-redirect`]: 'false' }, port = 80 } = written
  const object = (part: string, given: readonly Rule[], secrets: Secrets, notes: Annotations) =>
    ingress({ namespace, name: `${name}${part}`, annotations: notes, spec: specOf(given, secrets, port) })
  return {
    title,
    ingresses: [
      object('', rules, tls, annotations),
      ...(more === undefined ? [] : [object('-more', more.rules, more.tls, more.annotations)]),
    ],
    requests: [
      ...requests,
      ...reused.map(([line, istio, api]) => `${line} -> ${target === 'istio' ? istio : api}`),
    ].map(readRequestLine),
    uncertified: uncertified.map((line) => readRequestLine(`${line} -> refused`)[0]),
    certificates: Object.fromEntries(
      Object.entries({ ...tls, ...more?.tls })
        .filter(([host]) => !uncertified.some((line) => line.includes(`//${host}/`)))
        .map(([host, secret]) => [host.replace('*', 'other'), secret]),
    ),
  }
}

function specOf(rules: readonly Rule[], secrets: Secrets, port: number): JsonObject {
  return {
    rules: rules.map(([service, host, ...paths]) => ({
      host,
      http: {
        paths: paths.map((path) => ({
          path,
          pathType: 'Prefix',
          backend: { service: { name: service, port: { number: port } } },
        })),
      },
    })),
    tls: Object.entries(secrets).map(([host, secretName]) => ({ hosts: [host], secretName })),
  }
}
