/**
 * Hosts that workloads really called and that the mesh does not know: access logs have them under PassthroughCluster and
 * BlackHoleCluster (https://istio.io/latest/docs/tasks/traffic-management/egress/egress-control/).
 */
import type { UnknownHost } from '../callers/tally.ts'
import { buildAddressBook } from '../callers/address-book.ts'
import { parseRanges } from '../kubernetes/address-ranges.ts'
import { counted } from '../kubernetes/counted.ts'
import { readAddress } from '../kubernetes/ip-address.ts'
import { arrayMember, memberAt, type JsonObject } from '../kubernetes/json.ts'
import { describe, referenceTo } from '../kubernetes/object.ts'
import type { Estate } from '../readiness/estate.ts'
import { finding, type Finding } from '../readiness/finding.ts'
import { serviceEntryYaml } from './service-entry.ts'

/** Returns a finding for each workload and host. Calls to pods, Services and nodes of the cluster are not outbound. */
export function findUnknownHosts(hosts: readonly UnknownHost[], estate: Estate): readonly Finding[] {
  const book = buildAddressBook(estate)
  return hosts.flatMap((call): readonly Finding[] => {
    const caller = book.residentOf(call.pod, call.first, call.last)
    if (caller.kind !== 'workload' || isOfCluster(call.host, caller.reference.namespace, estate)) return []
    const { namespace } = caller.reference
    if (estate.inventory.list('serviceEntries').some((entry) => covers(entry, call.host, namespace))) return []
    const { outboundTrafficPolicy: policy } = estate.inventory.controlPlane('default')
    const destination = call.port > 0 ? `${call.host}:${call.port}` : call.host
    return [
      finding(call.isBlocked ? 'egress-host-blocked' : 'egress-host-unknown', {
        object: caller.reference,
        about: destination,
        ...(call.port > 0 ? { port: call.port } : {}),
        message: `${describe(caller.reference)} called ${destination} ${counted(call.lines, 'time')}, and no ServiceEntry of namespace ${namespace} covers it: ${call.isBlocked ? 'the sidecar blocked it' : 'the sidecar let it pass'} (${policyText(policy)}).`,
        fix: `Apply:\n${serviceEntryYaml(call, namespace)}`,
        scope: namespace,
      }),
    ]
  })
}

function policyText(policy: 'ALLOW_ANY' | 'REGISTRY_ONLY' | undefined): string {
  if (policy === undefined) return 'the mesh configuration is not in the input, and Istio allows any host by default'
  return `outboundTrafficPolicy of the mesh configuration, ConfigMap istio, is ${policy}`
}

function isOfCluster(host: string, from: string, estate: Estate): boolean {
  const [name = '', namespace = from] = host.split('.')
  if (estate.service(namespace, name) !== undefined) return true
  if (/\.svc(?:\.|$)/.test(host) || estate.serviceAt(host) !== undefined || estate.workloadAt(host) !== undefined)
    return true
  return estate.isNodeAddress(host)
}

/** `exportTo` is every namespace, unless it says otherwise. */
function covers(entry: JsonObject, host: string, namespace: string): boolean {
  const exported = arrayMember(memberAt(entry, 'spec'), 'exportTo')
  const isOwn = referenceTo(entry).namespace === namespace
  const isVisible =
    exported.length === 0 || exported.some((to) => to === '*' || to === namespace || (to === '.' && isOwn))
  if (!isVisible) return false
  if (readAddress(host) !== undefined) {
    return arrayMember(memberAt(entry, 'spec'), 'addresses').some(
      (address) => typeof address === 'string' && (address === host || parseRanges(address).has(host)),
    )
  }
  return arrayMember(memberAt(entry, 'spec'), 'hosts').some(
    (known) =>
      typeof known === 'string' && (known === host || (known.startsWith('*.') && host.endsWith(known.slice(1)))),
  )
}
