/** Conflicts between the names of the prober's parts and other parts of a pod. */
import type { Container } from '../../kubernetes/container.ts'
import { arrayMember, equalJson, isNamed, member, memberAt, type Json } from '../../kubernetes/json.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import { INSTALL_COMMAND, POD_IP_VARIABLE } from './prober-command.ts'
import { PROBER_NAME } from './prober-mount.ts'

/**
 * | part of the pod with our name                                 | taken |
 * |---------------------------------------------------------------|-------|
 * | a volume that is an image or an `emptyDir`                    | no    |
 * | another volume                                                | yes   |
 * | an init container that installs the prober                    | no    |
 * | another init container, or a container                        | yes   |
 */
export function isProberNameTaken({ spec }: PodTemplate): boolean {
  const named = (list: string) => arrayMember(spec, list).filter((entry) => isNamed(entry, PROBER_NAME))
  return (
    named('containers').length > 0 ||
    named('volumes').some(
      (volume) => member(volume, 'image') === undefined && member(volume, 'emptyDir') === undefined,
    ) ||
    named('initContainers').some((container) => !isInstaller(container))
  )
}

/**
 * Whether an init container is the one that installs the prober. One with a probe or hook belongs to the user: removing
 * it would remove those as well.
 */
export function isInstaller(container: Json): boolean {
  return (
    isNamed(container, PROBER_NAME) &&
    equalJson(member(container, 'command') ?? null, INSTALL_COMMAND) &&
    CHECKS.every((field) => member(container, field) === undefined)
  )
}

const CHECKS = ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle']

/** The prober would use any other value of the variable as the address to call. */
export function isPodIpVariableTaken({ raw }: Container): boolean {
  return arrayMember(raw, 'env').some(
    (entry) =>
      isNamed(entry, POD_IP_VARIABLE) && memberAt(entry, 'valueFrom', 'fieldRef', 'fieldPath') !== 'status.podIP',
  )
}
