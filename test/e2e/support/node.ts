/**
 * A node without containers. It runs the pods of the chart's Deployment as processes, each on an address of its own, and
 * does for them what kubelet does: binds them, mounts the ConfigMap and the Secret and follows their changes, hands out the
 * service account's token, asks the readiness probe, starts them again when they die, and ends them as they ask for it.
 * Everything else about them, from ReplicaSets to EndpointSlices, is the work of the real controllers.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api, PatchStrategy, setHeaderOptions, type KubeConfig, type V1Pod } from '@kubernetes/client-node'
import { connect, ignoring } from '../../support/api-server/client.ts'
import { NAMESPACE } from '../../support/api-server/helm.ts'
import { PodProcess, type Files } from './pod-process.ts'

export const NODE = 'without-containers'
/** Of a node that mounts images as volumes and runs programs from them. */
const VERSIONS = { kubeletVersion: 'v1.37.2', containerRuntimeVersion: 'containerd://2.2.4' }
const MERGE = setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch)
const TICK_MS = 200
const VOLUMES_MS = 1000
/** The node lifecycle controller takes a node that is silent for 50 s for lost, and its pods out of their Services. */
const HEARTBEAT_MS = 10_000

export interface Node {
  /** How many pods run here, those that are being ended among them. */
  size(): number
  /** Those that are not being ended. */
  servers(): readonly PodProcess[]
  stop(): Promise<void>
}

interface Life {
  readonly process: PodProcess
  isReady: boolean | undefined
  /** Answers in a row that were not "ready". */
  failures: number
  isEnding: boolean
  volumesReadAt: number
}

/** Needs addresses of this machine in ISTIO_ONRAMP_E2E_ADDRESSES, one for each pod; hack/e2e/test makes them. */
export function startNode(): Node {
  const addresses = (process.env['ISTIO_ONRAMP_E2E_ADDRESSES'] ?? '').split(' ').filter((address) => address !== '')
  if (addresses.length === 0) throw new Error('no addresses for pods: hack/e2e/test makes them')
  const config = connect()
  const core = config.makeApiClient(CoreV1Api)
  const lives = new Map<string, Life>()
  /** Addresses by the name of the pod. */
  const taken = new Map<string, string>()

  const begin = async (pod: V1Pod, name: string): Promise<void> => {
    const [container] = pod.spec?.containers ?? []
    const address = addresses.find((candidate) => ![...taken.values()].includes(candidate))
    if (address === undefined || container === undefined) return
    // Before the first wait: the next pod of the same tick must not get it too.
    taken.set(name, address)
    try {
      const account = await accountConfig(config, core, pod.spec?.serviceAccountName ?? 'default')
      const process = new PodProcess(address, container, await volumesOf(core, pod), account)
      if (pod.spec?.nodeName === undefined) await bind(core, name)
      lives.set(name, { process, isReady: undefined, failures: 0, isEnding: false, volumesReadAt: performance.now() })
    } catch (error) {
      taken.delete(name)
      throw error
    }
  }

  const end = async (pod: V1Pod, name: string, life: Life): Promise<void> => {
    life.isEnding = true
    await life.process.end(pod.metadata?.deletionGracePeriodSeconds ?? 30)
    lives.delete(name)
    taken.delete(name)
    life.process.remove()
    // While the API server is away it stays, and a later look at the pods removes it.
    await remove(core, name).catch(() => undefined)
  }

  const follow = async (pod: V1Pod): Promise<void> => {
    const name = pod.metadata?.name ?? ''
    const life = lives.get(name)
    const isDeleted = pod.metadata?.deletionTimestamp !== undefined
    // Of a node that ended before this one.
    if (life === undefined) {
      await (isDeleted ? remove(core, name) : begin(pod, name))
      return
    }
    if (isDeleted && !life.isEnding) void end(pod, name, life)
    if (!life.isEnding) life.process.startUnlessRunning()
    if (performance.now() - life.volumesReadAt > VOLUMES_MS) {
      life.volumesReadAt = performance.now()
      life.process.mount(await volumesOf(core, pod))
    }
    const ready = await probe(life)
    if (life.isReady === ready) return
    await core.patchNamespacedPodStatus({ name, namespace: NAMESPACE, body: statusOf(life.process, ready) }, MERGE)
    life.isReady = ready
  }

  let isStopped = false
  const live = async (): Promise<void> => {
    let beat = Number.NEGATIVE_INFINITY
    while (!isStopped) {
      // The processes keep running while the API server is away.
      try {
        if (performance.now() > beat + HEARTBEAT_MS) {
          await register(core)
          beat = performance.now()
        }
        const { items } = await core.listNamespacedPod({ namespace: NAMESPACE })
        await Promise.all(items.map(follow))
      } catch (error) {
        if (process.env['ISTIO_ONRAMP_E2E_VERBOSE'] !== undefined) console.error('node:', error)
      }
      await sleep(TICK_MS)
    }
  }
  const living = live()
  return {
    size: () => lives.size,
    servers: () => [...lives.values()].filter(({ isEnding }) => !isEnding).map(({ process }) => process),
    async stop() {
      isStopped = true
      await living
      for (const { process } of lives.values()) {
        await process.kill()
        process.remove()
      }
    },
  }
}

