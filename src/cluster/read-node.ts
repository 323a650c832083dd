/** A Node's addresses, and what it supports. */
import ipaddr from 'ipaddr.js'
import { arrayMember, member, memberAt, scalarText, type JsonObject } from '../kubernetes/json.ts'
import { annotationsOf, referenceTo } from '../kubernetes/object.ts'
import type { ClusterNode } from '../readiness/inventory.ts'

export interface NodeRow extends ClusterNode {
  readonly canMountImages: boolean
  /** IP addresses and DNS names, for calls to node ports. */
  readonly addresses: readonly string[]
}

export function readNode(node: JsonObject): NodeRow {
  const addresses = arrayMember(member(node, 'status'), 'addresses').flatMap(
    (entry) => scalarText(member(entry, 'address')) ?? [],
  )
  return {
    name: referenceTo(node).name,
    canMountImages: canMountImages(node),
    addresses: [...new Set(addresses)],
    sources: [...new Set([...addresses, ...tunnelAddresses(node), ...bridgeAddresses(node)])],
  }
}

/** Network plugins keep the address that a node has in its pod network in an annotation. */
function tunnelAddresses(node: JsonObject): readonly string[] {
  const annotations = annotationsOf(node)
  return TUNNELS.flatMap((key) => annotations.get(key)?.split('/')[0] ?? [])
}

const TUNNELS = [
  'projectcalico.org/IPv4IPIPTunnelAddr',
  'projectcalico.org/IPv4VXLANTunnelAddr',
  'projectcalico.org/IPv6VXLANTunnelAddr',
  'projectcalico.org/IPv4WireguardInterfaceAddr',
  'network.cilium.io/ipv4-cilium-host',
  'network.cilium.io/ipv6-cilium-host',
]

/**
 * A bridge has the first address of the node's pod range, and flannel's interface the range's own
 * (https://www.cni.dev/plugins/current/main/bridge/, `isGateway`).
 */
function bridgeAddresses(node: JsonObject): readonly string[] {
  const ranges = new Set([memberAt(node, 'spec', 'podCIDR'), ...arrayMember(member(node, 'spec'), 'podCIDRs')])
  return [...ranges].flatMap((range) => {
    const text = scalarText(range) ?? ''
    if (!ipaddr.isValidCIDR(text)) return []
    const bytes = ipaddr.parseCIDR(text)[0].toByteArray()
    const next = [...bytes.slice(0, -1), (bytes.at(-1) ?? 0) + 1]
    return [bytes, next].map((one) => ipaddr.fromByteArray(one).toString())
  })
}

/**
 * Whether an image volume works on the node. A node that cannot mount one does not start the pod, so unknown counts as
 * no.
 *
 * | kubelet    | container runtime         | image volumes                                                        |
 * |------------|---------------------------|----------------------------------------------------------------------|
 * | below 1.35 | any                       | no: off unless a feature gate is on                                  |
 * | 1.35       | containerd 2.1            | yes                                                                  |
 * | 1.35       | containerd 2.0 and below  | no: not supported (KEP-4639, "Container runtimes")                   |
 * | 1.35       | CRI-O                     | no: its mount forbids execution (cri-o #8317, #9779)                 |
 * | 1.35       | any other, or unknown     | no                                                                   |
 */
function canMountImages(node: JsonObject): boolean {
  const kubelet = infoOf(node, 'kubeletVersion')
  const runtime = infoOf(node, 'containerRuntimeVersion')
  return isFrom(kubelet, 'v', 1, 35) && isFrom(runtime, 'containerd://', 2, 1)
}

function infoOf(node: JsonObject, name: string): string {
  return scalarText(memberAt(node, 'status', 'nodeInfo', name)) ?? ''
}

/** Whether the text is `PREFIX` followed by at least the given version; containerd's may begin with `v`. */
function isFrom(text: string, prefix: string, major: number, minor: number): boolean {
  if (!text.startsWith(prefix)) return false
  const [, first, second] = /^v?(\d+)\.(\d+)/.exec(text.slice(prefix.length)) ?? []
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}
