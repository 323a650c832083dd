/** The servers that end TLS at a gateway, and what becomes of each TLS entry. */
import type { ConversionOptions } from '../model/conversion-options.ts'
import { coveringNames } from '../model/hosts.ts'
import type { ClientCertificate } from '../model/ingress-settings.ts'
import { credentialName } from '../model/object-names.ts'
import type { ReadIngress } from '../read-ingresses.ts'
import type { Site, TlsServer } from '../model/virtual-host.ts'
import { ruleHosts, tlsEntries, type TlsEntry } from '../hosts/tls-coverage.ts'

/** Each certificate only on the hosts of its own entries, and each host with one certificate. */
export function tlsServers(
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

/** Istio has no HTTPS either where an entry names no secret (`pilot/pkg/config/kube/ingress`): nothing is lost there. */
function remarkUnservedEntries({ ingress, controller, settings, remarks }: ReadIngress): void {
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
        level: controller === 'istio' ? 'warn' : 'error',
        about: field,
        outcome: 'unsupported',
        message:
          'it names no secretName, so that no HTTPS server is printed, where controllers serve a default certificate: add a secretName',
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
    const secret = { namespace: ingress.namespace, name: entry.secret }
    const message = `HTTPS for ${names}: ${copyStep(secret, gateway.namespace)}`
    remarks.push({ level: 'info', about, outcome: 'platform-step', message })
  }
}

/** Without what the API server wrote into the secret's metadata. */
function copyStep({ namespace, name }: { readonly namespace: string; readonly name: string }, to: string): string {
  const copy = credentialName(namespace, name)
  const command = [
    `kubectl get secret -n ${namespace} ${name} -o json`,
    `jq '{apiVersion, kind, type, data, metadata: {name: "${copy}"}}'`,
    `kubectl apply -n ${to} -f -`,
  ]
  return `copy secret ${namespace}/${name} to ${to}/${copy}, where the gateway reads it: ${command.join(' | ')}`
}
