/** Pods that are created without a pause, to find out what one of them would have met. */
import { CoreV1Api, type V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import type { Json, JsonObject } from '../../../src/kubernetes/json.ts'
import { connect, messageOf } from '../../support/api-server/client.ts'
import { CONTAINER, handlerOf } from './manifests.ts'

const CONCURRENT = 4

/** With its sidecar in the manifest: in the mesh, and not in need of istiod, whose work would be most of the load. */
const WITH_SIDECAR: JsonObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    generateName: 'web-',
    labels: { 'sidecar.istio.io/inject': 'false' },
    annotations: { 'sidecar.istio.io/status': '{}' },
  },
  spec: {
    initContainers: [
      { name: 'istio-init', image: 'proxyv2', args: ['istio-iptables', '-b', '*', '-d', '15090,15021,15020'] },
    ],
    containers: [CONTAINER, { name: 'istio-proxy', image: 'proxyv2', args: ['proxy', 'sidecar'] }],
  },
}

export interface Creates {
  rewritten: number
  /** Stored as they were written, because no server was asked. */
  unchanged: number
  /** What the API server said of those that it refused. */
  readonly refused: string[]
}

/**
 * Creates pods in `namespace`, which meshNamespace has made, for as long as `during` takes, and at least `least` that are
 * rewritten. `dryRun` stores none, for loads of minutes.
 */
export async function createDuring(
  during: () => Promise<void>,
  { namespace = 'load', least = 0, dryRun = false } = {},
): Promise<Creates> {
  const creates: Creates = { rewritten: 0, unchanged: 0, refused: [] }
  let isOver = false
  const core = connect().makeApiClient(CoreV1Api)
  const body = WITH_SIDECAR as unknown as V1Pod
  const work = async (): Promise<void> => {
    while (!isOver || creates.rewritten < least) {
      try {
        const stored = await core.createNamespacedPod({ namespace, body, ...(dryRun ? { dryRun: 'All' } : {}) })
        if (handlerOf(JSON.parse(JSON.stringify(stored)) as Json) === 'exec prober') creates.rewritten += 1
        else creates.unchanged += 1
      } catch (error) {
        creates.refused.push(messageOf(error))
      }
    }
  }
  const workers = Array.from({ length: CONCURRENT }, work)
  await during().finally(() => (isOver = true))
  await Promise.all(workers)
  const { rewritten, unchanged, refused } = creates
  t.comment(`${rewritten} creates rewritten, ${unchanged} unchanged, ${refused.length} refused`)
  return creates
}

/** What went wrong where every pod has to be rewritten. */
export function failuresOf({ unchanged, refused }: Creates): readonly string[] {
  return unchanged === 0 ? refused : [...refused, `${unchanged} pods were not rewritten`]
}
