/**
 * Gateways of their own for wildcard hosts. Istio binds a VirtualService to every server of its Gateway that has one of its
 * hosts or a narrower one, and the older of two that both have a host goes first (`pilot/pkg/networking/core/gateway.go`,
 * buildGatewayHTTPRouteConfig): beside a narrower host with a TLS server of its own, a wildcard would answer there.
 */
import { groupBy } from '../../model/group-by.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import { labelName } from '../../model/object-names.ts'
import type { Entrance, Site, TlsServer } from '../../model/virtual-host.ts'
import { siteOwner } from '../../model/site-owner.ts'

/** A Gateway, with the sites whose VirtualServices it has to itself. */
export type GatewayPart = Pick<Entrance, 'namespace' | 'name' | 'sites' | 'tls'>

/**
 * The entrance itself, or what is left of it and a Gateway for each wildcard that would answer for others. Sites of one
 * server stay together: the same certificate on two Gateways makes browsers reuse a connection for the wrong one.
 * `wildcards` are those that have a TLS server, in any entrance.
 */
export function gatewayParts(whole: Entrance, wildcards: readonly string[]): readonly GatewayPart[] {
  const entrance = { ...whole, tls: whole.tls.flatMap((server) => apartFrom(wildcards, server)) }
  const parts: readonly GatewayPart[] = wildcardsOf(entrance).map((site) => partOf(site, entrance))
  const moved = new Set(parts.flatMap(({ sites }) => sites))
  const servers = new Set(parts.flatMap(({ tls }) => tls))
  const rest = {
    ...entrance,
    sites: entrance.sites.filter((site) => !moved.has(site)),
    tls: entrance.tls.filter((server) => !servers.has(server)),
  }
  return rest.sites.length === 0 ? parts : [rest, ...parts]
}

/** The wildcards that these servers end TLS for. */
export function wildcardsOfServers(servers: readonly TlsServer[]): readonly string[] {
  return servers.flatMap(({ hosts }) => hosts).filter((host) => host.startsWith('*'))
}

/**
 * A host that a wildcard of its own server covers, and a narrower one of another server as well, would be served by that:
 * Envoy takes the server that names it best. So it is a server of its own.
 */
function apartFrom(wildcards: readonly string[], server: TlsServer): readonly TlsServer[] {
  const own = wildcardsOfServers([server])
  const others = wildcards.filter((wildcard) => own.some((wider) => isCoveredByWildcard(wildcard, wider)))
  const taken = server.hosts.filter((host) => others.some((other) => isCoveredByWildcard(host, other)))
  if (taken.length === 0) return [server]
  const kept = server.hosts.filter((host) => !taken.includes(host))
  return [kept, ...taken.map((host) => [host])].map((hosts) => ({ ...server, hosts }))
}

/** The first of each server. */
function wildcardsOf(entrance: Entrance): readonly Site[] {
  const wildcards = entrance.sites.filter((site) => strayHosts(site, entrance).length > 0)
  const servers = wildcards.map(({ host }) => serverOf(host, entrance))
  return wildcards.filter((_, index) => servers[index] === undefined || servers.indexOf(servers[index]) === index)
}

/** Hosts with a TLS server of their own at which a site would answer, were it in one Gateway with them. */
function strayHosts({ host, passthrough }: Site, { tls }: Pick<Entrance, 'tls'>): readonly string[] {
  if (passthrough !== undefined || !host.startsWith('*')) return []
  const others = tls.filter(({ hosts }) => !hosts.includes(host)).flatMap(({ hosts }) => hosts)
  return others.filter((other) => isCoveredByWildcard(other, host))
}

function serverOf(host: string, { tls }: Pick<Entrance, 'tls'>): TlsServer | undefined {
  return tls.find(({ hosts }) => hosts.includes(host))
}

function partOf(wildcard: Site, { namespace, name, sites, tls }: Entrance): GatewayPart {
  const server = serverOf(wildcard.host, { tls })
  return {
    namespace,
    name: labelName(`${name}.${wildcard.host}`),
    sites: server === undefined ? [wildcard] : sites.filter(({ host }) => server.hosts.includes(host)),
    tls: server === undefined ? [] : [server],
  }
}

/**
 * `namespace/name` of the Gateways that a site's VirtualService is for: its own, and that of a wildcard above it, as browsers
 * reuse a connection for every host that its certificate covers. Not where the site asks for a certificate of the client's:
 * that would be passed by. `wildcardParts` are those of the site's namespace that end TLS for a wildcard.
 */
export function gatewaysOf(site: Site, own: GatewayPart, wildcardParts: readonly GatewayPart[]): readonly string[] {
  const isWithin = (wildcard: string) => isCoveredByWildcard(site.host, wildcard)
  const wider = wildcardParts.filter((part) => part !== own && wildcardsOfServers(part.tls).some(isWithin))
  return [own, ...wider.filter(() => isOpen(site, own))].map(({ namespace, name }) => `${namespace}/${name}`)
}

function isOpen({ host, passthrough }: Site, own: GatewayPart): boolean {
  return passthrough === undefined && serverOf(host, own)?.clientCertificate === undefined
}

/** Why there is a second Gateway. */
export function remarkPart({ name, sites }: GatewayPart, entrance: Entrance): void {
  for (const site of sites) {
    const narrower = strayHosts(site, entrance)
    if (narrower.length === 0) continue
    const message = `${site.host} has a Gateway of its own, ${name}: in one with ${narrower.join(', ')}, which has a TLS server of its own, its routes could win there`
    siteOwner(site, entrance)?.remarks.push({ level: 'info', about: 'spec.tls', outcome: 'converted', message })
  }
}

/** What is not mended in a Gateway that is shared, where all servers of a namespace meet. */
export function remarkStrays(entrances: readonly Entrance[]): void {
  for (const group of groupBy(entrances, ({ namespace }) => namespace).values()) {
    const tls = group.flatMap((entrance) => entrance.tls)
    for (const entrance of group) for (const site of entrance.sites) remarkStray(site, { ...entrance, tls })
  }
}

function remarkStray(site: Site, entrance: Entrance): void {
  const isGuarded = (host: string) => serverOf(host, entrance)?.clientCertificate !== undefined
  const narrower = strayHosts(site, entrance)
  const [guarded, open] = [narrower.filter(isGuarded), narrower.filter((host) => !isGuarded(host))]
  const messages = [
    ...(guarded.length === 0
      ? []
      : [
          `SECURITY: ${guarded.join(', ')} asks for a certificate of the client, and in one Gateway is served without one to who names another host of ${site.host} in the TLS handshake`,
        ]),
    ...(open.length === 0
      ? []
      : [
          `${open.join(', ')} has a TLS server of its own, and in one Gateway the routes of ${site.host} may win there`,
        ]),
  ]
  for (const message of messages)
    siteOwner(site, entrance)?.remarks.push({
      level: 'error',
      about: 'spec.tls',
      outcome: 'approximate',
      message: `${message}: give ${site.host} a Gateway of its own`,
    })
}
