/**
 * Drafts for the Gateway API, where each Gateway is a deployment and a load balancer of its own: one Gateway for each
 * ingress class, and one draft for each namespace of a class (docs/decisions/gateway-api-layout.md).
 */
import type { ReadIngress } from '../ingress/read-ingress.ts'
import { hasListenerSets, type ConversionOptions } from '../model/conversion-options.ts'
import { ISSUERS } from '../model/issuers.ts'
import { labelName } from '../model/object-names.ts'
import { connectedGroups } from './connected-groups.ts'
import type { GatewayDraft } from './gateway-draft.ts'
import { hostKeys, secretKeys, type HostsByKey } from './group-keys.ts'

/**
 * `readings` are the Ingresses of one class. Annotations of cert-manager and external-dns apply to all of a ListenerSet,
 * so Ingresses with others get another one, unless they share a host or a certificate.
 */
export function classDrafts(
  readings: readonly ReadIngress[],
  byHost: HostsByKey,
  options: ConversionOptions,
): readonly GatewayDraft[] {
  const className = classGateway(readings)
  const taken = new Set<string>()
  const groups = connectedGroups(readings, (reading) => {
    const set = hasListenerSets(options) ? JSON.stringify(Object.entries(annotationsOf(reading)).toSorted()) : ''
    return [...hostKeys(reading), ...secretKeys(reading), `${reading.ingress.namespace}/set/${set}`]
  })
  return groups.flatMap((group) => {
    const hosts = [...new Set(group.flatMap(hostKeys))].flatMap((key) => byHost.get(key) ?? [])
    const [oldest] = group
    if (oldest === undefined || hosts.length === 0) return []
    const { namespace } = oldest.ingress
    const name = freeName(group, `${namespace}/${className}`, taken).slice(namespace.length + 1)
    return [{ namespace, name, className, ingresses: group, hosts }]
  })
}

/** The name of the Gateway: that of the class. */
function classGateway([first]: readonly ReadIngress[]): string {
  return labelName(first?.entryPoint?.name.replace(/^class /, '') ?? 'ingress')
}

/** Returns `shop/nginx`, or `shop/nginx.letsencrypt` for a second ListenerSet of the namespace. */
function freeName(group: readonly ReadIngress[], base: string, taken: Set<string>): string {
  const issuer = group.flatMap(issuerOf)[0]
  const candidates = issuer === undefined ? [base] : [base, `${base}.${labelName(issuer)}`]
  let name = candidates.find((candidate) => !taken.has(candidate))
  for (let number = 2; name === undefined; number++) if (!taken.has(`${base}.${number}`)) name = `${base}.${number}`
  taken.add(name)
  return name
}

function issuerOf(reading: ReadIngress): readonly string[] {
  return ISSUERS.flatMap((key) => annotationsOf(reading)[key] ?? [])
}

function annotationsOf({ settings }: ReadIngress): Readonly<Record<string, string>> {
  return settings.gatewayAnnotations ?? {}
}
