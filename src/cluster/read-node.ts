/** What a Node can do for pods. */
import { memberAt, scalarText, type JsonObject } from '../kubernetes/json.ts'

/**
 * Whether an image volume works there. A node that cannot mount one does not start the pod, so unknown counts as no.
 *
 * | kubelet    | container runtime         | image volumes                                                           |
 * |------------|---------------------------|-------------------------------------------------------------------------|
 * | below 1.35 | any                       | no: off unless a feature gate is on                                      |
 * | 1.35       | containerd 2.1            | yes                                                                     |
 * | 1.35       | containerd 2.0 and below  | no: it does not know them (KEP-4639, "Container runtimes")              |
 * | 1.35       | CRI-O                     | no: it asks for a mount that forbids to execute (cri-o #8317, #9779)    |
 * | 1.35       | another one, or not said  | no                                                                      |
 */
export function canMountImages(node: JsonObject): boolean {
  const kubelet = infoOf(node, 'kubeletVersion')
  const runtime = infoOf(node, 'containerRuntimeVersion')
  return isFrom(kubelet, 'v', 1, 35) && isFrom(runtime, 'containerd://', 2, 1)
}

function infoOf(node: JsonObject, name: string): string {
  return scalarText(memberAt(node, 'status', 'nodeInfo', name)) ?? ''
}

/** Whether the text is `PREFIX` and a version that is at least the given one; containerd's may begin with a `v`. */
function isFrom(text: string, prefix: string, major: number, minor: number): boolean {
  if (!text.startsWith(prefix)) return false
  const [, first, second] = /^v?(\d+)\.(\d+)/.exec(text.slice(prefix.length)) ?? []
  return Number(first) > major || (Number(first) === major && Number(second) >= minor)
}
