/** Where the prober is mounted in a container, and which of the container's own mounts conflict with it. */
import type { Container } from '../../kubernetes/container.ts'
import { arrayMember, stringMember, type Json } from '../../kubernetes/json.ts'
import { PROBER_MOUNT } from './prober-command.ts'

/** The name of the volume, and of the init container that fills it. */
export const PROBER_NAME = 'istio-onramp-prober'
/** Mounts the folder, because kubelet refuses a `subPath` of an image volume that is a file. */
export const PROBER_VOLUME_MOUNT = { name: PROBER_NAME, mountPath: PROBER_MOUNT }

/**
 * | in the container                                   | taken | because                                          |
 * |----------------------------------------------------|-------|--------------------------------------------------|
 * | our volume at our path                             | no    | it is the mount that we would add                |
 * | our volume elsewhere, or at our path by `subPath`  | yes   | a volume of our name that is not as we mount it  |
 * | another volume or a device at our path             | yes   | the API server refuses two at one path           |
 * | another volume or a device below our path          | yes   | its mount point would be inside the prober's     |
 */
export function isProberPathTaken({ raw }: Container): boolean {
  return (
    arrayMember(raw, 'volumeMounts').some((mount) =>
      stringMember(mount, 'name') === PROBER_NAME ? !isOurs(mount) : isAtOrBelow(stringMember(mount, 'mountPath')),
    ) || arrayMember(raw, 'volumeDevices').some((device) => isAtOrBelow(stringMember(device, 'devicePath')))
  )
}

function isOurs(mount: Json): boolean {
  const isPart = stringMember(mount, 'subPath') !== undefined || stringMember(mount, 'subPathExpr') !== undefined
  return !isPart && normalize(stringMember(mount, 'mountPath')) === PROBER_MOUNT
}

function isAtOrBelow(path: string | undefined): boolean {
  return `${normalize(path)}/`.startsWith(`${PROBER_MOUNT}/`)
}

/** Normalises a path as container runtimes do: `/a/../b//` is `/b`. */
function normalize(path = ''): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}
