/**
 * Which Gateway serves a host on port 443 if several have it. The pods of a gateway have one listener for all Gateways,
 * and Envoy refuses the whole listener if two of its filter chains have one server name. So the first Gateway serves the
 * host, and VirtualServices of other namespaces bind to that Gateway (istio/istio#13717, istio/istio#16573).
 */
import { groupBy } from '../../kubernetes/group-by.ts'
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { hasClassGateways, type ConversionOptions } from '../model/conversion-options.ts'
import type { VirtualHost } from '../model/virtual-host.ts'
import { existingServers, type ExistingServer } from './existing-servers.ts'
import { securedHosts, type GatewayDraft } from './gateway-draft.ts'

export interface HostHomes {
  /** The other draft or the existing Gateway that serves a host of this draft; undefined if the draft serves it itself. */
  homeOf(draft: GatewayDraft, host: string): GatewayDraft | ExistingServer | undefined
  /** The hosts of other drafts that this draft serves. */
  guestsOf(draft: GatewayDraft): readonly VirtualHost[]
  /** The Ingresses of those hosts. */
  guestIngressesOf(draft: GatewayDraft): readonly ReadIngress[]
}

/**
 * In the Gateway API, an ingress class has a Gateway of its own, and with it pods of its own. A shared Gateway's
 * listeners are its owner's.
 */
export function hostHomes(drafts: readonly GatewayDraft[], options: ConversionOptions): HostHomes {
  const homes =
    options.target === 'istio' || hasClassGateways(options) ? homesByHost(drafts, options) : new Map<string, never>()
  const homeOf = (draft: GatewayDraft, host: string) => {
    const home = homes.get(homeKey(draft.className, host))
    return home === draft ? undefined : home
  }
  const guests = drafts.flatMap((draft) =>
    draft.hosts.flatMap((host) => {
      const home = homeOf(draft, host.host)
      return home === undefined || 'gateway' in home ? [] : [{ home, draft, host }]
    }),
  )
  const byHome = groupBy(guests, ({ home }) => home)
  return {
    homeOf,
    guestsOf: (draft) => (byHome.get(draft) ?? []).map(({ host }) => host),
    guestIngressesOf: (draft) => [...new Set((byHome.get(draft) ?? []).flatMap((guest) => guest.draft.ingresses))],
  }
}

/** An existing Gateway comes first, then the draft of the oldest Ingress with TLS for the host. */
function homesByHost(
  drafts: readonly GatewayDraft[],
  options: ConversionOptions,
): ReadonlyMap<string, GatewayDraft | ExistingServer> {
  const own = drafts
    .flatMap((draft) => securedHosts(draft).map(({ host }) => [homeKey(draft.className, host), draft] as const))
    .toReversed()
  return new Map<string, GatewayDraft | ExistingServer>([...own, ...existingServers(drafts, options)])
}

function homeKey(className: string, host: string): string {
  return className === '' ? host : `${className} ${host}`
}
