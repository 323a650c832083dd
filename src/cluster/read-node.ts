/** A Node's addresses, and what it supports. */
import { arrayMember, member, memberAt, scalarText, type JsonObject } from '../kubernetes/json.ts'

export interface NodeRow {
  readonly canMountImages: boolean
  /** IP addresses and DNS names, for calls to node ports. */
  readonly addresses: readonly string[]
}

export function readNode(node: JsonObject): NodeRow {
  const addresses = arrayMember(member(node, 'status'), 'addresses').flatMap(
    (entry) => scalarText(member(entry, 'address')) ?? [],
  )
  return { canMountImages: canMountImages(node), addresses: [...new Set(addresses)] }
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
