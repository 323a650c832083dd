/** Which listeners of its Gateway a route attaches to. */
import { defined, type JsonObject } from '../../kubernetes/json.ts'
import { isCoveredByWildcard } from '../hosts.ts'
import type { Site } from '../site.ts'
import { listenerName, type SecureListeners } from './gateway.ts'

/** The Gateway that routes attach to. */
export interface ParentGateway {
  readonly namespace: string
  readonly name: string
  readonly listeners: SecureListeners
}

type Port = 80 | 443

/**
 * Without a section, a wildcard's route also attaches to the listeners of narrower hosts, and the older of two routes that
 * both have a host goes first (`pilot/pkg/config/kube/gateway`, hostnameAllowedByIsolation: only a wildcard's listener is
 * kept from the routes of others).
 */
export function parentRefs(
  site: Site,
  parent: ParentGateway,
  ports: readonly Port[] = [80, 443],
): readonly JsonObject[] {
  const { name, namespace } = parent
  const gateway = defined({ name, namespace: namespace === site.namespace ? undefined : namespace })
  const protocol = site.passthrough === undefined ? 'https' : 'tls'
  const hosts = parent.listeners[protocol]
  if (!site.host.startsWith('*') || !hosts.some((host) => isCoveredByWildcard(host, site.host)))
    return [defined({ ...gateway, port: ports.length === 1 ? ports[0] : undefined })]
  const isListened = ports.includes(443) && hosts.includes(site.host)
  return [
    ...(ports.includes(80) ? [{ ...gateway, port: 80 }] : []),
    ...(isListened ? [{ ...gateway, sectionName: listenerName(protocol, site.host) }] : []),
  ]
}