/** As kubelet counts: one late answer of a process that runs does not take it out of its Service. */
async function probe(life: Life): Promise<boolean> {
  life.failures = (await life.process.isReady()) ? 0 : life.failures + 1
  if (life.failures === 0) return true
  return life.isReady === true && life.process.isRunning && life.failures < life.process.failureThreshold
}

async function register(core: CoreV1Api): Promise<void> {
  const now = new Date().toISOString()
  const ready = {
    type: 'Ready',
    status: 'True',
    reason: 'KubeletReady',
    lastHeartbeatTime: now,
    lastTransitionTime: now,
  }
  const body = { status: { conditions: [ready], nodeInfo: VERSIONS } }
  await core.createNode({ body: { metadata: { name: NODE } } }).catch(ignoring(409))
  await core.patchNodeStatus({ name: NODE, body }, MERGE)
}

async function bind(core: CoreV1Api, name: string): Promise<void> {
  const body = { metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: NODE } }
  await core.createNamespacedPodBinding({ name, namespace: NAMESPACE, body })
}

async function remove(core: CoreV1Api, name: string): Promise<void> {
  await core.deleteNamespacedPod({ name, namespace: NAMESPACE, gracePeriodSeconds: 0 }).catch(ignoring(404))
}

async function volumesOf(core: CoreV1Api, { spec }: V1Pod): Promise<ReadonlyMap<string, Files>> {
  const namespace = NAMESPACE
  const volumes = new Map<string, Files>()
  for (const { name, configMap, secret } of spec?.volumes ?? []) {
    if (configMap?.name !== undefined)
      volumes.set(name, (await core.readNamespacedConfigMap({ name: configMap.name, namespace })).data ?? {})
    if (secret?.secretName !== undefined)
      volumes.set(name, decoded((await core.readNamespacedSecret({ name: secret.secretName, namespace })).data))
  }
  return volumes
}

function decoded(data: Files = {}): Files {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]))
}

/** A kubeconfig with the token that the pod would find mounted. */
async function accountConfig(config: KubeConfig, core: CoreV1Api, name: string): Promise<string> {
  const body = { spec: { audiences: [], expirationSeconds: 3600 } }
  const { status } = await core.createNamespacedServiceAccountToken({ name, namespace: NAMESPACE, body })
  const cluster = config.getCurrentCluster()
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: cluster?.server, 'certificate-authority': cluster?.caFile } }],
    users: [{ name: 'u', user: { token: status?.token } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'c',
  })
}

function statusOf({ address }: PodProcess, isReady: boolean) {
  const status = isReady ? 'True' : 'False'
  const conditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status }))
  return { status: { phase: 'Running', podIP: address, podIPs: [{ ip: address }], conditions } }
}
