/** The servers that end TLS at a gateway, with a report line for each TLS entry. */
import { ruleHosts, tlsEntries, type TlsEntry } from '../hosts/tls-coverage.ts'
import { traitsOf } from '../ingress/controller-traits.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import type { ConversionOptions } from '../model/conversion-options.ts'
import { groupBy } from '../../kubernetes/group-by.ts'
import { coveringNames } from '../model/hosts.ts'
import type { ClientCertificate } from '../model/ingress-settings.ts'
import { credentialName } from '../model/object-names.ts'
import type { Reported, ReportLine } from '../model/report.ts'
import type { VirtualHost } from '../model/virtual-host.ts'
import type { GatewayDraft } from './gateway-draft.ts'
import type { TlsServer } from './gateway-plan.ts'
import { homeLines } from './home-lines.ts'
import type { HostHomes } from './host-homes.ts'

/** Each certificate is used only for the hosts of its own entries, and each host has one certificate. */
export function tlsServers(
  draft: GatewayDraft,
  homes: HostHomes,
  options: ConversionOptions,
): Reported<readonly TlsServer[]> {
  const { ingresses: group, hosts } = draft
  const isServed = (host: string) => homes.homeOf(draft, host) === undefined
  const assigned = assignHosts(tlsEntries(group), hosts, isServed, options)
  const asking = [...group, ...homes.guestIngressesOf(draft)].filter(
    ({ settings }) => settings.clientCertificate !== undefined,
  )
  const secured = assigned.value
    .filter(({ host }) => isServed(host))
    .map((one) => ({ ...one, clientCertificate: clientCertificateOf(one.host, asking) }))
  const servers = groupBy(secured, ({ tls, clientCertificate }) =>
    JSON.stringify([tls.entry.secret, clientCertificate]),
  )
  const passed = new Set(hosts.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host))
  return {
    value: [...servers.values()].flatMap((one) => serverOf(one, passed)),
    lines: [...group.flatMap(unservedLines), ...assigned.lines, ...homeLines(draft, homes, assigned.value, options)],
  }
}

export interface Assignment {
  readonly host: string
  readonly tls: TlsEntry
}

function assignHosts(
  entries: readonly TlsEntry[],
  hosts: readonly VirtualHost[],
  isServed: (host: string) => boolean,
  options: ConversionOptions,
): Reported<readonly Assignment[]> {
  const lines: ReportLine[] = []
  const hostsOf = hostsByPattern(hosts)
  const owners = ownersOf(entries, hostsOf)
  for (const tls of entries) {
    const covered = hostsOf(tls.hosts)
    const own = covered.map(({ host }) => host).filter((host) => owners.get(host) === tls)
    const passed = covered.filter(({ passthrough }) => passthrough !== undefined).map(({ host }) => host)
    lines.push(
      ...takenLines(tls, covered, owners),
      ...unusedLines(tls, covered),
      ...passedLines(tls, passed),
      ...secretLines(
        tls,
        own.filter((host) => isServed(host) && !passed.includes(host)),
        options,
      ),
    )
  }
  return { value: [...owners].map(([host, tls]) => ({ host, tls })), lines }
}

/**
 * The entry whose certificate a host has, as ingress-nginx chooses it (`createServers` and `extractTLSSecretName` in
 * internal/ingress/controller/controller.go): that of the first Ingress with a rule for the host, in which an entry that names it goes
 * before one that covers it. For other hosts it is the first entry that covers them.
 */
function ownersOf(entries: readonly TlsEntry[], hostsOf: HostsByPattern): ReadonlyMap<string, TlsEntry> {
  const owners = new Map<string, TlsEntry>()
  const take = (tls: TlsEntry, hosts: readonly VirtualHost[]) => {
    for (const { host } of hosts) if (!owners.has(host)) owners.set(host, tls)
  }
  for (const [reading, own] of groupBy(entries, ({ reading: { ingress } }) => ingress)) {
    const rules = new Set(reading.rules.map(({ host }) => host))
    const ruled = ({ hosts }: TlsEntry) => hostsOf(hosts).filter(({ certificateHost }) => rules.has(certificateHost))
    for (const tls of own) {
      const names = new Set(tls.hosts)
      take(
        tls,
        ruled(tls).filter(({ certificateHost }) => names.has(certificateHost)),
      )
    }
    for (const tls of own) take(tls, ruled(tls))
  }
  for (const tls of entries) take(tls, hostsOf(tls.hosts))
  return owners
}

type HostsByPattern = (patterns: readonly string[]) => readonly VirtualHost[]

/** The hosts that any of the patterns covers, in their own order. */
function hostsByPattern(hosts: readonly VirtualHost[]): HostsByPattern {
  const places = hosts.flatMap(({ certificateHost }, index) =>
    coveringNames(certificateHost).map((pattern) => ({ pattern, index })),
  )
  const byPattern = groupBy(places, ({ pattern }) => pattern)
  return (patterns) => {
    const found = patterns.flatMap((pattern) => byPattern.get(pattern) ?? []).map(({ index }) => index)
    return [...new Set(found)].toSorted((left, right) => left - right).flatMap((index) => hosts[index] ?? [])
  }
}

