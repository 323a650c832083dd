/** The sites of a set of Ingresses: one for each namespace and host, whichever Ingresses have rules for it. */
import type { ConversionOptions } from '../model/conversion-options.ts'
import { hostProblem, otherWww } from '../model/hosts.ts'
import type { IngressRule } from '../ingress/ingress.ts'
import { routesOfHost, type HostRule } from './host-routes.ts'
import { passthroughBackend } from './passthrough.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Remark } from '../model/report.ts'
import { dnsAnnotationsOf } from '../gateways/shared-annotations.ts'
import type { Route, Site } from '../model/virtual-host.ts'
import { hasTls, tlsCoverage, type TlsCoverage } from './tls-coverage.ts'

export function buildSites(readings: readonly ReadIngress[], options: ConversionOptions): readonly Site[] {
  const hosts = rulesByHost(readings, options)
  const tls = tlsCoverage(readings)
  warnOfSharedHosts([...hosts.values()])
  const sites = [...hosts.values()].map((rules) => siteOf(rules, tls, options))
  const derived = withoutRepeats(sites.flatMap((site) => derivedSites(site, hosts, tls)))
  return [...sites, ...derived].filter(({ routes, passthrough }) => routes.length > 0 || passthrough !== undefined)
}

/** An alias that two hosts claim is the first one's. */
function withoutRepeats(sites: readonly Site[]): readonly Site[] {
  const keys = sites.map(({ namespace, host }) => `${namespace}/${host}`)
  return sites.filter((_, index) => keys.indexOf(keys[index] ?? '') === index)
}

/** By `namespace/host`. */
type HostRules = ReadonlyMap<string, readonly HostRule[]>

function rulesByHost(readings: readonly ReadIngress[], options: ConversionOptions): HostRules {
  const hosts = new Map<string, HostRule[]>()
  for (const reading of readings) {
    warnOfLonelyBackend(reading, options)
    for (const rule of rulesOf(reading, options)) {
      const host = acceptedHost(rule, reading, options)
      if (host === undefined) continue
      const key = `${reading.ingress.namespace}/${host}`
      const known = hosts.get(key)
      if (known === undefined) hosts.set(key, [{ reading, rule, host }])
      else known.push({ reading, rule, host })
    }
  }
  return hosts
}

/** A default backend alone is a rule without host, once that is asked for. */
function rulesOf({ ingress }: ReadIngress, { gateway }: ConversionOptions): readonly IngressRule[] {
  const isAlone = ingress.rules.length === 0 && ingress.defaultBackend !== undefined && gateway.allowHostless
  return isAlone ? [{ host: '', paths: [], field: 'spec.defaultBackend' }] : ingress.rules
}

/** `*` for a rule without host where that is allowed; undefined, with a remark, for what is no host. */
function acceptedHost(
  { host, paths, field }: IngressRule,
  { remarks, settings }: ReadIngress,
  { gateway, target }: ConversionOptions,
): string | undefined {
  const remark = (line: Omit<Remark, 'about'>, about = `${field}.host`) => void remarks.push({ about, ...line })
  if (host === '' && !gateway.allowHostless) {
    remark(
      {
        level: 'error',
        outcome: 'unsupported',
        message:
          'a rule without a host would take every host of the gateway: name a host, or set gateway.allowHostless',
      },
      field,
    )
    return undefined
  }
  const problem = host === '' ? undefined : hostProblem(host, target)
  if (problem !== undefined) {
    remark({ level: 'error', outcome: 'unsupported', message: `${host} ${problem}` })
    return undefined
  }
  if (host === '')
    remark(
      {
        level: 'warn',
        outcome: 'approximate',
        message: 'no host: host * takes every host of the gateway that nobody else has',
      },
      field,
    )
  if (host.startsWith('*.') && settings.canary === undefined)
    remark({
      level: 'warn',
      outcome: 'approximate',
      message: `${host} covered one more label; at the gateway it also takes a.b${host.slice(1)}`,
    })
  if (paths.length === 0 && field !== 'spec.defaultBackend')
    remark(
      {
        level: 'warn',
        outcome: 'unsupported',
        message: `the rule of ${host} has no http.paths: nothing to route but to a default backend`,
      },
      field,
    )
  return host === '' ? '*' : host
}

function warnOfLonelyBackend({ ingress, remarks }: ReadIngress, { gateway }: ConversionOptions): void {
  if (ingress.defaultBackend === undefined || gateway.allowHostless) return
  if (ingress.rules.some(({ host }) => host !== '')) return
  const message = 'without a host it would take every host of the gateway: name a host, or set gateway.allowHostless'
  remarks.push({ level: 'error', about: 'spec.defaultBackend', outcome: 'unsupported', message })
}

/** Istio joins the VirtualServices of one host in the order of their age, which nobody has in hand (spec/ingress.md 1.8). */
function warnOfSharedHosts(hosts: readonly (readonly HostRule[])[]): void {
  const namespaces = new Map<string, Set<string>>()
  for (const { host, reading } of hosts.flat())
    namespaces.set(host, (namespaces.get(host) ?? new Set()).add(reading.ingress.namespace))
  for (const { host, reading, rule } of hosts.flat()) {
    if ((namespaces.get(host)?.size ?? 0) < 2) continue
    const message = `host ${host} is also used in another namespace: keep the paths disjoint, as Istio joins the routes in the order of age`
    reading.remarks.push({ level: 'warn', about: `${rule.field}.host`, outcome: 'approximate', message })
  }
}

function siteOf(rules: readonly HostRule[], tls: TlsCoverage, options: ConversionOptions): Site {
  const [first] = rules as readonly [HostRule, ...HostRule[]]
  const { namespace, name } = first.reading.ingress
  const isSecure = hasTls(first.host, namespace, tls)
  const passthrough = passthroughBackend(rules, options)
  // Its other annotations are void, those that guard it among them: better nothing than routes that nobody meant.
  const isPassed = rules.some(({ reading }) => reading.settings.isPassthrough === true)
  return {
    namespace,
    host: first.host,
    certificateHost: first.host,
    routes: isPassed ? [] : routesOfHost(rules, isSecure, options),
    passthrough,
    dnsAnnotations: dnsAnnotationsOf(
      first.host,
      rules.map(({ reading }) => reading),
    ),
    ingressName: name,
  }
}

/** Aliases serve the same routes; the host with or without `www.` redirects. A host that has rules of its own stays. */
function derivedSites(site: Site, hosts: HostRules, tls: TlsCoverage): readonly Site[] {
  const rules = hosts.get(`${site.namespace}/${site.host}`) ?? []
  const isFree = (host: string) => !hosts.has(`${site.namespace}/${host}`)
  const aliases = [
    ...new Set(rules.flatMap(({ reading }) => reading.settings.aliases ?? []).map((host) => host.toLowerCase())),
  ]
  const wants = rules.find(({ reading }) => reading.settings.redirectsWww === true)
  const www = otherWww(site.host)
  const isSecure = hasTls(site.host, site.namespace, tls)
  return [
    ...aliases.filter(isFree).map((host) => ({ ...site, host, dnsAnnotations: {} })),
    ...(wants === undefined || site.host.startsWith('*') || !isFree(www)
      ? []
      : [{ ...site, host: www, dnsAnnotations: {}, routes: [wwwRoute(site.host, wants, isSecure)] }]),
  ]
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
