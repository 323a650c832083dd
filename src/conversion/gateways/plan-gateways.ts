/**
 * Which Gateway serves which sites. Ingresses of a namespace that share a host or a certificate share a Gateway: of two
 * Gateways with the same TLS host Istio skips the second, and a certificate on two of them makes browsers reuse a
 * connection for the wrong one (spec/ingress.md 1.8).
 */
import { remarkChallenges } from './acme-challenges.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { labelName } from '../model/object-names.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import { gatewayAnnotationsOf } from './shared-annotations.ts'
import type { Entrance, Site } from '../model/virtual-host.ts'
import { hasTls, ruleHosts, tlsCoverage } from '../hosts/tls-coverage.ts'
import { tlsServers } from './tls-servers.ts'

export function buildEntrances(
  readings: readonly ReadIngress[],
  sites: readonly Site[],
  options: ConversionOptions,
): readonly Entrance[] {
  const groups = groupByGateway(readings)
  const byHost = new Map<string, Site[]>()
  for (const site of sites) append(byHost, `${site.namespace}/${site.certificateHost}`, site)
  remarkPlainHosts(readings)
  const entrances = groups.flatMap((group) => {
    const [first] = group
    const hosts = [...new Set(group.flatMap(hostKeys))]
    const own = hosts.flatMap((host) => byHost.get(host) ?? [])
    if (first === undefined || own.length === 0) return []
    const { namespace, name } = first.ingress
    return [
      {
        namespace,
        name: labelName(name),
        ingresses: group,
        sites: own,
        tls: tlsServers(group, own, options),
        annotations: gatewayAnnotationsOf(group),
      },
    ]
  })
  for (const reading of readings) {
    remarkChallenges(reading)
    remarkIdleFields(reading)
  }
  return entrances
}

/** Fields that nobody has come across, as no route is printed for them. */
function remarkIdleFields({ ingress, remarks }: ReadIngress): void {
  const isSaid = (field: string) => remarks.some(({ about }) => about.startsWith(field))
  for (const { field } of ingress.tls.filter((entry) => !isSaid(entry.field)))
    remarks.push({
      level: 'info',
      about: field,
      outcome: 'not-needed',
      message: 'there is no route that it could serve',
    })
  const isRuleSaid = (field: string) =>
    remarks.some(({ about, outcome }) => outcome === 'unsupported' && [field, `${field}.host`].includes(about))
  const rules = ingress.rules.filter((rule) => !isRuleSaid(rule.field))
  for (const { field } of rules.flatMap(({ paths }) => paths).filter((path) => !isSaid(path.field)))
    remarks.push({ level: 'error', about: field, outcome: 'unsupported', message: 'no route is printed for it' })
  const { defaultBackend } = ingress
  if (defaultBackend === undefined || isSaid(defaultBackend.field)) return
  const message = 'there is no host that it could serve'
  remarks.push({ level: 'warn', about: defaultBackend.field, outcome: 'unsupported', message })
}

function append<Value>(groups: Map<string, Value[]>, key: string, value: Value): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [value])
  else group.push(value)
}

/** Union-find over the Ingresses, linked by hosts and secrets. */
function groupByGateway(readings: readonly ReadIngress[]): readonly (readonly ReadIngress[])[] {
  const parents = readings.map((_, index) => index)
  const root = (index: number): number => {
    const parent = parents[index] ?? index
    return parent === index ? index : root(parent)
  }
  const owners = new Map<string, number>()
  for (const [index, reading] of readings.entries())
    for (const key of [...hostKeys(reading), ...secretKeys(reading)]) {
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, index)
      // The older one stays the root, so that the Gateway has its name.
      else parents[Math.max(root(owner), root(index))] = Math.min(root(owner), root(index))
    }
  const groups = new Map<string, ReadIngress[]>()
  for (const [index, reading] of readings.entries()) append(groups, String(root(index)), reading)
  return [...groups.values()]
}

/** A rule without host is of host `*`. */
function hostKeys({ ingress }: ReadIngress): readonly string[] {
  const hosts = ingress.rules.map(({ host }) => (host === '' ? '*' : host))
  const all = hosts.length === 0 && ingress.defaultBackend !== undefined ? ['*'] : hosts
  return all.map((host) => `${ingress.namespace}/${host}`)
}

function secretKeys({ ingress }: ReadIngress): readonly string[] {
  return ingress.tls.filter(({ secret }) => secret !== '').map(({ secret }) => `${ingress.namespace}/secret/${secret}`)
}

/** What answered https before and will not, so that nobody looks for it. */
function remarkPlainHosts(readings: readonly ReadIngress[]): void {
  const coverage = tlsCoverage(readings)
  for (const reading of readings) {
    const { ingress, controller, settings, remarks } = reading
    if (settings.canary !== undefined || settings.isPassthrough === true) continue
    const plain = ruleHosts(reading).filter((host) => !hasTls(host, ingress.namespace, coverage))
    if (plain.length > 0 && settings.redirectsToHttps === true) remarkNoRedirect(reading, plain)
    if (settings.isTlsOffloaded === true) continue
    if (plain.length === 0 || ingress.tls.some(({ secret }) => secret === '')) continue
    if (ingress.tls.length > 0)
      remarks.push({
        level: 'info',
        about: 'spec.tls',
        outcome: 'not-needed',
        message: `${plain.join(', ')} has no certificate, and so no HTTPS server`,
      })
    else if (controller === 'nginx')
      remarks.push({
        level: 'info',
        about: 'spec.tls',
        outcome: 'not-needed',
        message: `without it ingress-nginx also answered https://${plain[0] ?? ''} with a certificate of its own; the gateway will not`,
      })
  }
}

/** These redirect every host, with TLS or without. */
const REDIRECTS_ALL = /\/(?:force-ssl-redirect|router\.entrypoints|ingress\.allow-http)$/

/** The redirect that an annotation asks for is printed for hosts with TLS only; elsewhere it would lead to nothing. */
function remarkNoRedirect(reading: ReadIngress, plain: readonly string[]): void {
  const { remarks, controller } = reading
  const claim = remarks.find(({ about, outcome }) => outcome === 'converted' && REDIRECTS_ALL.test(about))
  // By ssl-redirect alone ingress-nginx does not redirect such hosts either.
  if (claim === undefined && controller === 'nginx') return
  const message = `no redirect to https: ${plain.join(', ')} has no HTTPS server, and plain requests are served`
  const line = { level: 'warn', about: 'spec.rules', outcome: 'unsupported', message } as const
  if (claim === undefined || plain.length < ruleHosts(reading).length) remarks.push(line)
  else remarks[remarks.indexOf(claim)] = { ...line, about: claim.about }
}
