/**
 * Which Gateway serves which sites. Ingresses of a namespace that share a host or a certificate share a Gateway: of two
 * Gateways with the same TLS host Istio skips the second, and a certificate on two of them makes browsers reuse a
 * connection for the wrong one (spec/ingress.md 1.8).
 */
import type { ConversionOptions } from './conversion-options.ts'
import { coveringNames } from './hosts.ts'
import type { ClientCertificate } from './ingress-settings.ts'
import { credentialName, labelName } from './object-names.ts'
import type { ReadIngress } from './read-ingresses.ts'
import type { Entrance, Site, TlsServer } from './site.ts'
import { hasTls, ruleHosts, tlsCoverage, tlsEntries, type TlsEntry } from './tls-coverage.ts'
import { remarkWildcardCertificates } from './wildcard-certificates.ts'

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
    const tls = tlsServers(group, own, options)
    remarkWildcardCertificates(tls, group, options)
    return [
      {
        namespace,
        name: labelName(name),
        ingresses: group,
        sites: own,
        tls,
        annotations: gatewayAnnotations(group),
      },
    ]
  })
  for (const reading of readings) remarkIdleFields(reading)
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

function gatewayAnnotations(group: readonly ReadIngress[]): Readonly<Record<string, string>> {
  return Object.assign({}, ...group.map(({ settings }) => settings.gatewayAnnotations ?? {})) as Record<string, string>
}

/** Each certificate only on the hosts of its own entries, and each host with one certificate. */
function tlsServers(
  group: readonly ReadIngress[],
  sites: readonly Site[],
  options: ConversionOptions,
): readonly TlsServer[] {
  for (const reading of group) remarkUnservedEntries(reading)
  const claimed = new Map<string, string>()
  const servers = new Map<string, GrowingServer>()
  for (const tls of tlsEntries(group)) {
    const hosts = claimHosts(tls, sites, claimed)
    remarkSecret(tls, hosts, options)
    for (const host of hosts) {
      const server = serverFor(tls.entry.secret, clientCertificateOf(host, group), servers)
      server.hosts.push(host)
      for (const name of server.entries.has(tls) ? [] : tls.hosts) server.names.add(name)
      server.entries.add(tls)
    }
  }
  const passed = new Set(sites.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host))
  return [...servers.values()]
    .map(({ hosts, names, secret, clientCertificate }) => {
      return { hosts: hosts.filter((host) => !passed.has(host)), names: [...names], secret, clientCertificate }
    })
    .filter(({ hosts }) => hosts.length > 0)
}

interface GrowingServer extends Pick<TlsServer, 'secret' | 'clientCertificate'> {
  readonly hosts: string[]
  readonly names: Set<string>
  readonly entries: Set<TlsEntry>
}

function serverFor(
  secret: string,
  clientCertificate: ClientCertificate | undefined,
  servers: Map<string, GrowingServer>,
): GrowingServer {
  const key = JSON.stringify([secret, clientCertificate])
  const server = servers.get(key) ?? { hosts: [], names: new Set(), entries: new Set(), secret, clientCertificate }
  servers.set(key, server)
  return server
}

/** The hosts that an entry's certificate is served for; what another secret has already is told. */
function claimHosts(
  { reading, entry, hosts }: TlsEntry,
  sites: readonly Site[],
  claimed: Map<string, string>,
): readonly string[] {
  const patterns = new Set(hosts)
  const covered = sites.filter(({ certificateHost }) =>
    coveringNames(certificateHost).some((name) => patterns.has(name)),
  )
  const own = covered.map(({ host }) => host)
  const taken = own.filter((host) => ![undefined, entry.secret].includes(claimed.get(host)))
  if (taken.length > 0) {
    const message = `${taken.join(', ')} is served with secret ${claimed.get(taken[0] ?? '') ?? ''} of another entry`
    reading.remarks.push({ level: 'warn', about: `${entry.field}.hosts`, outcome: 'unsupported', message })
  }
  const used = new Set(covered.flatMap(({ certificateHost }) => coveringNames(certificateHost)))
  const unused = hosts.filter((pattern) => !used.has(pattern))
  if (unused.length > 0)
    reading.remarks.push({
      level: 'info',
      about: `${entry.field}.hosts`,
      outcome: 'not-needed',
      message: `no route is printed for ${unused.join(', ')}`,
    })
  const free = own.filter((host) => !claimed.has(host))
  for (const host of free) claimed.set(host, entry.secret)
  return free
}

function clientCertificateOf(host: string, group: readonly ReadIngress[]): ClientCertificate | undefined {
  return group.find((reading) => reading.settings.clientCertificate !== undefined && ruleHosts(reading).includes(host))
    ?.settings.clientCertificate
}

function remarkUnservedEntries({ ingress, settings, remarks }: ReadIngress): void {
  for (const { secret, field } of ingress.tls) {
    if (settings.isTlsOffloaded === true)
      remarks.push({
        level: 'warn',
        about: field,
        outcome: 'platform-step',
        message: 'TLS ends at the load balancer in front, so that no HTTPS server is printed',
      })
    else if (secret === '')
      remarks.push({
        level: 'warn',
        about: field,
        outcome: 'unsupported',
        message:
          'it names no secretName, so that no HTTPS server is printed; some controllers serve a default certificate',
      })
  }
}

function remarkSecret(
  { reading, entry }: TlsEntry,
  hosts: readonly string[],
  { target, gateway }: ConversionOptions,
): void {
  if (hosts.length === 0) return
  const { ingress, settings, remarks } = reading
  const about = entry.field
  const names = hosts.join(', ')
  if (target === 'gateway-api' && gateway.shared === '')
    remarks.push({
      level: 'info',
      about,
      outcome: 'converted',
      message: `HTTPS for ${names} with secret ${entry.secret}`,
    })
  else if (settings.certificate !== undefined || target === 'gateway-api')
    remarks.push({ level: 'info', about, outcome: 'converted', message: `HTTPS for ${names}` })
  else {
    const message = `HTTPS for ${names}: copy secret ${ingress.namespace}/${entry.secret} to ${gateway.namespace}/${credentialName(ingress.namespace, entry.secret)}, where the gateway reads it`
    remarks.push({ level: 'info', about, outcome: 'platform-step', message })
  }
}

/** What answered https before and will not, so that nobody looks for it. */
function remarkPlainHosts(readings: readonly ReadIngress[]): void {
  const coverage = tlsCoverage(readings)
  for (const reading of readings) {
    const { ingress, controller, settings, remarks } = reading
    if (settings.canary !== undefined || settings.isTlsOffloaded === true || settings.isPassthrough === true) continue
    const plain = ruleHosts(reading).filter((host) => !hasTls(host, ingress.namespace, coverage))
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
