/** What the tests on a real node share: the release, its pods, a namespace in the mesh, and patience. */
import { setTimeout as sleep } from 'node:timers/promises'
import { ApiException, CoreV1Api, type V1Pod } from '@kubernetes/client-node'
import { createSelfSigned, type SelfSigned } from '../../../../src/certificates/self-signed.ts'
import type { JsonObject } from '../../../../src/kubernetes/json.ts'
import { connect } from '../../../support/api-server/client.ts'
import { NAME, NAMESPACE } from '../../../support/api-server/helm.ts'
import { createNamespace, done } from '../../../support/api-server/kubectl.ts'
import { HTTP_PROBE, peerAuthentication } from '../../../support/fixtures.ts'

/** hack/chart/on-node has put these images on the node; no registry has them. */
export const SERVER_IMAGE = 'ghcr.io/istio-onramp/istio-onramp:0.1.0'
export const core = connect().makeApiClient(CoreV1Api)

/** The namespace of the release, as strict about its pods as Kubernetes can be. */
export async function createReleaseNamespace(): Promise<void> {
  await createNamespace(NAMESPACE, {
    'pod-security.kubernetes.io/enforce': 'restricted',
    'pod-security.kubernetes.io/warn': 'restricted',
  })
}

/** A namespace with sidecars in which every pod is STRICT. */
export async function createMeshNamespace(name: string): Promise<void> {
  await createNamespace(name, { 'istio-injection': 'enabled' })
  await done(['apply', '-f', '-'], peerAuthentication(name, 'default', { mtls: { mode: 'STRICT' } }))
}

/** The stand-in for the signer of certificates. */
export async function sign(dnsNames: readonly string[] = [`${NAME}.${NAMESPACE}.svc`]): Promise<SelfSigned> {
  return await createSelfSigned(dnsNames, new Date())
}

export async function storeSecret(name: string, { cert, key, ca }: SelfSigned): Promise<void> {
  await done(['apply', '-f', '-'], {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name, namespace: NAMESPACE },
    stringData: { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca },
  })
}

/** The namespaces, and the certificate in a Secret named `tls`. */
export async function prepare(): Promise<SelfSigned> {
  await createReleaseNamespace()
  await createMeshNamespace('shop')
  const pair = await sign()
  await storeSecret('tls', pair)
  return pair
}

type Values = JsonObject & { readonly config?: JsonObject & { readonly rules?: JsonObject } }

/**
 * Values for the certificate of `prepare`. Everything is Fail, so that a call which does not reach the server is an error to
 * whoever creates the pod, and not a gap. Probes become exec, also where `auto` would ask Istio to serve them.
 */
export function valuesFor({ ca }: SelfSigned, { config = {}, ...more }: Values = {}): JsonObject {
  const certificates = { mode: 'existingSecret', existingSecret: { name: 'tls', caBundle: ca } }
  const Fail = { failurePolicy: 'Fail' }
  const webhooks = { pods: Fail, templates: Fail, ingress: Fail }
  const { rules = {}, ...others } = config
  return { certificates, webhooks, config: { ...others, rules: { probes: 'exec', ...rules } }, ...more }
}

/** Waits until every server decides by what `prepare` made. */
export async function shopIsStrict(): Promise<void> {
  await until('every server knows that shop is STRICT', async () => {
    const pods = await Promise.all(
      Array.from({ length: 8 }, async () => await createProbed('shop').catch(unlessRefused)),
    )
    return pods.every((pod) => pod !== undefined && isRewritten(pod))
  })
}

/** kube-proxy hears of the first ready server after the Deployment does; until then it refuses connections to the Service. */
function unlessRefused(error: unknown): undefined {
  if (!(error instanceof ApiException && /connection refused/.test(String(error.body)))) throw error
}

/** A dry run of a pod whose check STRICT would break, as the API server would have stored it. */
export async function createProbed(namespace: string): Promise<V1Pod> {
  const containers = [{ name: 'app', image: 'example.org/app:1', livenessProbe: HTTP_PROBE }]
  const body = { metadata: { generateName: 'probed-' }, spec: { containers } } as unknown as V1Pod
  return await core.createNamespacedPod({ namespace, body, dryRun: 'All' })
}

export function isRewritten({ spec }: V1Pod): boolean {
  return spec?.containers.some(({ livenessProbe }) => livenessProbe?.exec !== undefined) === true
}

/** The pods of the release, the ending ones too. */
export async function serverPods(): Promise<readonly V1Pod[]> {
  const labelSelector = 'app.kubernetes.io/instance=onramp'
  return (await core.listNamespacedPod({ namespace: NAMESPACE, labelSelector })).items
}

/** Waits until the Deployment has what it asks for and nothing of what was before is left. */
export async function rolledOut(): Promise<void> {
  await done(['rollout', 'status', `deployment/${NAME}`, '-n', NAMESPACE, '--timeout=180s'])
  await until('the old pods are gone', async () => {
    return (await serverPods()).every(({ metadata }) => metadata?.deletionTimestamp === undefined)
  })
}

export function isReady({ status }: V1Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

/** Throws, naming what never came true. */
export async function until(what: string, holds: () => Promise<boolean>, seconds = 120): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`never came true in ${seconds} s: ${what}`)
    await sleep(250)
  }
}
