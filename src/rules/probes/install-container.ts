/** The init container that copies the prober into the pod's `emptyDir`, made so that whatever admitted the pod admits it. */
import { member, memberAt, type Json, type JsonObject } from '../../kubernetes/json.ts'
import type { PodTemplate } from '../../kubernetes/pod-template.ts'
import type { ProberConfiguration } from '../configuration.ts'
import { parseQuantity } from '../../kubernetes/quantity.ts'
import { INSTALL_COMMAND } from './prober-command.ts'
import { PROBER_NAME, PROBER_VOLUME_MOUNT } from './prober-mount.ts'

const NON_ROOT = 65532

/** What the copying needs: the program has 6 MB, and is as large in memory. With less the container would never end well. */
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
 * The resources of the pod's first container: whatever quota, LimitRange and QoS class admitted that one admit ours, and
 * the pod's own request, the larger of its init containers and the sum of its containers, stays what it was
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

/** What Pod Security `restricted` asks for. The image's own user is 65532; only a pod that says root needs overruling. */
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
