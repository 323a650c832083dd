/**
 * The init container that copies the prober into the pod's `emptyDir`. Whatever admitted the pod also admits this
 * container.
 */
import { member, memberAt, type Json, type JsonObject } from '../../kubernetes/json.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import type { ProberConfiguration } from '../configuration.ts'
import { parseQuantity } from '../../kubernetes/quantity.ts'
import { INSTALL_COMMAND } from './prober-command.ts'
import { PROBER_NAME, PROBER_VOLUME_MOUNT } from './prober-mount.ts'

const NON_ROOT = 65532

/**
 * The memory that the copy needs. The program has 6 MB on disk and in memory; with less, the container would never
 * succeed.
 */
const LEAST = '16Mi'

export function installContainer(template: PodTemplate, { image, pullPolicy }: ProberConfiguration): JsonObject {
  return {
    name: PROBER_NAME,
    image,
    imagePullPolicy: pullPolicy,
    command: INSTALL_COMMAND,
    volumeMounts: [PROBER_VOLUME_MOUNT],
    ...resources(template),
    securityContext: securityContext(template.spec),
  }
}

/**
 * Copies the resources of the pod's first container. Any quota, LimitRange or QoS class that admitted that one admits
 * the copy, and the pod's own request, the larger of its init containers and the sum of its containers, does not change
 * (docs/decisions/prober-resources.md).
 */
function resources(template: PodTemplate): JsonObject {
  const first = template.containers.find(({ init }) => !init)
  const copied: Record<string, Json> = {}
  for (const bound of ['requests', 'limits']) {
    const amounts = memberAt(first?.raw, 'resources', bound)
    const kept = ['cpu', 'memory', 'ephemeral-storage'].flatMap((name) => {
      const amount = member(amounts, name)
      return amount === undefined ? [] : [[name, name === 'cpu' ? amount : atLeast(amount)] as const]
    })
    if (kept.length > 0) copied[bound] = Object.fromEntries(kept)
  }
  return Object.keys(copied).length === 0 ? {} : { resources: copied }
}

function atLeast(amount: Json): Json {
  return (parseQuantity(amount) ?? Infinity) < (parseQuantity(LEAST) ?? 0) ? LEAST : amount
}

/**
 * Meets Pod Security `restricted`. The image's own user is 65532, so only a pod that asks for root needs an override.
 */
function securityContext(spec: JsonObject): JsonObject {
  const strict = {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  }
  return memberAt(spec, 'securityContext', 'runAsUser') === 0 ? { ...strict, runAsUser: NON_ROOT } : strict
}
