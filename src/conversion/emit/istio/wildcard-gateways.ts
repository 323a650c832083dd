/**
 * Separate Gateways for wildcard hosts. Istio binds a VirtualService to every server of its Gateway that has one of its
 * hosts or a narrower one, and the older of two VirtualServices wins (buildGatewayHTTPRouteConfig in istio/istio
 * pilot/pkg/networking/core/gateway.go). In one Gateway, a wildcard would answer for a narrower host with its own TLS
 * server.
 */
import { groupBy } from '../../../kubernetes/group-by.ts'
import { isCoveredByWildcard } from '../../model/hosts.ts'
import { labelName } from '../../model/object-names.ts'
import type { GatewayPlan, TlsServer } from '../../gateways/gateway-plan.ts'
import type { ReportLine } from '../../model/report.ts'
import { ownerOf, type VirtualHost } from '../../model/virtual-host.ts'

/** A Gateway with the hosts that only it serves. */
export type GatewayPart = Pick<GatewayPlan, 'namespace' | 'name' | 'hosts' | 'tls'>

/**
 * Returns the plan itself, or a Gateway for each wildcard that would answer for others, and one for the rest. Hosts of
 * one server stay together: with the same certificate on two Gateways, browsers reuse a connection for the wrong one.
 * `wildcards` are those with a TLS server in any plan.
 */
export function gatewayParts(whole: GatewayPlan, wildcards: readonly string[]): readonly GatewayPart[] {
  const plan = { ...whole, hosts: whole.served, tls: whole.tls.flatMap((server) => apartFrom(wildcards, server)) }
  const parts: readonly GatewayPart[] = wildcardsOf(plan).map((host) => partOf(host, plan))
  const moved = new Set(parts.flatMap(({ hosts }) => hosts))
  const servers = new Set(parts.flatMap(({ tls }) => tls))
  const rest = {
    ...plan,
    hosts: plan.hosts.filter((host) => !moved.has(host)),
    tls: plan.tls.filter((server) => !servers.has(server)),
  }
  return rest.hosts.length === 0 ? parts : [rest, ...parts]
}

/** Returns the wildcards for which these servers end TLS. */
export function wildcardsOfServers(servers: readonly TlsServer[]): readonly string[] {
  return servers.flatMap(({ hosts }) => hosts).filter((host) => host.startsWith('*'))
}

/**
 * Envoy picks the server with the most specific name. A host that a wildcard of its own server covers would go to
 * another server with a narrower wildcard, so it becomes a separate server.
 */
function apartFrom(wildcards: readonly string[], server: TlsServer): readonly TlsServer[] {
  const own = wildcardsOfServers([server])
  const others = wildcards.filter((wildcard) => own.some((wider) => isCoveredByWildcard(wildcard, wider)))
  const taken = server.hosts.filter((host) => others.some((other) => isCoveredByWildcard(host, other)))
  if (taken.length === 0) return [server]
  const kept = server.hosts.filter((host) => !taken.includes(host))
  return [kept, ...taken.map((host) => [host])].map((hosts) => ({ ...server, hosts }))
}

/** Returns the first wildcard of each server. */
function wildcardsOf(plan: GatewayPlan): readonly VirtualHost[] {
  const wildcards = plan.hosts.filter((host) => shadowedHosts(host, plan).length > 0)
  const servers = wildcards.map(({ host }) => serverOf(host, plan))
  return wildcards.filter((_, index) => servers[index] === undefined || servers.indexOf(servers[index]) === index)
}

/** Returns the hosts with their own TLS server whose requests this host would answer in one Gateway with them. */
function shadowedHosts({ host, passthrough }: VirtualHost, { tls }: Pick<GatewayPlan, 'tls'>): readonly string[] {
  if (passthrough !== undefined || !host.startsWith('*')) return []
  const others = tls.filter(({ hosts }) => !hosts.includes(host)).flatMap(({ hosts }) => hosts)
  return others.filter((other) => isCoveredByWildcard(other, host))
}

function serverOf(host: string, { tls }: Pick<GatewayPlan, 'tls'>): TlsServer | undefined {
  return tls.find(({ hosts }) => hosts.includes(host))
}

function partOf(wildcard: VirtualHost, { namespace, name, hosts, tls }: GatewayPlan): GatewayPart {
  const server = serverOf(wildcard.host, { tls })
  return {
    namespace,
    name: labelName(`${name}.${wildcard.host}`),
    hosts: server === undefined ? [wildcard] : hosts.filter(({ host }) => server.hosts.includes(host)),
    tls: server === undefined ? [] : [server],
  }
}

/**
 * Returns `namespace/name` of the Gateways of a host's VirtualService: its own, and that of a wildcard above it,
 * because browsers reuse a connection for every host of its certificate. A host that requires a client certificate gets
 * only its own, or that requirement could be bypassed. `wildcardParts` are those of the namespace that end TLS for a
 * wildcard.
 */
export function gatewaysOf(
  host: VirtualHost,
  own: GatewayPart,
  wildcardParts: readonly GatewayPart[],
): readonly string[] {
  const isWithin = (wildcard: string) => isCoveredByWildcard(host.host, wildcard)
  const isHome = host.namespace === own.namespace
  const wider = wildcardParts.filter((part) => isHome && part !== own && wildcardsOfServers(part.tls).some(isWithin))
  return [own, ...wider.filter(() => isOpen(host, own))].map(({ namespace, name }) => `${namespace}/${name}`)
}

function isOpen({ host, passthrough }: VirtualHost, own: GatewayPart): boolean {
  return passthrough === undefined && serverOf(host, own)?.clientCertificate === undefined
}

/** Reports why there is a second Gateway. */
export function partLines({ name, hosts }: GatewayPart, plan: GatewayPlan): readonly ReportLine[] {
  return hosts.flatMap((host) => {
    const narrower = shadowedHosts(host, plan)
    if (narrower.length === 0) return []
    const message = `${host.host} gets a separate Gateway (${name}); sharing one with ${narrower.join(', ')} could make its routes override those`
    return [{ ingress: ownerOf(host), level: 'info', about: 'spec.tls', outcome: 'converted', message } as const]
  })
}

/** In a shared Gateway, which has all servers of a namespace, a wildcard can take requests of narrower hosts. */
export function shadowLines(plans: readonly GatewayPlan[]): readonly ReportLine[] {
  return [...groupBy(plans, ({ namespace }) => namespace).values()].flatMap((group) => {
    const tls = group.flatMap((plan) => plan.tls)
    return group.flatMap((plan) => plan.hosts.flatMap((host) => shadowLinesOf(host, tls)))
  })
}

function shadowLinesOf(host: VirtualHost, tls: readonly TlsServer[]): readonly ReportLine[] {
  const isGuarded = (name: string) => serverOf(name, { tls })?.clientCertificate !== undefined
  const narrower = shadowedHosts(host, { tls })
  const [guarded, open] = [narrower.filter(isGuarded), narrower.filter((name) => !isGuarded(name))]
  const messages = [
    ...(guarded.length === 0
      ? []
      : [
          `SECURITY: ${guarded.join(', ')} requires a client certificate. In a shared Gateway, a client that names another host of ${host.host} in the TLS handshake can reach it without one`,
        ]),
    ...(open.length === 0
      ? []
      : [
          `${open.join(', ')} has its own TLS server. In a shared Gateway, the routes of ${host.host} may override its routes`,
        ]),
  ]
  return messages.map((message) => ({
    ingress: ownerOf(host),
    level: 'error',
    about: 'spec.tls',
    outcome: 'approximate',
    message: `${message}. Use a separate Gateway for ${host.host}`,
  }))
}
