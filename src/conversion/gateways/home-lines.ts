/** Report lines about hosts that the Gateway of another namespace, or an existing one, serves on port 443. */
import { hasListenerSets, type ConversionOptions } from '../model/conversion-options.ts'
import { credentialName } from '../model/object-names.ts'
import type { ReportLine } from '../model/report.ts'
import { ownerOf, type VirtualHost } from '../model/virtual-host.ts'
import type { ExistingServer } from './existing-servers.ts'
import type { GatewayDraft } from './gateway-draft.ts'
import type { HostHomes } from './host-homes.ts'
import { tlsEntries, type TlsEntry } from '../hosts/tls-coverage.ts'
import { coveringNames } from '../model/hosts.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'

/** `assigned` are the TLS entries of the draft's hosts. */
export function homeLines(
  draft: GatewayDraft,
  homes: HostHomes,
  assigned: readonly { readonly host: string; readonly tls: TlsEntry }[],
  options: ConversionOptions,
): readonly ReportLine[] {
  const entries = new Map(assigned.map(({ host, tls }) => [host, tls]))
  return draft.hosts.flatMap((host) => {
    const home = homes.homeOf(draft, host.host)
    if (home === undefined) return []
    const entry = entries.get(host.host)
    return 'gateway' in home ? existingLines(host, entry, home) : draftLines(host, entry, home, placeOf(home, options))
  })
}

/** Another namespace may belong to another tenant, but its Gateway has to be named: the VirtualService binds to it. */
function draftLines(
  host: VirtualHost,
  entry: TlsEntry | undefined,
  home: GatewayDraft,
  place: string,
): readonly ReportLine[] {
  const homeHost = home.hosts.find((one) => one.host === host.host)
  if (host.passthrough !== undefined) return [unpassedLine(host, place)]
  if (homeHost?.passthrough !== undefined) return [passedLine(host, entry, place)]
  const served = entryOf(host, home)
  const base = `${host.host} is served by ${place}, because a gateway can have only one HTTPS server for a host`
  if (entry === undefined || served === undefined || isSameCertificate(entry, served))
    return [{ ...lineAt(host, entry), level: 'info', outcome: 'converted', message: base }]
  const secret = `${served.reading.ingress.namespace}/${served.entry.secret}`
  const message = `${base}, and with the certificate of that one, secret ${secret} instead of ${entry.entry.secret}. Make sure that it is valid for the host`
  return [{ ...lineAt(host, entry), level: 'error', outcome: 'approximate', message }]
}

function placeOf({ namespace, name, className }: GatewayDraft, options: ConversionOptions): string {
  if (hasListenerSets(options)) return `ListenerSet ${namespace}/${name}`
  return className === '' ? `Gateway ${namespace}/${name}` : `Gateway ${options.gateway.namespace}/${className}`
}

function passedLine(host: VirtualHost, entry: TlsEntry | undefined, place: string): ReportLine {
  const message = `TLS of ${host.host} is passed through by ${place}, so the gateway cannot serve these routes over HTTPS`
  return { ...lineAt(host, entry), level: 'error', outcome: 'unsupported', message }
}

function unpassedLine(host: VirtualHost, place: string): ReportLine {
  const message = `TLS of ${host.host} cannot be passed through to this Ingress: ${place} serves the host on port 443`
  return { ingress: ownerOf(host), about: 'spec.rules', level: 'error', outcome: 'unsupported', message }
}

function entryOf({ certificateHost }: VirtualHost, { ingresses }: GatewayDraft): TlsEntry | undefined {
  const names = coveringNames(certificateHost)
  return tlsEntries(ingresses).find(({ hosts }) => hosts.some((name) => names.includes(name)))
}

/** Secrets of one name are taken for copies of one certificate, unless different issuers fill them. */
function isSameCertificate(left: TlsEntry, right: TlsEntry): boolean {
  return left.entry.secret === right.entry.secret && issuerOf(left.reading) === issuerOf(right.reading)
}

function issuerOf({ settings }: ReadIngress): string {
  return JSON.stringify(settings.certificate ?? null)
}

function existingLines(
  host: VirtualHost,
  entry: TlsEntry | undefined,
  { gateway, namespaces, passesThrough, credentialName: current }: ExistingServer,
): readonly ReportLine[] {
  if (passesThrough && host.passthrough === undefined) return [passedLine(host, entry, `Gateway ${gateway}`)]
  const line = lineAt(host, entry)
  const message = `Gateway ${gateway} already serves ${host.host} over HTTPS, so the VirtualService binds to it`
  const isOpen = namespaces.includes('*') || namespaces.includes(host.namespace)
  const step = `Gateway ${gateway} must also list ${host.namespace}/${host.host} in the hosts of its servers for ${host.host}`
  const own = entry === undefined ? undefined : credentialName(host.namespace, entry.entry.secret)
  const isOther = own !== undefined && current !== undefined && own !== current
  const warning = `${host.host} keeps the certificate of Gateway ${gateway}, secret ${current ?? ''} instead of ${own ?? ''}`
  return [
    { ...line, level: 'info', outcome: 'converted', message },
    ...(isOpen ? [] : [{ ...line, level: 'warn', outcome: 'platform-step', message: step } as const]),
    ...(isOther ? [{ ...line, level: 'warn', outcome: 'approximate', message: warning } as const] : []),
  ]
}

function lineAt(host: VirtualHost, entry: TlsEntry | undefined): Pick<ReportLine, 'ingress' | 'about'> {
  if (entry === undefined) return { ingress: ownerOf(host), about: 'spec.tls' }
  return { ingress: entry.reading.id, about: entry.entry.field }
}