/** Hosts that the entry names, and that have another's certificate. A wildcard leaves out hosts with one of their own. */
function takenLines(
  { reading, entry, hosts }: TlsEntry,
  covered: readonly VirtualHost[],
  owners: ReadonlyMap<string, TlsEntry>,
): readonly ReportLine[] {
  const taken = covered.flatMap(({ host, certificateHost }) => {
    const secret = owners.get(host)?.entry.secret
    return secret === undefined || secret === entry.secret || !hosts.includes(certificateHost) ? [] : [{ host, secret }]
  })
  const [first] = taken
  if (first === undefined) return []
  const names = taken.map(({ host }) => host).join(', ')
  const message = `${names} already uses secret ${first.secret} of another entry`
  return [{ ingress: reading.id, level: 'warn', about: `${entry.field}.hosts`, outcome: 'unsupported', message }]
}

function unusedLines({ reading, entry, hosts }: TlsEntry, covered: readonly VirtualHost[]): readonly ReportLine[] {
  const used = new Set(covered.flatMap(({ certificateHost }) => coveringNames(certificateHost)))
  const unused = hosts.filter((pattern) => !used.has(pattern))
  if (unused.length === 0) return []
  const message = `no route was generated for ${unused.join(', ')}`
  return [{ ingress: reading.id, level: 'info', about: `${entry.field}.hosts`, outcome: 'not-needed', message }]
}

function passedLines({ reading, entry }: TlsEntry, hosts: readonly string[]): readonly ReportLine[] {
  if (hosts.length === 0) return []
  const message = `TLS of ${hosts.join(', ')} is passed through, so the certificate is that of the backend`
  return [{ ingress: reading.id, level: 'info', about: `${entry.field}.secretName`, outcome: 'not-needed', message }]
}

function secretLines(
  { reading, entry }: TlsEntry,
  hosts: readonly string[],
  { target, gateway }: ConversionOptions,
): readonly ReportLine[] {
  if (hosts.length === 0) return []
  const { ingress, settings, id } = reading
  const line = { ingress: id, level: 'info', about: entry.field } as const
  const names = hosts.join(', ')
  if (target === 'gateway-api' && gateway.shared === '' && settings.certificate === undefined)
    return [{ ...line, outcome: 'converted', message: `HTTPS for ${names} with secret ${entry.secret}` }]
  if (settings.certificate !== undefined || target === 'gateway-api')
    return [{ ...line, outcome: 'converted', message: `HTTPS for ${names}` }]
  const secret = { namespace: ingress.namespace, name: entry.secret }
  return [{ ...line, outcome: 'platform-step', message: `HTTPS for ${names}: ${copyStep(secret, gateway.namespace)}` }]
}

/** Copies no metadata, because the API server added most of it. */
function copyStep({ namespace, name }: { readonly namespace: string; readonly name: string }, to: string): string {
  const copy = credentialName(namespace, name)
  const command = [
    `kubectl get secret -n ${namespace} ${name} -o json`,
    `jq '{apiVersion, kind, type, data, metadata: {name: "${copy}"}}'`,
    `kubectl apply -n ${to} -f -`,
  ]
  return `copy secret ${namespace}/${name} to ${to}/${copy}, where the gateway reads it: ${command.join(' | ')}`
}

function clientCertificateOf(host: string, asking: readonly ReadIngress[]): ClientCertificate | undefined {
  return asking.find((reading) => ruleHosts(reading).includes(host))?.settings.clientCertificate
}

/** Hosts with TLS passthrough need no server. */
function serverOf(
  assignments: readonly (Assignment & Pick<TlsServer, 'clientCertificate'>)[],
  passed: ReadonlySet<string>,
): readonly TlsServer[] {
  const hosts = assignments.map(({ host }) => host).filter((host) => !passed.has(host))
  const [first] = assignments
  if (first === undefined || hosts.length === 0) return []
  const { tls, clientCertificate } = first
  const names = [...new Set([...new Set(assignments.map((one) => one.tls))].flatMap((entry) => entry.hosts))]
  return [{ hosts, names, secret: tls.entry.secret, clientCertificate }]
}

function unservedLines({ ingress, id, controller, settings }: ReadIngress): readonly ReportLine[] {
  if (settings.isTlsOffloaded === true) {
    const message = 'TLS ends at the load balancer in front, so no HTTPS server is generated'
    return ingress.tls.map(({ field }) => {
      return { ingress: id, level: 'warn', about: field, outcome: 'platform-step', message }
    })
  }
  const level = traitsOf(controller).hasDefaultCertificate ? 'error' : 'warn'
  const message =
    'no secretName: ingress controllers would serve a default certificate, the gateway cannot, so no HTTPS server is generated. Add a secretName'
  return ingress.tls
    .filter(({ secret }) => secret === '')
    .map(({ field }) => ({ ingress: id, level, about: field, outcome: 'unsupported', message }))
}
