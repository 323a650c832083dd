/** The second stage: a virtual host for each namespace and host, from all Ingresses that have rules for it. */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { otherWww } from '../model/hosts.ts'
import { collect, type Reported } from '../model/report.ts'
import type { Route, VirtualHost } from '../model/virtual-host.ts'
import { acceptedRules, type HostRules } from './accepted-rules.ts'
import type { HostRule } from './host-rule.ts'
import { routesOfHost } from './host-routes.ts'
import { isRegexHost } from '../annotations/nginx/regex-host.ts'
import { passthroughBackend } from './passthrough.ts'
import { dnsAnnotations } from './shared-annotations.ts'
import { hasTls, type TlsCoverage } from './tls-coverage.ts'

export function planHosts(
  readings: readonly ReadIngress[],
  tls: TlsCoverage,
  options: ConversionOptions,
): Reported<readonly VirtualHost[]> {
  const accepted = acceptedRules(readings, options)
  const hosts = [...accepted.value.values()]
  const fallbacks = reportedFallbacks(hosts)
  const own = collect(hosts.map((rules) => planHost(rules, tls, fallbacks, options)))
  const taken = new Set(own.value.map(({ host }) => host))
  const derived = firstOfEachHost(own.value.flatMap((host) => derivedHosts(host, accepted.value, taken, tls)))
  const served = [...own.value, ...derived].filter(
    ({ routes, passthrough }) => routes.length > 0 || passthrough !== undefined,
  )
  return { value: served, lines: [...accepted.lines, ...own.lines] }
}

/** The first rule of each Ingress whose default backend applies, where it is reported. */
type ReportedFallbacks = ReadonlySet<HostRule>

function reportedFallbacks(hosts: readonly (readonly HostRule[])[]): ReportedFallbacks {
  const applied = hosts
    .filter((rules) => !isPassedThrough(rules))
    .flat()
    .filter(({ reading, rule }) => reading.settings.canary === undefined && rule.field !== 'spec.defaultBackend')
  return new Set(new Map(applied.toReversed().map((rule) => [rule.reading.id, rule])).values())
}

/**
 * Such a host loses its routes, because its policies would not apply either: no routes are safer than unprotected ones.
 */
function isPassedThrough(rules: readonly HostRule[]): boolean {
  return rules.some(({ reading }) => reading.settings.isPassthrough === true)
}

function planHost(
  rules: readonly HostRule[],
  tls: TlsCoverage,
  fallbacks: ReportedFallbacks,
  options: ConversionOptions,
): Reported<VirtualHost> {
  const [first] = rules as readonly [HostRule, ...HostRule[]]
  const { host, reading } = first
  const { namespace, name } = reading.ingress
  const passthrough = passthroughBackend(rules, options)
  const routes = isPassedThrough(rules)
    ? { value: [], lines: [] }
    : routesOfHost(rules, {
        host,
        isRegex: isRegexHost(rules),
        isSecure: hasTls(host, namespace, tls),
        reportedFallbacks: new Set(rules.filter((rule) => fallbacks.has(rule)).map((rule) => rule.reading.id)),
        options,
      })
  const annotations = dnsAnnotations(
    host,
    rules.map((rule) => rule.reading),
  )
  return {
    value: {
      namespace,
      host,
      certificateHost: host,
      routes: routes.value,
      passthrough: passthrough.value,
      dnsAnnotations: annotations.value,
      ingressName: name,
    },
    lines: [...passthrough.lines, ...routes.lines, ...annotations.lines],
  }
}

/** An alias claimed by two hosts belongs to the first. */
function firstOfEachHost(hosts: readonly VirtualHost[]): readonly VirtualHost[] {
  const first = new Map(hosts.toReversed().map((host) => [host.host, host]))
  return hosts.filter((host) => first.get(host.host) === host)
}

/**
 * Aliases serve the same routes; the host with or without `www.` redirects. `taken` are the hosts with rules of their
 * own in any namespace, which keep them (`createServers` in ingress-nginx' controller.go, and `getConfiguration`).
 */
function derivedHosts(
  host: VirtualHost,
  rules: HostRules,
  taken: ReadonlySet<string>,
  tls: TlsCoverage,
): readonly VirtualHost[] {
  const own = rules.get(`${host.namespace}/${host.host}`) ?? []
  const isFree = (name: string) => !taken.has(name)
  const aliases = [
    ...new Set(own.flatMap(({ reading }) => reading.settings.aliases ?? []).map((name) => name.toLowerCase())),
  ]
  return [
    ...aliases.filter(isFree).map((name) => aliasHost(host, name, own)),
    ...wwwHost(host, own, tls).filter((www) => isFree(www.host)),
  ]
}

/** An alias that a snippet redirects has no other route. */
function aliasHost(host: VirtualHost, name: string, rules: readonly HostRule[]): VirtualHost {
  const alias = { ...host, host: name, dnsAnnotations: {} }
  const asking = rules.find(({ reading }) => reading.settings.hostRedirects?.has(name) === true)
  const target = asking?.reading.settings.hostRedirects?.get(name)
  const [model] = host.routes
  if (target === undefined || model === undefined) return alias
  const match = { kind: 'elements', value: '/' } as const
  return { ...alias, routes: [{ ...model, path: '/', headers: [], match, action: { kind: 'redirect', ...target } }] }
}

function wwwHost(host: VirtualHost, rules: readonly HostRule[], tls: TlsCoverage): readonly VirtualHost[] {
  const asking = rules.find(({ reading }) => reading.settings.redirectsWww === true)
  if (asking === undefined || host.host.startsWith('*')) return []
  const isSecure = hasTls(host.host, host.namespace, tls)
  return [{ ...host, host: otherWww(host.host), dnsAnnotations: {}, routes: [wwwRoute(host.host, asking, isSecure)] }]
}

function wwwRoute(authority: string, { reading, rule }: HostRule, isSecure: boolean): Route {
  return {
    ingress: reading.id,
    field: rule.field,
    path: '/',
    match: { kind: 'elements', value: '/' },
    headers: [],
    redirectsToHttps: false,
    action: { kind: 'redirect', scheme: isSecure ? 'https' : undefined, authority, path: undefined, code: 308 },
  }
}
