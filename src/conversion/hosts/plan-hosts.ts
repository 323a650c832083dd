/** The second stage: a virtual host for each namespace and host, from all Ingresses that have rules for it. */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { otherWww } from '../model/hosts.ts'
import { collect, type Reported } from '../model/report.ts'
import type { Route, VirtualHost } from '../model/virtual-host.ts'
import { acceptedRules } from './accepted-rules.ts'
import type { HostContext, HostRule } from './host-rule.ts'
import { routesOfHost } from './host-routes.ts'
import { isRegexHost } from '../annotations/nginx/regex-host.ts'
import { isPassedThrough, passedHost, type PassedHost } from './passthrough.ts'
import { dependsOnOrder } from './route-order.ts'
import { sharedHostLines } from './shared-hosts.ts'
import { dnsAnnotations } from './shared-annotations.ts'
import { hasTls, type TlsCoverage } from './tls-coverage.ts'

export function planHosts(
  readings: readonly ReadIngress[],
  tls: TlsCoverage,
  options: ConversionOptions,
): Reported<readonly VirtualHost[]> {
  const accepted = acceptedRules(readings, options)
  const hosts = [...accepted.value.values()]
  const byName = rulesByName(hosts, readings)
  const context = { tls, options, fallbacks: reportedFallbacks(hosts) }
  const together = hostsInOrder(byName, hosts, context)
  const own = collect(hosts.map((rules) => planShared(rules, byName.get(nameOf(rules)) ?? rules, together, context)))
  const taken = new Set(own.value.map(({ host }) => host))
  const rulesOf = ({ namespace, host }: VirtualHost) =>
    (together.has(host) ? byName.get(host) : accepted.value.get(`${namespace}/${host}`)) ?? []
  const derived = firstOfEachHost(own.value.flatMap((host) => derivedHosts(host, rulesOf(host), taken, tls)))
  const served = [...own.value, ...derived].filter(
    ({ routes, passthrough }) => routes.length > 0 || passthrough !== undefined,
  )
  const shared = sharedHostLines(byName, (host) => together.has(host), options.target)
  return { value: served, lines: [...accepted.lines, ...shared, ...own.lines] }
}

function nameOf([first]: readonly HostRule[]): string {
  return first?.host ?? ''
}

/** The rules of each host in all namespaces, those of the oldest Ingress first. */
function rulesByName(
  hosts: readonly (readonly HostRule[])[],
  readings: readonly ReadIngress[],
): ReadonlyMap<string, readonly HostRule[]> {
  const age = new Map(readings.map((reading, index) => [reading, index]))
  const ageOf = ({ reading }: HostRule) => age.get(reading) ?? 0
  const rules = hosts.flat().toSorted((left, right) => ageOf(left) - ageOf(right))
  return groupBy(rules, ({ host }) => host)
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

interface PlanContext {
  readonly tls: TlsCoverage
  readonly fallbacks: ReportedFallbacks
  readonly options: ConversionOptions
}

type HostsInOrder = ReadonlyMap<string, Reported<VirtualHost>>

/**
 * Returns the hosts of several namespaces whose routes need one order, which only one VirtualService can give them. Gateway
 * API orders routes by their paths, not by age.
 */
function hostsInOrder(
  byName: ReadonlyMap<string, readonly HostRule[]>,
  hosts: readonly (readonly HostRule[])[],
  context: PlanContext,
): HostsInOrder {
  if (context.options.target !== 'istio' || byName.size === hosts.length) return new Map()
  const shared = [...byName].filter(([, rules]) => new Set(rules.map(namespaceOf)).size > 1 && !isPassedThrough(rules))
  const planned = shared.map(([host, rules]) => [host, planHost(rules, rules, context)] as const)
  return new Map(planned.filter(([, { value }]) => dependsOnOrder(value.routes)))
}

function namespaceOf({ reading }: HostRule): string {
  return reading.ingress.namespace
}

/** Plans the rules that one namespace has for a host. `all` are those of every namespace. */
function planShared(
  rules: readonly HostRule[],
  all: readonly HostRule[],
  hosts: HostsInOrder,
  context: PlanContext,
): Reported<VirtualHost> {
  const together = hosts.get(nameOf(rules))
  const own = planHost(rules, all, context)
  if (together === undefined) return own
  if (together.value.namespace === own.value.namespace) return together
  const ids = new Set(rules.map(({ reading }) => reading.id))
  const routes = together.value.routes.filter(({ ingress }) => ids.has(ingress))
  return { value: { ...own.value, routes, isPrintedElsewhere: true }, lines: [] }
}

function planHost(
  rules: readonly HostRule[],
  all: readonly HostRule[],
  { tls, fallbacks, options }: PlanContext,
): Reported<VirtualHost> {
  const [first] = rules as readonly [HostRule, ...HostRule[]]
  const { host, reading } = first
  const { namespace, name } = reading.ingress
  const hostContext = {
    host,
    isRegex: isRegexHost(all),
    isSecure: hasTls(host, namespace, tls),
    reportedFallbacks: new Set(rules.filter((rule) => fallbacks.has(rule)).map((rule) => rule.reading.id)),
    options,
  }
  const planned = isPassedThrough(rules) ? passedHost(rules, hostContext) : openHost(rules, hostContext)
  const annotations = dnsAnnotations(
    host,
    rules.map((rule) => rule.reading),
  )
  return {
    value: {
      namespace,
      host,
      certificateHost: host,
      routes: planned.value.routes,
      passthrough: planned.value.backend,
      dnsAnnotations: annotations.value,
      ingressName: name,
    },
    lines: [...planned.lines, ...annotations.lines],
  }
}

function openHost(rules: readonly HostRule[], context: HostContext): Reported<PassedHost> {
  const { value: routes, lines } = routesOfHost(rules, context)
  return { value: { backend: undefined, routes }, lines }
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
  own: readonly HostRule[],
  taken: ReadonlySet<string>,
  tls: TlsCoverage,
): readonly VirtualHost[] {
  if (host.isPrintedElsewhere === true) return []
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
