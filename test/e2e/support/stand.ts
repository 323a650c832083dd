/**
 * What every file here tests against: the chart installed in the real API server as a user would install it, its pods run
 * by a node without containers, and its webhooks called through its Service.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { CoreV1Api, DiscoveryV1Api, type V1Pod } from '@kubernetes/client-node'
import t from 'tap'
import { createSelfSigned, type SelfSigned } from '../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../src/kubernetes/json.ts'
import { connect, ignoring } from '../../support/api-server/client.ts'
import { NAME, NAMESPACE } from '../../support/api-server/helm.ts'
import { createNamespace, done, release, uninstall } from '../../support/api-server/kubectl.ts'
import { HTTP_PROBE, peerAuthentication } from '../../support/fixtures.ts'
import { startNode, type Node } from './node.ts'
import type { PodProcess } from './pod-process.ts'

const core = connect().makeApiClient(CoreV1Api)
const discovery = connect().makeApiClient(DiscoveryV1Api)

export interface Stand {
  /** The servers that are not being ended. */
  servers(): readonly PodProcess[]
  /** `helm upgrade` with these values in the place of those of the same name, waited for. */
  upgrade(values: JsonObject): Promise<void>
  /** Takes the servers away, or brings as many; resolves when the API server has seen it. */
  scale(replicas: number): Promise<void>
}

/**
 * Stops at once on a signal, so tests need not wait for a drain that they do not test. Probes become exec, which changes the
 * most in a pod; `auto` would ask this cluster's Istio to serve them.
 */
export const QUICK = {
  replicas: 1,
  preStopSeconds: 0,
  config: { shutdown: { drainSeconds: 0, idleSeconds: 0 }, rules: { probes: 'exec' } },
}

export async function standUp(values: JsonObject = {}, pair?: SelfSigned): Promise<Stand> {
  const serving = pair ?? (await createCertificate())
  for (const name of [NAMESPACE, 'istio-system']) await createNamespace(name)
  await useCertificate(serving)
  const node = startNode()
  const all = { ...QUICK, ...certificates(serving.ca), ...values }
  release('install', all)
  t.teardown(async () => {
    if (!t.passing()) await explain(node)
    uninstall()
    await until(
      'the pods are gone',
      async () => (await core.listNamespacedPod({ namespace: NAMESPACE })).items.length === 0,
    )
    await node.stop()
  })
  const stand: Stand = {
    servers: () => node.servers(),
    async upgrade(changes) {
      release('upgrade', { ...all, ...changes })
      await rolledOut()
    },
    async scale(replicas) {
      await done(['scale', `deployment/${NAME}`, '-n', NAMESPACE, `--replicas=${replicas}`])
      await until(`${replicas} servers`, () => node.size() === replicas)
      if (replicas > 0) await rolledOut()
      else await until('no endpoint', async () => !(await hasEndpoint()))
    },
  }
  await rolledOut()
  return stand
}

/** What a failed file is looked at with: whether the API server went on without us, and what the servers complained of. */
async function explain(node: Node): Promise<void> {
  const metrics = await done(['get', '--raw', '/metrics'])
  const open = metrics.split('\n').filter((line) => line.startsWith('apiserver_admission_webhook_fail_open_count{'))
  const complaints = node.servers().flatMap(({ log }) => log.split('\n').filter((line) => /"level":[456]0/.test(line)))
  t.comment(['fail open:', ...open, 'from the logs of the servers:', ...complaints.slice(-40)].join('\n'))
}

/** `until` what API server and servers have to see of each other: webhook configurations take up to 400 ms. */
async function rolledOut(): Promise<void> {
  await done(['rollout', 'status', `deployment/${NAME}`, '-n', NAMESPACE, '--timeout=120s'])
  await meshNamespace('stand')
}

async function hasEndpoint(): Promise<boolean> {
  const labelSelector = `kubernetes.io/service-name=${NAME}`
  const { items } = await discovery.listNamespacedEndpointSlice({ namespace: NAMESPACE, labelSelector })
  return items.some(({ endpoints }) => (endpoints ?? []).some(({ conditions }) => conditions?.ready === true))
}

export async function createCertificate(): Promise<SelfSigned> {
  return await createSelfSigned([`${NAME}.${NAMESPACE}.svc`], new Date())
}

export function certificates(caBundle: string): JsonObject {
  return { certificates: { mode: 'existingSecret', existingSecret: { name: 'webhook-tls', caBundle } } }
}

/** Puts the pair into the Secret that the pods mount. */
export async function useCertificate({ cert, key }: SelfSigned, name = 'webhook-tls'): Promise<void> {
  await done(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: NAMESPACE },
    stringData: { 'tls.crt': cert, 'tls.key': key },
  })
}

/** A namespace that Istio injects and that is STRICT; resolves when every server decides by that. */
export async function meshNamespace(name: string, annotations: JsonObject = {}): Promise<void> {
  await createNamespace(name, { 'istio-injection': 'enabled' }, annotations)
  await done(['apply', '-f', '-'], peerAuthentication(name, 'default', { mtls: { mode: 'STRICT' } }))
  let rewritten = 0
  // Several in a row, because each goes to one of the servers.
  await until(`${name} is known`, async () => {
    rewritten = (await isRewritten(name)) ? rewritten + 1 : 0
    return rewritten >= 4
  })
}

async function isRewritten(namespace: string): Promise<boolean> {
  const annotations = { 'istio-onramp.io/probes': 'exec' }
  const containers = [{ name: 'app', image: 'example.org/app:1', livenessProbe: HTTP_PROBE }]
  const body = { metadata: { name: 'known', annotations }, spec: { containers } } as unknown as V1Pod
  const stored = await core.createNamespacedPod({ namespace, body, dryRun: 'All' }).catch(ignoring(500))
  return stored?.spec?.containers.some(({ livenessProbe }) => livenessProbe?.exec !== undefined) === true
}

/** Throws, naming what never came true, after a minute. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came true: ${what}`)
    await sleep(50)
  }
}
