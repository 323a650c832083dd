/** The known cases of test/cases/ingress.json (docs/facts/istio-gateway.md): read, and made into Kubernetes objects. */
import { readFileSync } from 'node:fs'
import type { ConversionOptions, Target } from '../../../src/conversion/model/conversion-options.ts'
import { DEFAULT_GATEWAY } from '../../../src/conversion/model/conversion-options.ts'
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import type { RoutedRequest } from './envoy-routes.ts'

export interface CaseIngress {
  readonly ns: string
  readonly name: string
  readonly class?: string
  readonly ingressClassController?: string
  readonly annotations?: JsonObject
  readonly labels?: JsonObject
  readonly generateName?: string
  readonly ownerReferences?: readonly Json[]
  readonly deletionTimestamp?: string
  readonly rules: readonly { readonly host: string; readonly paths: readonly CasePath[] | null }[]
  readonly tls?: readonly { readonly hosts?: readonly string[]; readonly secret?: string }[]
  readonly default?: string
}

/** Path, `P`, `E`, `I` or null for the path type, and `service:port`, or `resource:group/kind/name`. */
type CasePath = readonly [string, 'P' | 'E' | 'I' | null, string]

export interface ExpectedRoute {
  readonly host: string
  readonly ports?: readonly number[]
  readonly match?: readonly JsonObject[]
  readonly to?: string
  readonly split?: readonly { readonly to: string; readonly weight: number }[]
  readonly redirect?: {
    readonly scheme?: string
    readonly authority?: string
    readonly uri?: string
    readonly code: number
  }
  readonly rewrite?: JsonObject
  readonly headers?: JsonObject
  readonly cors?: JsonObject
}

export interface ExpectedServer {
  readonly port: number
  readonly protocol: string
  readonly hosts: readonly string[]
  readonly tls?: { readonly mode: string; readonly secretFrom?: string }
}

export type ExpectedRequest = RoutedRequest & {
  readonly to: string | 404 | { readonly redirect: readonly [number, string] }
  readonly upstreamPath?: string
}

export interface IngressCase {
  readonly id: string
  readonly title: string
  readonly kind?: 'class' | 'admission' | 'facts' | 'context'
  readonly mode?: string
  readonly operation?: 'CREATE' | 'UPDATE' | 'DELETE'
  readonly oldEqualsNew?: boolean
  readonly ingress: CaseIngress
  readonly extraIngresses?: readonly CaseIngress[]
  readonly services?: Readonly<Record<string, Readonly<Record<string, number>>>>
  readonly expect: {
    readonly verdict?: 'exact' | 'approximate' | 'partial' | 'refuse'
    readonly routes?: readonly ExpectedRoute[]
    readonly requests?: readonly ExpectedRequest[]
    readonly servers?: readonly ExpectedServer[]
    readonly tlsRoutes?: readonly JsonObject[]
    readonly virtualServices?: number
    readonly extra?: readonly JsonObject[]
    readonly notifications?: readonly { readonly level: 'info' | 'warning' | 'error'; readonly about: string }[]
    readonly httproute?: JsonObject
    readonly istioServesIt?: boolean
    readonly admission?: string
    readonly warnings?: readonly string[]
  }
}

export function readCases(): readonly IngressCase[] {
  const file = readFileSync(new URL('../../cases/ingress.json', import.meta.url), 'utf8')
  return (JSON.parse(file) as { readonly cases: readonly IngressCase[] }).cases
}

/** The case's Ingress first, then its siblings. */
export function ingressesOf({ ingress, extraIngresses = [] }: IngressCase): readonly JsonObject[] {
  return [ingress, ...extraIngresses].map(ingressObject)
}

export function ingressObject(ingress: CaseIngress): JsonObject {
  const { ns, name, annotations, labels, generateName, ownerReferences, deletionTimestamp } = ingress
  const metadata = { namespace: ns, name, annotations, labels, generateName, ownerReferences, deletionTimestamp }
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: withoutUndefined(metadata),
    spec: withoutUndefined({
      ingressClassName: ingress.class,
      rules: ingress.rules.map(({ host, paths }) => ({
        ...(host === '' ? {} : { host }),
        ...(paths === null ? {} : { http: { paths: paths.map(pathObject) } }),
      })),
      tls: ingress.tls?.map(({ hosts, secret }) => withoutUndefined({ hosts, secretName: secret })),
      defaultBackend: ingress.default === undefined ? undefined : backendObject(ingress.default),
    }),
  }
}

function withoutUndefined(object: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

const PATH_TYPES = { P: 'Prefix', E: 'Exact', I: 'ImplementationSpecific' } as const

function pathObject([path, type, backend]: CasePath): JsonObject {
  const pathType = type === null ? {} : { pathType: PATH_TYPES[type] }
  return { path, ...pathType, backend: backendObject(backend) }
}

function backendObject(text: string): JsonObject {
  if (text.startsWith('resource:')) {
    const [apiGroup = '', kind = '', name = ''] = text.slice('resource:'.length).split('/')
    return { resource: { apiGroup, kind, name } }
  }
  const [name = '', port = ''] = text.split(':')
  return { service: { name, port: /^\d+$/.test(port) ? { number: Number(port) } : { name: port } } }
}

/** Named ports come from the case's Services, controllers from its IngressClass. */
export function optionsOf(
  item: IngressCase,
  target: Target,
  gateway: Partial<typeof DEFAULT_GATEWAY> = {},
): ConversionOptions {
  const hasHostless = [item.ingress, ...(item.extraIngresses ?? [])].some(({ rules }) =>
    rules.some(({ host }) => host === ''),
  )
  return {
    target,
    gateway: { ...DEFAULT_GATEWAY, allowHostless: hasHostless, ...gateway },
    portNumber: (namespace, service, name) => item.services?.[`${namespace}/${service}`]?.[name],
    controllerOf: (className) => (className === item.ingress.class ? item.ingress.ingressClassController : undefined),
  }
}

/** As `shortAnswer` writes it. */
export function expectedAnswer({ to, path, upstreamPath }: ExpectedRequest): string {
  if (to === 404) return '404'
  if (typeof to === 'object') return `${to.redirect[0]} ${to.redirect[1]}`
  return `${to.replace('.svc.cluster.local', '')} ${upstreamPath ?? path}`
}
